/** Reads the table every 5 ms and records the changes. */
import { onCleanup } from '../../support/after-each.js'
import { changesBetween, type Held, parseTable, readText } from './table.js'

export interface Seen {
  /** `performance.now()` at the read. */
  readonly at: number
  readonly change: string
}

export interface Watcher {
  /** All changes so far, oldest first. */
  readonly seen: readonly Seen[]
  /** The longest time between two reads, in milliseconds. */
  readonly longestGap: number
  /** Reads the table now. Returns the changes since the last call. */
  take(): string[]
  stop(): void
}

export function watchTable(
  namespace: string,
  onChange: (seen: Seen, table: Held) => void = () => {},
): Watcher {
  const seen: Seen[] = []
  let text = readText(namespace)
  let table = parseTable(text)
  let last = performance.now()
  let longestGap = 0
  let taken = 0

  const look = () => {
    const now = performance.now()
    longestGap = Math.max(longestGap, now - last)
    last = now
    const next = readText(namespace)
    if (next === text) return
    const nextTable = parseTable(next)
    const changes = changesBetween(table, nextTable)
    text = next
    table = nextTable
    for (const change of changes) {
      seen.push({ at: now, change })
      onChange({ at: now, change }, table)
    }
  }

  const timer = setInterval(look, 5)
  onCleanup(() => clearInterval(timer))
  return {
    seen,
    get longestGap() {
      return longestGap
    },
    take() {
      look()
      const changes = seen.slice(taken).map(({ change }) => change)
      taken = seen.length
      return changes
    },
    stop: () => clearInterval(timer),
  }
}
