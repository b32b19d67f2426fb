/** Types of answers that stand for values of the core, and helpers to declare answers. */
import { z } from '../check/option-types.js'
import type { Problem } from '../config/problems/problem.js'
import type {
  CheckPolicy,
  CheckResult,
  Counters,
  Forwarding,
  HealthState,
  Phase,
  Protocol,
  RealCounters,
} from '../core/model.js'
import type { Effect, OverrideSource } from '../core/override.js'
import type { SysctlState } from '../reconcile/sysctl-keeper.js'
import type { ScheduleStats } from '../schedule/stats.js'

/** A time as in ISO 8601. */
export function time(about = '') {
  return z.string().meta({ format: 'date-time', ...(about !== '' && { description: about }) })
}

export function list<T extends z.ZodType>(item: T) {
  return z.array(item).readonly()
}

/** A service that another program changes repeatedly. */
export const dispute = z.object({
  service: z.string().describe('Its key in the table.'),
  name: z.string().nullable().describe('Its name in the configuration; null: it has none but its key.'),
  since: time(),
  changes: z.number().describe('Changes that lvsd has reverted.'),
})

export const healthState = z.enum(['unknown', 'up', 'down'] satisfies HealthState[])
export const protocol = z.enum(['tcp', 'udp', 'sctp'] satisfies Protocol[])
export const forwarding = z.enum(['gate', 'masq', 'ipip', 'gue', 'gre'] satisfies Forwarding[])
export const effectKind = z.enum([
  'force-down',
  'disable',
  'drain',
  'weight',
  'force-up',
] satisfies Effect['kind'][])
export const overrideSource = z.enum(['command', 'window', 'file'] satisfies OverrideSource[])

const phase = z.enum([
  'resolve',
  'connect',
  'handshake',
  'send',
  'first byte',
  'headers',
  'body',
  'run',
] satisfies Phase[])

const weighing = z.union([z.object({ percent: z.number() }), z.object({ weight: z.number() })])

export const checkResult = z
  .object({
    ok: z.boolean().nullable().describe('Null: no verdict, because lvsd could not run the check.'),
    reason: (z.string() as z.ZodType<NonNullable<CheckResult['reason']>>)
      .nullable()
      .describe(
        'One word, such as refused, timeout, status, or one of a check of your own; null if it passed.',
      ),
    detail: z.string().describe('The expected and the actual outcome, for people.'),
    phase: phase.nullable().describe('The phase in which the run ended.'),
    ms: z.number().describe('Duration of the run in milliseconds.'),
    phases: list(z.object({ phase, ms: z.number() })).describe(
      'Milliseconds from the start to the end of each phase; empty if not given here.',
    ),
    advice: z
      .union([
        z.object({ percent: z.number(), most: weighing.exactOptional() }),
        z.object({ weight: z.number(), most: weighing.exactOptional() }),
      ])
      .exactOptional()
      .describe('A weight that the check advises.'),
    hint: z.string().exactOptional().describe('Why the run came before its time; absent: it did not.'),
  })
  .meta({
    id: 'CheckResult',
    description: 'The result of one run of a check.',
  }) satisfies z.ZodType<CheckResult>

/** The last hundred verdicts of a check. */
export const strip = z
  .string()
  .describe('The last 100 verdicts, the oldest first: p passed, f failed, n no verdict.')

export const checkPolicy = z
  .object({
    interval: z.number().describe('Milliseconds.'),
    timeout: z.number().describe('Milliseconds.'),
    rise: z.number(),
    fall: z.number(),
    fastinter: z.number().describe('Milliseconds.'),
  })
  .meta({ id: 'CheckPolicy' }) satisfies z.ZodType<CheckPolicy>

const counts = {
  connections: z.number(),
  inPackets: z.number(),
  outPackets: z.number(),
  inBytes: z.number(),
  outBytes: z.number(),
  connectionRate: z.number(),
  inPacketRate: z.number(),
  outPacketRate: z.number(),
  inByteRate: z.number(),
  outByteRate: z.number(),
}

export const counters = z.object(counts).meta({
  id: 'Counters',
  description: "The kernel's counters; rates are per second.",
}) satisfies z.ZodType<Counters>

export const realCounters = z
  .object({ ...counts, active: z.number(), inactive: z.number(), persistent: z.number() })
  .meta({
    id: 'RealCounters',
    description: "The kernel's counters of a real server.",
  }) satisfies z.ZodType<RealCounters>

export const problem = z
  .object({
    severity: z.enum(['error', 'warning', 'note']),
    code: z.string().describe('Stable, upper case with underscores: UNKNOWN_KEY.'),
    message: z.string(),
    file: z.string(),
    at: z.object({
      line: z.number(),
      column: z.number(),
      length: z.number().describe('Characters to underline.'),
      file: z.string().optional().describe('The included file; absent: the main file.'),
    }),
  })
  .meta({ id: 'ConfigurationProblem' }) as z.ZodType<Problem>

export const scheduleStats = z
  .object({
    engine: z
      .enum(['portable', 'native'])
      .describe('What runs checks that are data: the setting `engine`, with `auto` decided.'),
    jobs: z.number(),
    running: z.number(),
    lateness: z
      .object({ p50: z.number(), p99: z.number(), max: z.number() })
      .describe('Delays of recent starts in milliseconds.'),
    stalls: z.number().describe('How often lvsd itself was stopped or starved.'),
    stalledFor: z.number().describe('Milliseconds in all.'),
    sinceStall: z.number().nullable().describe('Milliseconds since the last time; null if there was none.'),
    noVerdicts: z.number().describe('Runs without a verdict since the start.'),
  })
  .meta({ id: 'ScheduleStats' }) satisfies z.ZodType<ScheduleStats>

export const sysctlState = z
  .object({
    name: z.string(),
    declared: z.string(),
    value: z.string().nullable().describe('Null if it cannot be read.'),
    former: z.string().nullable().describe('Value before lvsd set it; null if it has not.'),
    trouble: z.string().nullable().describe('Why the declared value is not in force; null if it is.'),
    changesByOthers: z.number(),
  })
  .meta({ id: 'SysctlState' }) satisfies z.ZodType<SysctlState>

/** A condition and its start. */
export const causeStatus = z.object({ since: time(), detail: z.string() })
