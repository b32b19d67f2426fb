/** The status document of `lvsd status` and of the API. */

import { z } from '../check/option-types.js'
import { FOLDER_TROUBLES } from '../core/override.js'
import { clusterStatus } from './cluster-status-types.js'
import { checkHints, hintsStatus } from './hint-types.js'
import {
  causeStatus,
  checkPolicy,
  checkResult,
  counters,
  dispute,
  effectKind,
  forwarding,
  healthState,
  list,
  overrideSource,
  problem,
  realCounters,
  scheduleStats,
  strip,
  sysctlState,
  time,
} from './model-types.js'
import { endedWindow } from './windows-types.js'

export const alertDestinationStatus = z
  .object({
    receiver: z.string(),
    kind: z.enum(['webhook', 'alertmanager', 'command']),
    destination: z
      .string()
      .describe('The receiver; of an Alertmanager with scheme, host and port behind it.'),
    sent: z.number().describe('Messages that it accepted.'),
    failures: z.number().describe('Attempts that failed.'),
    lost: z.number().describe('Messages that were given up.'),
    waiting: z.number().describe('Messages that wait.'),
    isFailing: z.boolean().describe('True from a failed attempt until a message is accepted.'),
    lastSentAt: time().nullable(),
    lastError: z.string().nullable(),
  })
  .meta({
    id: 'AlertDestination',
    description: 'Where alerts go. The counters begin with the start of lvsd.',
  })

export const alertsStatus = z
  .object({
    firing: z.number().describe('Number of alerts that fire.'),
    destinations: list(alertDestinationStatus),
  })
  .meta({ id: 'Alerts' })

export const sourceStatus = z
  .object({
    address: z.string(),
    by: z
      .enum(['configuration', 'lvsd', 'kernel'])
      .describe(
        'Who has chosen it: the configuration; lvsd, because the kernel would choose `insteadOf`; the kernel, although it is a virtual address, because this machine has no other one.',
      ),
    insteadOf: z.string().nullable(),
  })
  .meta({ id: 'Source' })

export const checkStatus = z
  .object({
    name: z.string().describe('`web/[2001:db8::1]:80/http`, as in the log.'),
    kind: z.string(),
    target: z.string().describe('Address and port that are checked.'),
    through: z
      .string()
      .exactOptional()
      .describe(
        'With `path: service`, how the check reaches the target: the forwarding and the real server. Absent: directly.',
      ),
    state: healthState,
    streak: z.number().describe('Consecutive results that contradict the state.'),
    since: time('Time of the last change of state.'),
    policy: checkPolicy,
    last: checkResult.nullable().describe('The last verdict.'),
    lastAt: time().nullable().describe('Null before the first result.'),
    noVerdict: causeStatus
      .extend({ count: z.number() })
      .nullable()
      .describe('Set if several runs in a row had no verdict.'),
    source: sourceStatus
      .nullable()
      .describe('Its source address. Null: the kernel chooses, and chooses no virtual address.'),
    hints: checkHints
      .exactOptional()
      .describe('What brings it forward. Absent: it has no sentinel, and no hint came yet.'),
  })
  .meta({ id: 'CheckStatus' })

export const overrideStatus = z
  .object({
    effect: effectKind,
    weight: z.number().nullable().describe('Of the effect `weight`; null for others.'),
    source: overrideSource,
    who: z.string().describe('User, window or maintenance file that gave it; a file with its path.'),
    reason: z.string().describe('For people; may be empty.'),
    since: time(),
    until: time().nullable().describe('Null: no end.'),
    rampUntil: time()
      .nullable()
      .describe('When a drain that goes down in steps is at weight 0; null for others.'),
    folderTrouble: z
      .enum(FOLDER_TROUBLES)
      .optional()
      .describe(
        'Why the last known content of the maintenance folder counts; absent: the present content does, or it is no file.',
      ),
  })
  .meta({ id: 'Override' })

export const slowStartStatus = z
  .object({
    percent: z.number().describe('Current share of the weight.'),
    weight: z.number().describe('Weight at its end.'),
    since: time(),
    until: time(),
  })
  .meta({ id: 'SlowStart' })

export const dampingStatus = z
  .object({
    since: time(),
    until: time(),
    isSpared: z
      .boolean()
      .describe('True: not held down meanwhile, because no other server of the service would serve.'),
  })
  .meta({ id: 'Damping' })

const realFields = {
  name: z.string().describe('`[2001:db8::1]:80`, as in `lvsd status SERVICE REAL`.'),
  host: z.string(),
  address: z.string().nullable().describe('In use; null while the name does not resolve.'),
  nameTrouble: z
    .string()
    .nullable()
    .describe('Why its name has no address, or no longer has the address in use.'),
  port: z.number(),
  forwarding,
  state: healthState,
  since: time('Time of the last change of state.'),
  remembered: z
    .object({ state: healthState, since: time() })
    .nullable()
    .describe('The state before the restart of lvsd, while `state` is unknown.'),
  passing: z.number().describe('Number of checks that pass.'),
  need: z.number().describe('Number of checks that must pass.'),
  override: overrideStatus.nullable().describe('The one that is active.'),
  slowStart: slowStartStatus.nullable().describe('`weight.wanted` follows it.'),
  damping: dampingStatus.nullable(),
  down: z
    .object({
      action: z.enum(['held', 'quiesced', 'removed']).describe('held: a panic holds it with its weight.'),
      cause: z.enum(['dead', 'sick']).nullable().describe('By the rules of `on-down`.'),
      removedAt: time().nullable().describe('When a quiesced server is removed.'),
    })
    .nullable()
    .describe('What becomes of it while it is down.'),
  weight: z.object({
    configured: z.number(),
    wanted: z.number().nullable().describe('In the desired table; null: not in the table.'),
    kernel: z.number().nullable().describe('In the kernel when last read; null: not in the table.'),
  }),
  reason: z.string().describe('One sentence: why the server is not up, or the last result.'),
  checkReason: z
    .string()
    .describe('What the checks alone say: `reason` without overrides and without rules such as damping.'),
}

const realEnd = { counters: realCounters.nullable() }

export const realStatus = z
  .object({ ...realFields, checks: list(checkStatus), ...realEnd })
  .meta({ id: 'Real', description: 'A real server of a service.' })

export const realWithoutChecks = z.object({ ...realFields, ...realEnd })

export const totals = z
  .object({
    up: z.number(),
    down: z.number(),
    unknown: z.number().describe('Not judged yet.'),
    noVerdict: z.number().describe('Those with a check that has no verdict.'),
  })
  .meta({ id: 'Totals', description: 'Numbers of real servers.' })

export const addressConflict = z
  .object({
    address: z.string().describe('The virtual address.'),
    interface: z.string().describe('On whose network the machine answers.'),
    hardware: z.string().describe('Hardware address of the machine: `02:00:00:00:00:99`.'),
    server: z
      .string()
      .nullable()
      .describe('Address of the real server that it is. Null: it is none, or that is not known.'),
    since: time(),
    text: z.string().describe('For people: who answers, and what to do.'),
  })
  .meta({
    id: 'AddressConflict',
    description: 'Another machine answers ARP or neighbour solicitations for a virtual address.',
  })

export const multihomed = list(list(z.string()))
  .optional()
  .describe(
    'Real servers that are written with several addresses: the names that each has in `reals`. The commands and the page mean all of them by one; a request means the targets that it names. Absent: none.',
  )

const serviceFields = {
  name: z.string(),
  key: z
    .string()
    .nullable()
    .describe('`tcp [2001:db8::80]:80`, `fwmark 1 ipv6`; null while its name does not resolve.'),
  nameTrouble: z.string().nullable().describe('As of a real server.'),
  scheduler: z.string(),
  quiescent: z.boolean().describe('True if a server that is down can stay in the table at weight 0.'),
  onDown: z
    .object({
      dead: z.enum(['quiesce', 'remove']),
      sick: z.enum(['quiesce', 'remove']),
      after: z.number().nullable().describe('Milliseconds after which a quiesced server is removed.'),
    })
    .nullable()
    .describe('The rules of `on-down`; null: `quiescent` decides.'),
  inKernel: z.boolean(),
  state: healthState.describe('`up` while a real server keeps the fallback out.'),
  since: time().nullable().describe('Null while the state is unknown.'),
  panic: z
    .object({
      since: time(),
      until: time('The end at the latest.'),
      held: list(z.string()).describe('The real servers that are down and keep their weights.'),
    })
    .nullable()
    .describe('Set while the table stays as it was, because many real servers went down at once.'),
  conflicts: list(addressConflict)
    .exactOptional()
    .describe('Other machines that answer for its virtual addresses. Absent: none is known.'),
  endedWindows: list(endedWindow).describe(
    'Openings of maintenance windows that operators have ended early, while they would still be open.',
  ),
  totals,
  counters: counters.nullable().describe('Of all addresses together.'),
  multihomed,
}

const fallbackStatus = z
  .object({
    name: z.string(),
    host: z.string(),
    address: z.string().nullable(),
    port: z.number(),
    inUse: z.boolean(),
  })
  .nullable()

const serviceEnd = {
  fallback: fallbackStatus,
  addresses: list(
    z
      .object({
        key: z.string().describe('As `key` of the service.'),
        state: healthState.describe('`up` while a real server keeps the fallback of this address out.'),
        inKernel: z.boolean(),
        counters: counters.nullable(),
        fallback: fallbackStatus,
      })
      .meta({ id: 'ServiceAddress', description: 'A service of the kernel.' }),
  )
    .optional()
    .describe('Only if the service has several: each of them, the first one first.'),
}

export const serviceStatus = z
  .object({ ...serviceFields, reals: list(realStatus), ...serviceEnd })
  .meta({ id: 'Service', description: 'A virtual service with its real servers.' })

export const serviceWithoutReals = z.object({ ...serviceFields, ...serviceEnd })

const listedCounters = realCounters
  .pick({ connections: true, connectionRate: true, active: true, inactive: true, persistent: true })
  .meta({ id: 'ListedCounters', description: 'The counters of a real server that a list of many has.' })

/** A real server in a list of many: its checks are one strip. */
export const listedReal = realWithoutChecks
  .extend({
    strip: strip.describe('The last 100 verdicts of the check that failed last, else of its first check.'),
    counters: listedCounters.nullable(),
  })
  .meta({ id: 'ListedReal' })

export const serviceListing = z
  .object({
    ...serviceFields,
    ...serviceEnd,
    version: z.string().describe('For `after` in the next request.'),
    isWhole: z
      .boolean()
      .describe('True: `reals` has all real servers. False: what is new since the version `after`.'),
    reals: list(listedReal).describe('In the order of the configuration.'),
    changedCounters: list(
      z
        .object({ name: z.string(), counters: listedCounters.nullable() })
        .meta({ id: 'ChangedCounters', description: 'The counters of a real server.' }),
    ).describe('Of those of which nothing else is new.'),
  })
  .meta({ id: 'ServiceListing', description: 'A service with its real servers, without their checks.' })

export const reloadOutcome = z
  .object({
    ok: z.boolean(),
    at: time(),
    message: z.string(),
    problems: list(problem),
    isStart: z
      .literal(true)
      .optional()
      .describe('Set if it was no reload, but the start, with a file that could not run.'),
  })
  .meta({ id: 'ReloadOutcome' })

export const statusDocument = z
  .object({
    schema: z.number().describe('Increases when a field changes its meaning or is removed.'),
    version: z.string(),
    pid: z.number(),
    now: time('When the document was built, by the clock of lvsd.'),
    startedAt: time(),
    kernel: z.enum(['netlink', 'memory']),
    config: z.object({
      file: z.string().describe('Its full path.'),
      loadedAt: time(),
      warnings: list(problem),
      keptSince: time()
        .nullable()
        .describe('Set if the file could not run at the start: what was accepted then runs instead.'),
      fromNextStart: list(z.string()).describe(
        'Settings that a reload has changed and that are read at the start only: they count from the next start of lvsd.',
      ),
      unkept: z
        .object({ folder: z.string().describe('The state folder.'), error: z.string() })
        .optional()
        .describe(
          'Set while the active configuration cannot be stored in the state folder: a start with a broken file would fail.',
        ),
      waits: z
        .object({
          files: z.string().describe('The changed files, for people.'),
          until: time('When it is applied, if there is no further change.'),
        })
        .optional()
        .describe(
          'Set while a changed configuration waits: it has fewer real servers or lines, and may be incomplete.',
        ),
    }),
    lastReload: reloadOutcome.nullable(),
    reconcile: z.object({
      lastResync: time().nullable(),
      countersAt: time().nullable().describe('Null: the counters cannot be read.'),
      readEvery: z
        .number()
        .nullable()
        .describe(
          'Milliseconds between two readings of the whole table: with resync: auto, what follows from their cost.',
        ),
      servicesEvery: z
        .number()
        .nullable()
        .describe(
          'Milliseconds between two readings of the services, with or without their real servers: with resync: auto less than readEvery where a reading of the whole table costs much.',
        ),
      readCost: z
        .number()
        .nullable()
        .describe(
          'What a reading of the whole table costs, in milliseconds of one processor. Null: not measured.',
        ),
      changesApplied: z.number(),
      driftRepaired: z.number(),
      disputes: list(dispute).describe('Services that another program changes repeatedly.'),
      errors: list(z.string()).describe('Refusals by the kernel that have not been resolved.'),
    }),
    schedule: scheduleStats,
    hints: hintsStatus,
    alerts: alertsStatus.nullable().describe('Null without receivers of alerts.'),
    sysctls: list(sysctlState).describe('Those that the configuration declares.'),
    isolation: causeStatus
      .nullable()
      .describe('Set while lvsd itself cannot reach any server: failed checks do not count.'),
    cluster: clusterStatus.nullable().describe('Null: this director serves alone.'),
    totals,
    services: list(serviceStatus),
  })
  .meta({ id: 'Status', description: 'The state of everything.' })

export type CheckStatus = Readonly<z.output<typeof checkStatus>>
export type OverrideStatus = Readonly<z.output<typeof overrideStatus>>
export type SlowStartStatus = Readonly<z.output<typeof slowStartStatus>>
export type DampingStatus = Readonly<z.output<typeof dampingStatus>>
export type RealStatus = Readonly<z.output<typeof realStatus>>
export type Totals = Readonly<z.output<typeof totals>>
export type ListedReal = Readonly<z.output<typeof listedReal>>
export type ServiceListing = Readonly<z.output<typeof serviceListing>>
/** A whole one, before anybody asks what is new. */
export type Listing = Omit<ServiceListing, 'version' | 'isWhole' | 'changedCounters'>
export type AddressConflict = Readonly<z.output<typeof addressConflict>>
export type ServiceStatus = Readonly<z.output<typeof serviceStatus>>
export type StatusDocument = Readonly<z.output<typeof statusDocument>>
export type ReloadOutcome = Readonly<z.output<typeof reloadOutcome>>
export type AlertDestinationStatus = Readonly<z.output<typeof alertDestinationStatus>>
export type AlertsStatus = Readonly<z.output<typeof alertsStatus>>
export type SourceStatus = Readonly<z.output<typeof sourceStatus>>
