/**
 * What is told of a Redis that is lost and comes back. One that does so again and again is told as unsteady, once, and
 * then in figures, until it has stayed. Pure.
 *
 *   state     event                                                    tells     next
 *   steady    lost                                                     away      lost
 *   steady    lost, the LOSSES-th time within WINDOW for this reason   unsteady  unsteady
 *   lost      there                                                    back      steady
 *   unsteady  lost, there                                              nothing   unsteady
 *   unsteady  TELL_EVERY has passed                                    unsteady  unsteady
 *   unsteady  it has been there for STAYS                              back      steady
 *   unsteady  it has been lost for STAYS                               away      lost
 */
import type { RedisReason } from './redis-fault.js'

export interface Steadiness {
  readonly state: 'steady' | 'lost' | 'unsteady'
  readonly isThere: boolean
  /** Since when `isThere` is so. */
  readonly since: number
  /** The losses within WINDOW, from the oldest. */
  readonly losses: readonly Loss[]
  /** When it was told last that it is unsteady. */
  readonly toldAt: number
  /** Losses since then. */
  readonly count: number
}

interface Loss {
  readonly at: number
  readonly reason: RedisReason
}

/** Milliseconds. */
export const WINDOW = 300_000
export const STAYS = 60_000
export const TELL_EVERY = 600_000
export const LOSSES = 3

export type SteadinessEvent =
  | { readonly kind: 'lost'; readonly reason: RedisReason }
  | { readonly kind: 'there' }
  | { readonly kind: 'time' }

/** So many losses within these milliseconds. */
export interface Unsteady {
  readonly losses: number
  readonly within: number
}

export interface SteadinessStep {
  readonly next: Steadiness
  readonly tells: 'away' | 'back' | Unsteady | null
  /** Milliseconds after which the event `time` is due; null: never. */
  readonly wakeAfter: number | null
}

export const STEADY: Steadiness = {
  state: 'steady',
  isThere: true,
  since: 0,
  losses: [],
  toldAt: 0,
  count: 0,
}

/** `now`: milliseconds of a steady clock. An event that changes nothing is as `time`. */
export function steadinessAfter(held: Steadiness, event: SteadinessEvent, now: number): SteadinessStep {
  const seen = withEvent(held, event, now)
  const { next, tells } = toldOf(seen, event.kind === 'lost' && seen !== held ? event.reason : null, now)
  return { next, tells, wakeAfter: wakeAfter(next, now) }
}

function withEvent(held: Steadiness, event: SteadinessEvent, now: number): Steadiness {
  if (event.kind === 'time' || held.isThere === (event.kind === 'there')) return held
  if (event.kind === 'there') return { ...held, isThere: true, since: now }
  const recent = held.losses.filter(({ at }) => at > now - WINDOW)
  const losses = [...recent, { at: now, reason: event.reason }]
  return { ...held, isThere: false, since: now, losses, count: held.count + 1 }
}

function toldOf(
  seen: Steadiness,
  reason: RedisReason | null,
  now: number,
): Pick<SteadinessStep, 'next' | 'tells'> {
  const { state, isThere, since, losses, toldAt } = seen
  if (state === 'steady') {
    if (isThere) return { next: seen, tells: null }
    if (losses.filter(loss => loss.reason === reason).length < LOSSES)
      return { next: { ...seen, state: 'lost' }, tells: 'away' }
    const next: Steadiness = { ...seen, state: 'unsteady', toldAt: now, count: 0 }
    return { next, tells: { losses: losses.length, within: WINDOW } }
  }
  if (state === 'lost')
    return isThere ? { next: { ...seen, state: 'steady' }, tells: 'back' } : { next: seen, tells: null }
  if (now - since >= STAYS)
    return { next: { ...seen, state: isThere ? 'steady' : 'lost' }, tells: isThere ? 'back' : 'away' }
  if (now - toldAt >= TELL_EVERY)
    return { next: { ...seen, toldAt: now, count: 0 }, tells: { losses: seen.count, within: now - toldAt } }
  return { next: seen, tells: null }
}

function wakeAfter({ state, since, toldAt }: Steadiness, now: number): number | null {
  return state === 'unsteady' ? Math.max(0, Math.min(since + STAYS, toldAt + TELL_EVERY) - now) : null
}
