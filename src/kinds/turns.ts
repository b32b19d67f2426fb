/** Limits concurrency. Work that takes longer than `TURN` no longer counts against the limit. */
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds. */
const TURN = 500

/** Calls `work` for each item, `atOnce` at a time. The results are in the order of the items. */
export async function inTurns<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const turns = new Set<Promise<unknown>>()
  const results: Promise<R>[] = []
  for (const item of items) {
    while (turns.size >= atOnce) await Promise.race(turns)
    const result = work(item)
    results.push(result)
    const over = new AbortController()
    const time = delay(TURN, null, { signal: over.signal }).catch(() => {})
    const turn: Promise<unknown> = Promise.race([result, time]).then(() => {
      over.abort()
      turns.delete(turn)
    })
    turns.add(turn)
  }
  return Promise.all(results)
}
