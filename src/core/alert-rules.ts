/**
 * Which events begin and end alerts. An alert has the name of the event that begins it. Pure.
 *
 *   alert      event                          becomes
 *   none       begins it                      firing, since the time of the event
 *   firing     begins it again                firing, since the same time; not told again
 *   firing     ends it                        resolved
 *   none       ends it                        none
 *   firing     a later process of lvsd starts firing; resolved if nothing begins it again within `settles`
 *   firing     its service, or its server, is resolved
 *              no longer configured
 */
import type { LogEvent } from './log-events.js'

export const SEVERITIES = ['warning', 'critical'] as const

export type Severity = (typeof SEVERITIES)[number]

export interface AlertRule {
  readonly severity: Severity
  /** The events that end it. */
  readonly endedBy: readonly LogEvent[]
  /** Fields of the event that tell two alerts of this name apart. */
  readonly of: readonly ('service' | 'real' | 'file' | 'director' | 'address')[]
  /**
   * Milliseconds after a start of lvsd after which an alert of an earlier process is resolved, unless it begins again;
   * null: its first result, or the end of what a restart restores, ends it.
   */
  readonly settles: number | null
  /** All directors of a site meet it, so that one of them tells it. */
  readonly isOfSite?: boolean
  readonly about: string
}

/** Milliseconds in which a new process finds out whether the cause of an alert still exists. */
const SETTLES = 60_000

export const ALERT_RULES = {
  'real.down': {
    severity: 'warning',
    endedBy: ['real.up'],
    of: ['service', 'real'],
    settles: null,
    isOfSite: true,
    about: 'A real server is down by its checks. Not while an override takes it out of service.',
  },
  'real.damped': {
    severity: 'warning',
    endedBy: ['real.released'],
    of: ['service', 'real'],
    settles: null,
    isOfSite: true,
    about: 'A real server flaps, and damping holds it down.',
  },
  'service.fallback-in': {
    severity: 'critical',
    endedBy: ['service.fallback-out', 'service.served', 'service.refused'],
    of: ['service'],
    settles: null,
    isOfSite: true,
    about: 'A service has no available real server: clients get the fallback.',
  },
  'service.refused': {
    severity: 'critical',
    endedBy: ['service.fallback-out', 'service.served', 'service.fallback-in'],
    of: ['service'],
    settles: null,
    isOfSite: true,
    about: 'A service has no available real server and no fallback: clients are refused.',
  },
  'service.panic': {
    severity: 'critical',
    endedBy: ['service.panic-over'],
    of: ['service'],
    settles: null,
    isOfSite: true,
    about: 'Many real servers of a service went down at once: they keep their weights.',
  },
  'address.conflict': {
    severity: 'warning',
    endedBy: ['address.conflict-over'],
    of: ['address'],
    settles: SETTLES,
    about: 'Another machine answers ARP or neighbour solicitations for a virtual address of this director.',
  },
  'director.isolated': {
    severity: 'critical',
    endedBy: ['director.connected'],
    of: [],
    settles: SETTLES,
    about: 'lvsd itself cannot reach any server.',
  },
  'director.connectivity-lost': {
    severity: 'critical',
    endedBy: ['director.connectivity-restored'],
    of: [],
    settles: SETTLES,
    about: 'This director has lost its network: its table stays.',
  },
  'trackfile.failed': {
    severity: 'warning',
    endedBy: ['trackfile.works'],
    of: ['file'],
    settles: SETTLES,
    about: 'keepalived is not told whether this director has its network.',
  },
  'role.unknown': {
    severity: 'critical',
    endedBy: ['role.known'],
    of: [],
    settles: SETTLES,
    about: 'The source of the role of this director cannot be read.',
  },
  'redis.away': {
    severity: 'warning',
    endedBy: ['redis.back', 'redis.connected'],
    of: [],
    settles: SETTLES,
    about: 'The Redis of the site cannot be used, or a part of it.',
  },
  'redis.unsteady': {
    severity: 'warning',
    endedBy: ['redis.back', 'redis.connected', 'redis.away'],
    of: [],
    settles: SETTLES,
    about: 'The Redis of the site comes and goes.',
  },
  'cluster.member-left': {
    severity: 'warning',
    endedBy: ['cluster.member-joined'],
    of: ['director'],
    settles: SETTLES,
    isOfSite: true,
    about: 'Another director of the site has no heartbeat any more.',
  },
  'cluster.member-differs': {
    severity: 'warning',
    endedBy: ['cluster.member-agrees', 'cluster.member-left'],
    of: ['director'],
    settles: SETTLES,
    isOfSite: true,
    about:
      'Another director of the site has other services in its configuration, or other check files for them.',
  },
  'cluster.none-active': {
    severity: 'critical',
    endedBy: ['cluster.one-active', 'cluster.several-active'],
    of: [],
    settles: SETTLES,
    isOfSite: true,
    about: 'No director of the site is active: clients may reach none.',
  },
  'cluster.several-active': {
    severity: 'critical',
    endedBy: ['cluster.one-active', 'cluster.none-active'],
    of: [],
    settles: SETTLES,
    isOfSite: true,
    about: 'Several directors of the site are active at once.',
  },
  'cluster.view-differs': {
    severity: 'warning',
    endedBy: ['cluster.view-agrees'],
    of: ['director'],
    settles: SETTLES,
    isOfSite: true,
    about: 'With observers: a director finds other servers down than all other directors do.',
  },
  'table.dispute': {
    severity: 'warning',
    endedBy: ['table.dispute-over'],
    of: ['service'],
    settles: SETTLES,
    about: 'Another program keeps changing a service in the kernel.',
  },
  'kernel.refused': {
    severity: 'critical',
    endedBy: ['kernel.accepts'],
    of: [],
    settles: SETTLES,
    about: 'The kernel refuses a change.',
  },
  'reload.refused': {
    severity: 'warning',
    endedBy: ['reload.accepted'],
    of: [],
    settles: SETTLES,
    about: 'A reload was refused: the previous configuration stays active.',
  },
  'config.refused': {
    severity: 'warning',
    endedBy: ['reload.accepted'],
    of: [],
    settles: SETTLES,
    about: 'lvsd started with the last accepted configuration, because the file is invalid.',
  },
  'state.failed': {
    severity: 'warning',
    endedBy: ['state.works'],
    of: ['file'],
    settles: SETTLES,
    about: 'A file of the state folder cannot be written.',
  },
  'journal.failed': {
    severity: 'warning',
    endedBy: ['journal.works'],
    of: [],
    settles: SETTLES,
    about: 'The journal of lvsd cannot be written.',
  },
} as const satisfies { readonly [Event in LogEvent]?: AlertRule }

export type AlertName = keyof typeof ALERT_RULES

export const ALERT_NAMES = Object.keys(ALERT_RULES) as readonly AlertName[]

/** The name of the alerts of `lvsd alert test`. No event has it. */
export const TEST_ALERT = 'alert.test'

export function ruleOf(name: string): AlertRule | null {
  return Object.hasOwn(ALERT_RULES, name) ? ALERT_RULES[name as AlertName] : null
}

const endings = new Map<string, AlertName[]>()
for (const name of ALERT_NAMES)
  for (const event of ALERT_RULES[name].endedBy) endings.set(event, [...(endings.get(event) ?? []), name])

/** The alerts that an event of this name ends. */
export function alertsEndedBy(event: string): readonly AlertName[] {
  return endings.get(event) ?? []
}

/** Fields of an event, as its log line has them. */
export type EventFields = Readonly<Record<string, unknown>>

/** Identifies an alert among all that fire: its name and what it is about. */
export function keyOfAlert(name: AlertName, fields: EventFields): string {
  return JSON.stringify([name, ...ALERT_RULES[name].of.map(field => fields[field] ?? null)])
}

/** Returns what the event says, with the name of its subject: one line for people. */
export function summaryOf(event: EventFields): string {
  const { service, real, msg, reason, detail, file, error, redis } = event
  const subject = real === undefined ? '' : `${service} ${real}: `
  const why = [reason, detail].filter(part => typeof part === 'string' && part !== '' && part !== 'passed')
  const causes = typeof error === 'string' ? [...why, error] : why
  if (typeof redis === 'string') return `${msg} (${redis})${typeof detail === 'string' ? `: ${detail}` : ''}`
  const isSaid = typeof msg === 'string' && msg.includes(String(detail))
  const told = isSaid ? causes.filter(part => part !== detail) : causes
  const cause = real === undefined && file === undefined ? [] : told
  return `${subject}${msg}${cause.length > 0 ? `: ${cause.join(': ')}` : ''}`
}
