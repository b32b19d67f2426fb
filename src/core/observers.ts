/**
 * Which directors of a site ask which question, and when. Each director computes the same from the same directors,
 * without a word between them (rendezvous hashing): a director that comes or goes moves only its own share. Pure.
 */

/** A text as a number, computed once: `observersOf` is asked for each question at each change of directors. */
export interface Hashed {
  readonly id: string
  readonly hash: number
}

export function hashed(id: string): Hashed {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return { id, hash: mixed(hash) }
}

/** Returns the `k` directors that ask the question, the first rank first; all if there are fewer. */
export function observersOf(question: Hashed, candidates: readonly Hashed[], k: number): readonly Hashed[] {
  const best: { readonly candidate: Hashed; readonly score: number }[] = []
  for (const candidate of candidates) {
    const score = mixed(question.hash ^ Math.imul(candidate.hash, 0x9e3779b1))
    let at = best.length
    while (at > 0 && comesBefore(score, candidate, best[at - 1])) at--
    if (at >= k) continue
    best.splice(at, 0, { candidate, score })
    if (best.length > k) best.pop()
  }
  return best.map(({ candidate }) => candidate)
}

function comesBefore(
  score: number,
  { id }: Hashed,
  other: { readonly candidate: Hashed; readonly score: number } | undefined,
): boolean {
  if (!other) return false
  return score === other.score ? id < other.candidate.id : score > other.score
}

/**
 * Returns when the observer of this rank asks, in milliseconds after a multiple of the interval on the clock that all
 * directors share: the questions are spread over the interval, and so are the observers of each.
 */
export function phaseOf(question: Hashed, rank: number, observers: number, interval: number): number {
  const slot = (mixed(question.hash ^ 0x5bd1e995) / 2 ** 32) * interval
  return (slot + (rank * interval) / Math.max(1, observers)) % interval
}

/** The finalizer of MurmurHash3: each bit of the input changes half of the bits of the result. */
function mixed(value: number): number {
  let hash = value ^ (value >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
