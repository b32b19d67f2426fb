/** The answer to `lvsd why`. */
import { z } from '../check/option-types.js'
import { checkResult, healthState, list, strip, time } from './model-types.js'
import {
  checkStatus,
  overrideStatus,
  realStatus,
  realWithoutChecks,
  serviceWithoutReals,
} from './status-types.js'

export const whyResults = z
  .object({
    last: checkResult.describe('The last one, with the times of its phases.'),
    count: z.number(),
    from: time(),
    at: time(),
    runs: list(
      z.object({
        at: time(),
        ms: z.number().describe('Duration in milliseconds.'),
        phases: list(z.number()).describe(
          'Milliseconds from the start to the end of each phase, in the order of those of `last`. None where the run, or one after it, went through others.',
        ),
      }),
    ).describe('The times of those of the last five runs that are in this group, the newest first.'),
  })
  .meta({ id: 'Results', description: 'Results in a row with the same verdict, reason and detail.' })

export const whyCheck = checkStatus
  .omit({ last: true, lastAt: true })
  .extend({
    expects: z.string().describe('What a passing answer has, in words.'),
    nextAt: time().nullable().describe('Start of the next run. Null while lvsd does not run the check.'),
    nextIn: z.number().nullable().describe('Milliseconds until then, when this was built.'),
    isRunning: z.boolean(),
    observers: list(
      z.object({
        director: z.string().describe('Its host.'),
        isSelf: z.boolean(),
        state: healthState,
        detail: z.string().nullable().describe('Why it is down; else null.'),
      }),
    ).describe('What each director says of a check that several share; else empty.'),
    strip,
    results: list(whyResults).describe('The last groups of results, the newest first.'),
  })
  .meta({ id: 'WhyCheck' })

export const whyOverride = overrideStatus
  .extend({
    on: z.enum(['real', 'service']).describe('`service`: it is on the service as a whole.'),
    counts: z.boolean().describe('True for the one that decides.'),
  })
  .meta({ id: 'WhyOverride' })

export const whyTable = z
  .object({
    readAt: time().nullable().describe('When the table was last read as a whole.'),
    written: z
      .object({
        at: time(),
        weight: z.number().nullable().describe('Null: lvsd removed the entry.'),
        isEarlier: z.boolean().describe('True: an earlier run wrote it, and the kernel still holds it.'),
      })
      .nullable()
      .describe('What lvsd last wrote; null: nothing since its start that is still in the table.'),
  })
  .meta({ id: 'WhyTable' })

const sentence = z.string().describe('What is so, since when, why, and what would change it.')

export const whyReal = z
  .object({
    kind: z.literal('real'),
    service: serviceWithoutReals,
    real: realWithoutChecks,
    sentence,
    checks: list(whyCheck),
    overrides: list(whyOverride),
    table: whyTable,
  })
  .meta({ id: 'WhyReal' })

export const whyService = z
  .object({
    kind: z.literal('service'),
    service: serviceWithoutReals,
    sentence,
    reals: list(
      realStatus
        .pick({ name: true, state: true, since: true, override: true, weight: true })
        .extend({ sentence: z.string() }),
    ).describe('Those that get no new connections, or are about to change.'),
  })
  .meta({ id: 'WhyService' })

export const whyAnswer = z.discriminatedUnion('kind', [whyReal, whyService])

export type WhyResults = Readonly<z.output<typeof whyResults>>
export type WhyCheck = Readonly<z.output<typeof whyCheck>>
export type WhyOverride = Readonly<z.output<typeof whyOverride>>
export type WhyTable = Readonly<z.output<typeof whyTable>>
export type WhyReal = Readonly<z.output<typeof whyReal>>
export type WhyService = Readonly<z.output<typeof whyService>>
export type WhyAnswer = WhyReal | WhyService

/** What `lvsd why --json` prints: an answer for each service that the target means. */
export interface WhyDocument {
  readonly schema: number
  /** ISO 8601 */
  readonly now: string
  readonly answers: readonly WhyAnswer[]
}
