/** Which items of a list are shown, and in which order. Pure. */

export interface Arrangement<T> {
  /** The text that a filter searches. */
  readonly textOf: (item: T) => string
  /** The lowest first; items of the same rank stay in the order of the configuration. */
  readonly rankOf: (item: T) => number
}

/** Returns the items that have each word of the filter. */
export function arranged<T>(
  items: readonly T[],
  filter: string,
  { textOf, rankOf }: Arrangement<T>,
): readonly T[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const byRank = new Map<number, T[]>()
  for (const item of items) {
    if (words.length > 0 && !hasAll(textOf(item).toLowerCase(), words)) continue
    const rank = rankOf(item)
    const others = byRank.get(rank)
    if (others) others.push(item)
    else byRank.set(rank, [item])
  }
  const ranks = [...byRank.keys()].sort((a, b) => a - b)
  return ranks.flatMap(rank => byRank.get(rank) ?? [])
}

function hasAll(text: string, words: readonly string[]): boolean {
  return words.every(word => text.includes(word))
}
