/**
 * The directors of a site, from what Redis has of them: each writes a heartbeat that expires, so that a director that
 * ends is missing in the next reading. No clock of another director counts. Pure.
 *
 *   known            reading                     becomes           told
 *   unknown          has it                      living            joined, unless it is the first reading
 *   living           has it                      living
 *   living           misses it                   gone              left
 *   living           misses it, Redis is fresh   living, not seen
 *   living, not seen misses it after the grace   gone              left
 *   living           other configuration         differs from now
 *   differs from now still, after DIFFERS_AFTER  differs           differs
 *   differs          same configuration          living            agrees
 *
 * Redis is fresh for the time of the grace after it was away or has lost its data: the others have not come back yet. A
 * director whose heartbeat is longer than that of this one has more time by two of the difference.
 */
import { REDIS_SCHEMA } from './redis-keys.js'
import type { Role } from './role.js'

/** What a director writes about itself. */
export interface Member {
  /** Survives a restart. */
  readonly id: string
  /** Names this process. */
  readonly instance: string
  readonly host: string
  readonly version: string
  /** Hash of the services of its configuration. */
  readonly config: string
  readonly role: Role
  /** Milliseconds since its start. */
  readonly uptime: number
  /** Milliseconds between its heartbeats; null: an lvsd that does not say it. */
  readonly heartbeat: number | null
}

/** Milliseconds between two heartbeats, at least and at most. */
export const SHORTEST_HEARTBEAT = 200
export const LONGEST_HEARTBEAT = 60_000

/** Returns the heartbeat that another director says it has; null: it says none that may be. */
export function heartbeatOf(value: unknown): number | null {
  const may = typeof value === 'number' && value >= SHORTEST_HEARTBEAT && value <= LONGEST_HEARTBEAT
  return may ? value : null
}

export interface KnownMember {
  readonly member: Member
  /** Milliseconds of the steady clock of this director. */
  readonly since: number
  readonly seenAt: number
  /** Since when it has had another configuration; null: it has the same. */
  readonly differsSince: number | null
  readonly isDifferenceTold: boolean
}

export type KnownMembers = ReadonlyMap<string, KnownMember>

export interface MemberEvent {
  readonly kind: 'joined' | 'left' | 'differs' | 'agrees'
  readonly member: Member
}

export interface Reading {
  /** Milliseconds of the steady clock. */
  readonly now: number
  /** Hash of the services of this director. */
  readonly config: string
  /** The other directors that Redis has. */
  readonly members: readonly Member[]
  /** The first since lvsd has started. */
  readonly isFirst: boolean
  /** Until this time a director with the same heartbeat that is missing is not gone. */
  readonly graceUntil: number
  /** Milliseconds between two heartbeats of this director. */
  readonly heartbeat: number
}

/** Milliseconds: two directors get a new configuration one after the other. */
export const DIFFERS_AFTER = 10_000

/** Returns the directors after a reading, and what is to be told. */
export function nextMembers(
  known: KnownMembers,
  reading: Reading,
): { readonly members: KnownMembers; readonly events: readonly MemberEvent[] } {
  const members = new Map<string, KnownMember>()
  const events: MemberEvent[] = []
  for (const member of reading.members) {
    const next = seen(known.get(member.id), member, reading, events)
    members.set(member.id, next)
  }
  for (const [id, missing] of known) {
    if (members.has(id)) continue
    if (reading.now < graceOf(missing.member, reading)) members.set(id, missing)
    else events.push({ kind: 'left', member: missing.member })
  }
  return { members, events }
}

function graceOf({ heartbeat }: Member, reading: Reading): number {
  return reading.graceUntil + 2 * Math.max(0, (heartbeat ?? 0) - reading.heartbeat)
}

function seen(
  before: KnownMember | undefined,
  member: Member,
  { now, config, isFirst }: Reading,
  events: MemberEvent[],
): KnownMember {
  if (!before && !isFirst) events.push({ kind: 'joined', member })
  const isSame = member.config === config
  const differsSince = isSame ? null : (before?.differsSince ?? now)
  const wasTold = before?.isDifferenceTold ?? false
  const isTold = differsSince !== null && (wasTold || now - differsSince >= DIFFERS_AFTER)
  if (isTold && !wasTold) events.push({ kind: 'differs', member })
  if (wasTold && !isTold) events.push({ kind: 'agrees', member })
  return { member, since: before?.since ?? now, seenAt: now, differsSince, isDifferenceTold: isTold }
}

/** Returns the names whose hashes differ, or which only one of the two configurations has; sorted. */
export function differingParts(
  own: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): readonly string[] {
  const names = new Set([...Object.keys(own), ...Object.keys(other)])
  return [...names].filter(name => own[name] !== other[name]).sort()
}

/**
 * Reads a heartbeat; null: it is none. One of a newer schema may say less, or something else: its director lives all the
 * same, so what cannot be read is empty, and the role standby.
 */
export function memberOf(text: string): Member | null {
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    const { id, uptime, role, schema } = value
    const isNewer = typeof schema === 'number' && schema > REDIS_SCHEMA
    if (!isWord(id)) return null
    const [instance, host, version, config] = ['instance', 'host', 'version', 'config'].map(name =>
      isWord(value[name]) ? value[name] : null,
    )
    const isRole = role === 'active' || role === 'standby'
    const isTime = typeof uptime === 'number' && Number.isFinite(uptime)
    const heartbeat = heartbeatOf(value.heartbeat)
    if (instance && host && version && config && isRole && isTime)
      return { id, instance, host, version, config, role, uptime, heartbeat }
    if (!isNewer) return null
    return {
      id,
      instance: instance ?? '',
      host: host ?? id,
      version: version ?? '',
      config: config ?? '',
      role: isRole ? role : 'standby',
      uptime: isTime ? uptime : 0,
      heartbeat,
    }
  } catch {
    return null
  }
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 256
}
