/** The role of this director over the API. */
import { z } from '../check/option-types.js'
import { LONGEST_NAME, VRRP_STATES } from '../core/vrrp-role.js'
import { clusterStatus } from './cluster-status-types.js'

export const roleDocument = z
  .object({
    schema: z.number().describe('Increases when a field changes its meaning or is removed.'),
    now: clusterStatus.shape.since,
    role: clusterStatus.shape.role,
    cluster: clusterStatus.nullable().describe('Null: this director serves alone, and is active.'),
  })
  .meta({ id: 'Role', description: 'Whether this director is active or standby.' })

export const healthDocument = z
  .object({
    schema: z.number().describe('Increases when a field changes its meaning or is removed.'),
    good: z.boolean().describe('True if this director can serve.'),
    reason: z.string().describe('Why, in one sentence for people.'),
    role: clusterStatus.shape.role,
  })
  .meta({ id: 'DirectorHealth', description: 'Whether this director can serve.' })

/** `POST /v1/role/notify`: what keepalived appends to its `notify` command. */
export const notifyRequest = z.strictObject({
  kind: z.enum(['INSTANCE', 'GROUP']),
  name: z.string().min(1).max(LONGEST_NAME),
  state: z.enum(VRRP_STATES),
  priority: z.int().min(-1000).max(1000),
  began: z
    .number()
    .nullable()
    .default(null)
    .describe("When keepalived began the command, in milliseconds of the machine's monotonic clock."),
})

export const notifyOutcome = z
  .object({
    outcome: z
      .enum(['counts', 'late', 'other', 'not asked'])
      .describe('late: a later state is known. other: of another instance. not asked: no role by VRRP.'),
    role: clusterStatus.shape.role.describe('The role now.'),
  })
  .meta({ id: 'NotifyOutcome' })

export type RoleDocument = Readonly<z.output<typeof roleDocument>>
export type HealthDocument = Readonly<z.output<typeof healthDocument>>
export type NotifyRequest = Readonly<z.output<typeof notifyRequest>>
export type NotifyAnswer = Readonly<z.output<typeof notifyOutcome>>
