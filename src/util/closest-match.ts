/** Finds the known word that is closest to a misspelt one. */

/** Minimum length for a substring match. A shorter word occurs in too many candidates. */
const LONG_ENOUGH = 4

/**
 * Returns the candidate with the smallest edit distance; on a tie, the one that the word is the beginning of, then the
 * one with the same first letter, because typing errors are rare there. If none is close enough, returns the only candidate that contains the word (checkcommand for
 * command). Otherwise returns null.
 */
export function closestMatch(word: string, candidates: Iterable<string>): string | null {
  const wanted = word.toLowerCase()
  let best: { candidate: string; rank: number } | null = null
  const holders: string[] = []
  for (const candidate of candidates) {
    const known = candidate.toLowerCase()
    const edits = distance(wanted, known)
    const rank = edits + (known[0] === wanted[0] ? 0 : 0.5) - (known.startsWith(wanted) ? 0.25 : 0)
    if (edits <= allowed(wanted, candidate) && (!best || rank < best.rank)) best = { candidate, rank }
    if (wanted.length >= LONG_ENOUGH && known.includes(wanted)) holders.push(candidate)
  }
  return best?.candidate ?? (holders.length === 1 ? (holders[0] ?? null) : null)
}

/** Returns `; did you mean "receive"?`, or an empty string. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = closestMatch(word, candidates)
  return near === null ? '' : `; did you mean "${near}"?`
}

/** Words that are listed. */
const MOST_LISTED = 20

/** Returns `; did you mean "web"?` or, where no word is near, what there is: `; there are: mail, web`. */
export function didYouMeanOf(word: string, candidates: Iterable<string>): string {
  const known = [...candidates]
  return didYouMean(word, known) || thereAre(known)
}

/** Returns `; there are: mail, web`, and of many words the first ones with the number of the others. */
export function thereAre(known: readonly string[]): string {
  const left = known.length - MOST_LISTED
  const shown = left > 1 ? known.slice(0, MOST_LISTED) : known
  return `; there are: ${shown.join(', ') || 'none'}${left > 1 ? ` and ${left} more` : ''}`
}

/** Maximum edit distance: one per three letters, at most three. */
function allowed(word: string, candidate: string): number {
  return Math.min(3, Math.ceil(Math.min(word.length, candidate.length) / 3))
}

/**
 * Edit distance: insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). Infinity if
 * the lengths differ by more than 3 or `a` is longer than 60.
 */
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
