/**
 * Hints: signs that a server may have changed, which bring its check forward. A hint never decides: only the check that
 * follows takes a server out, or puts it in. Pure.
 */
import type { CheckResult } from './model.js'

export const HINT_KINDS = [
  'sentinel',
  'knock',
  'icmp',
  'neighbour',
  'link',
  'route',
  'address',
  'half-open',
  'refused',
] as const

/**
 * What has given a hint: the idle connection to the server, a bare connect to a server that refused, an ICMP error on
 * a connection, a neighbour of this machine, an interface, a route, an address of this machine, or clients' connections
 * that the server does not answer, or refuses.
 */
export type HintKind = (typeof HINT_KINDS)[number]

export interface Hint {
  readonly kind: HintKind
  /** Why the check is brought forward, as words for people. */
  readonly detail: string
  /** True if clients get no answer from the server at present, so that its check may fail early (core/early-timeout.ts). */
  readonly isStrong?: true
  /** True if the server can be reached again: a check that still waits for its connection is started anew. */
  readonly isRecovery?: true
  /** True if the sign may come of too many connections in a short time: one check is brought forward, and none follows it. */
  readonly isSingle?: true
}

// ---------------------------------------------------------------- the budget

/** Checks that hints may bring forward, per second and in a row, for the whole director. */
export const BROUGHT_FORWARD = { perSecond: 100, burst: 100 } as const
/** New connections of sentinels: with many servers, most are opened in the first seconds. */
export const OPENED = { perSecond: 500, burst: 100 } as const

export interface Rate {
  readonly perSecond: number
  /** Maximum in a row. */
  readonly burst: number
}

/** What is left of a rate at a time, in milliseconds of any clock. */
export interface Budget {
  readonly left: number
  readonly at: number
}

export function fullBudget({ burst }: Rate, now: number): Budget {
  return { left: burst, at: now }
}

/** Returns the budget after one more use; null: nothing is left. */
export function spend(budget: Budget, rate: Rate, now: number): Budget | null {
  const left = leftAt(budget, rate, now)
  return left < 1 ? null : { left: left - 1, at: now }
}

/** Milliseconds until one more use is possible. */
export function untilNext(budget: Budget, rate: Rate, now: number): number {
  return (Math.max(0, 1 - leftAt(budget, rate, now)) * 1000) / rate.perSecond
}

function leftAt({ left, at }: Budget, { perSecond, burst }: Rate, now: number): number {
  return Math.min(burst, left + (Math.max(0, now - at) * perSecond) / 1000)
}

// ---------------------------------------------------------------- what follows a check that fails

/** Milliseconds between the checks that follow a hint until `fall` is reached. */
export const FOLLOW_UP = 20
/** Maximum number of such checks after one hint. Later ones come at `fastinter`. */
const MOST_FOLLOW_UPS = 10
/** What a server answers at once that does not serve, and what takes no waiting. A timeout has taken its time already. */
const QUICK: ReadonlySet<string | null> = new Set(['refused', 'reset', 'closed', 'unreachable'])

/**
 * True if the next check follows a failed one at once, because a hint preceded it. `fall` counts as without hints; its
 * failures are closer together. `before`: number of checks that have followed already. After a strong hint a silent
 * server is asked again at once too, since its check fails early.
 */
export function isFollowed(
  { ok, reason }: Pick<CheckResult, 'ok' | 'reason'>,
  before: number,
  hint: Pick<Hint, 'isStrong' | 'isSingle'> = {},
): boolean {
  if (hint.isSingle) return false
  const isQuick = QUICK.has(reason) || (hint.isStrong === true && reason === 'timeout')
  return ok === false && isQuick && before < MOST_FOLLOW_UPS
}

/**
 * True if the check of a server that is said to be back is repeated, once: it may have waited for a neighbour for which the kernel had
 * asked in vain before, and gave up. The next one makes the kernel ask anew.
 */
export function isRepeated({ ok, reason }: Pick<CheckResult, 'ok' | 'reason'>): boolean {
  return ok === false && reason === 'unreachable'
}

/** True if the server refuses connections. */
export function isRefusal({ ok, reason, phase }: Pick<CheckResult, 'ok' | 'reason' | 'phase'>): boolean {
  return ok === false && reason === 'refused' && (phase === 'connect' || phase === null)
}

/** True if no connection to the server can be made, so that a bare connect shows when one can be made again. */
export function isUnconnected({ ok, reason, phase }: Pick<CheckResult, 'ok' | 'reason' | 'phase'>): boolean {
  if (ok !== false) return false
  // A timeout without a phase may be that of the answer.
  if (reason === 'timeout') return phase === 'connect'
  return (reason === 'refused' || reason === 'unreachable') && (phase === 'connect' || phase === null)
}

// ---------------------------------------------------------------- servers that close idle connections

/** Number of ages that are kept: those at which a server that lives has closed idle connections. */
const KEPT_AGES = 4
/** How far apart two ages may be to count as equal: a share, and at least these milliseconds. */
const TOLERANCE = 0.05
const MIN_TOLERANCE = 250

/** Returns the ages in milliseconds with one more, the newest last. */
export function withAge(ages: readonly number[], age: number): readonly number[] {
  return [...ages, age].slice(-KEPT_AGES)
}

/**
 * Returns the age at which the server closes idle connections by itself, in milliseconds; null while no two of the ages
 * are alike. It is the mean of the two that are closest.
 */
export function idleLimitOf(ages: readonly number[]): number | null {
  const sorted = [...ages].sort((a, b) => a - b)
  let best: number | null = null
  let gap = Number.POSITIVE_INFINITY
  sorted.slice(1).forEach((age, i) => {
    const before = sorted[i] as number
    if (age - before >= gap || age - before > toleranceOf(age)) return
    best = (before + age) / 2
    gap = age - before
  })
  return best
}

/** True if a connection of this age is closed as always, which is no sign of a change. */
export function isIdleClose(limit: number | null, age: number): boolean {
  return limit !== null && Math.abs(age - limit) <= toleranceOf(limit)
}

function toleranceOf(age: number): number {
  return Math.max(MIN_TOLERANCE, age * TOLERANCE)
}

/**
 * Milliseconds without a sentinel after a check has timed out while it was open: a server that serves one connection at a time may
 * have waited for the idle one. `served`: a check has passed beside that connection, so a silent server is more likely.
 */
export const REST = { served: 5000, first: 60_000, most: 3_600_000 } as const
/** After sentinels that were open for this many times the last rest, and beside which a check has passed, it begins anew. */
const FORGOTTEN_AFTER = 10

/**
 * Returns the milliseconds until the next sentinel. `last`: the rest before; 0: there was none. `servedFor`: milliseconds since then
 * for which connections were open beside which a check has passed: several, where the server closes idle ones. Each rest is
 * twice as long as the one before, until the server has long served others beside them.
 */
export function restAfter(last: number, servedFor: number): number {
  const hasServed = servedFor > 0
  const first = hasServed ? REST.served : REST.first
  if (hasServed && servedFor >= FORGOTTEN_AFTER * last) return first
  return Math.min(Math.max(first, 2 * last), REST.most)
}

// ---------------------------------------------------------------- knocking

/** Milliseconds between two bare connects to the same server that refuses. */
export const KNOCK_EVERY = 200
/** Maximum of bare connects per second for the whole director. */
export const KNOCKS_PER_SECOND = 50

/** Returns the milliseconds between two bare connects, each to the next server in turn. */
export function knockDistance(servers: number): number {
  return Math.max(1000 / KNOCKS_PER_SECOND, KNOCK_EVERY / Math.max(1, servers))
}
