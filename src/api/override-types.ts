/** What is asked of overrides over the API, and what is answered. */
import { z } from '../check/option-types.js'
import { MAX_WEIGHT } from '../core/model.js'
import { LATEST_END } from '../core/override.js'
import { RAMP_LIMITS } from '../core/ramp.js'
import { list, time } from './model-types.js'
import { overrideStatus } from './status-types.js'

const target = z.strictObject({ service: z.string(), real: z.string().nullable() })
/** Real servers, or all of a service. */
export const targets = z.array(target).min(1).max(10_000)
const PLAIN = ['force-down', 'disable', 'force-up'] as const

const local = () =>
  z
    .boolean()
    .optional()
    .describe(
      'True: on this director alone, if the Redis of its site cannot be used. The others follow when it can.',
    )

/** `POST /v1/overrides`: the same effect on each target, exact names as in the status document. */
export const giveRequest = z.strictObject({
  targets,
  effect: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(PLAIN) }),
    /** `ramp`: milliseconds in which the weight goes down to 0. */
    z.strictObject({
      kind: z.literal('drain'),
      ramp: z.int().min(RAMP_LIMITS.min).max(RAMP_LIMITS.max).optional(),
    }),
    z.strictObject({ kind: z.literal('weight'), weight: z.int().min(0).max(MAX_WEIGHT) }),
  ]),
  reason: z.string().max(512).default(''),
  until: z
    .number()
    .max(LATEST_END)
    .nullable()
    .default(null)
    .describe('Milliseconds since 1970; null: until somebody ends it.'),
  local: local(),
})

/** `POST /v1/overrides/end`: the effects that end on each target. */
export const endRequest = z.strictObject({
  targets,
  effects: z.array(z.enum([...PLAIN, 'drain', 'weight'])).min(1),
  local: local(),
})

/** `POST /v1/windows/end`: the open windows of these targets end, this opening only. */
export const endWindowsRequest = z.strictObject({ targets, local: local() })

export type EndWindowsRequest = z.output<typeof endWindowsRequest>
export type GiveRequest = z.output<typeof giveRequest>
export type EndRequest = z.output<typeof endRequest>
export type TargetName = z.output<typeof target>

export const overrideOutcome = z
  .object({
    ok: z.boolean().describe('False: nothing has changed, for the reason in `message`.'),
    message: z.string(),
    ended: z.number().describe('Overrides, or openings of windows, that the request ended.'),
    isKept: z
      .boolean()
      .describe('False: what is active is not on the disk, and a restart would not know it.'),
    isLocal: z
      .boolean()
      .optional()
      .describe('True: the other directors of the site get it when their Redis can be used again.'),
    mayBeLocal: z
      .boolean()
      .optional()
      .describe('True: refused because the Redis of the site cannot be used; `"local": true` is possible.'),
    reals: list(
      z.object({ service: z.string(), real: z.string(), override: overrideStatus.nullable() }),
    ).describe('What counts for each real server that the targets are, after the request.'),
  })
  .meta({ id: 'OverrideOutcome' })

export type OverrideOutcome = Readonly<z.output<typeof overrideOutcome>>

export const overridesDocument = z
  .object({
    overrides: list(
      overrideStatus
        .extend({
          service: z.string(),
          real: z.string().nullable().describe('Null: the service as a whole.'),
          missingSince: time().nullable().describe('Since when the configuration does not have the target.'),
        })
        .meta({ id: 'GivenOverride' }),
    ).describe('Of all sources, those that do not count included.'),
  })
  .meta({ id: 'Overrides' })

export type OverridesDocument = Readonly<z.output<typeof overridesDocument>>
