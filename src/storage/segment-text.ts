/** The text of a segment: its first line, its entries, and what can be read of a damaged one. See `segments.ts`. */
import type { Sliced } from '../util/time-slice.js'
import { lineFor, lineOf } from './checked-line.js'

/** What the first line says. */
export interface SegmentForm {
  readonly name: string
  readonly version: number
}

/** What a segment holds. */
export interface FoundEntries {
  readonly hasHead: boolean
  readonly isNewer: boolean
  /** Lines that can be read, without the first. */
  readonly lines: readonly string[]
  readonly damaged: number
  /** True if the last line has no end. */
  readonly isTorn: boolean
  readonly wasClosed: boolean
  /** Up to the end of the last line. */
  readonly bytes: number
}

/** Returns the first line. */
export function headOf({ name, version }: SegmentForm): string {
  return lineFor({ lvsd: name, version })
}

/** Returns a line for each entry. */
export function* linesOf(values: readonly unknown[]): Sliced<readonly string[]> {
  const lines: string[] = []
  for (const value of values) {
    lines.push(lineFor(value))
    if (lines.length % 100 === 0) yield
  }
  return lines
}

/** Reads a segment, and calls `take` with each entry; it may throw, then the entry counts as damaged. */
export function* parseSegment(
  text: string,
  { name, version }: SegmentForm,
  take: (value: unknown) => void,
): Sliced<FoundEntries> {
  const isTorn = text !== '' && !text.endsWith('\n')
  const [first = '', ...rest] = text.split('\n').slice(0, -1)
  const head = lineOf(first) as { readonly value: { lvsd?: unknown; version?: unknown } | null } | null
  const hasHead = head?.value?.lvsd === name && typeof head.value.version === 'number'
  const lines: string[] = []
  let damaged = 0
  let wasClosed = false
  for (const [i, line] of rest.entries()) {
    const entry = lineOf(line)
    wasClosed = (entry?.value as { closed?: unknown } | undefined)?.closed === true
    try {
      if (!entry) throw new Error('damaged')
      if (!wasClosed) take(entry.value)
      lines.push(line)
    } catch {
      damaged++
    }
    if (i % 100 === 0) yield
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return {
    hasHead,
    isNewer: hasHead && Number(head.value?.version) > version,
    lines,
    damaged,
    isTorn,
    wasClosed: wasClosed && !isTorn,
    bytes: Buffer.byteLength(whole),
  }
}
