/** The nearest right word for a wrong one. */

/** Shorter words stand in too many others to say which was meant. */
const LONG_ENOUGH = 4

/**
 * The candidate with the fewest edits, of several the one that begins alike: slips seldom hit the first letter. Else the
 * only one that has the word in it, as checkcommand has command. Null where none is near enough to be what was meant.
 */
export function closestMatch(word: string, candidates: Iterable<string>): string | null {
  const wanted = word.toLowerCase()
  let best: { candidate: string; rank: number } | null = null
  const holders: string[] = []
  for (const candidate of candidates) {
    const known = candidate.toLowerCase()
    const edits = distance(wanted, known)
    const rank = edits + (known[0] === wanted[0] ? 0 : 0.5)
    if (edits <= allowed(wanted, candidate) && (!best || rank < best.rank)) best = { candidate, rank }
    if (wanted.length >= LONG_ENOUGH && known.includes(wanted)) holders.push(candidate)
  }
  return best?.candidate ?? (holders.length === 1 ? (holders[0] ?? null) : null)
}

/** `; did you mean "receive"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = closestMatch(word, candidates)
  return near === null ? '' : `; did you mean "${near}"?`
}

/** One slip in three letters, and at most three. */
function allowed(word: string, candidate: string): number {
  return Math.min(3, Math.ceil(Math.min(word.length, candidate.length) / 3))
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3 || a.length > 60) return Number.POSITIVE_INFINITY
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, substitution)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) row[j] = Math.min(row[j] ?? 0, at(i - 2, j - 2) + 1)
    }
  }
  return at(a.length, b.length)
}
