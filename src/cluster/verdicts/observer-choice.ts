/** When this director asks a question, and which observers of it have yet to say something. Pure. */
import { hashed, phaseOf } from '../../core/observers.js'
import type { SharedQuestion } from './verdict-types.js'

/** An observer that is gone is remembered as awaited for this many times of a question without a result. */
const COMES_AND_GOES = 3
export const NOBODY: ReadonlyMap<string, number> = new Map()

/**
 * Returns when the director asks, in milliseconds after a multiple of the interval; null: it does not. `isAnswered`: others
 * say something of it.
 */
export function phaseFor(item: SharedQuestion, director: string, isAnswered: boolean): number | null {
  const { key, interval } = item.question
  const rank = item.observers.findIndex(({ id }) => id === director)
  if (rank >= 0) return phaseOf(item.hashed, rank, item.observers.length, interval)
  if (isAnswered && !item.isOwn && !item.isWanted) return null
  return phaseOf(hashed(`${key} ${director}`), 0, 1, interval)
}

/**
 * Returns the observers that have said nothing yet, and since when each is awaited. One that comes and goes is not awaited
 * anew each time: it would keep all others from deciding. `patience`: milliseconds for which one is awaited.
 */
export function awaitedOf(
  item: SharedQuestion,
  voters: ReadonlySet<string>,
  { now, patience }: { readonly now: number; readonly patience: number },
): ReadonlyMap<string, number> {
  const silent = item.observers.filter(({ id }) => !voters.has(id))
  if (silent.length + item.awaited.size === 0) return NOBODY
  const oldest = now - COMES_AND_GOES * patience
  const before = [...item.awaited].filter(([id, since]) => since > oldest && !voters.has(id))
  return new Map([...silent.map(({ id }) => [id, now] as const), ...before])
}
