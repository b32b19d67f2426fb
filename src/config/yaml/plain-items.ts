/** Leaves out of a YAML text what the library need not parse: most items of long lists whose items are texts, each in a line. Pure. */
import type { Sliced } from '../../util/time-slice.js'

/** A text without some of its lines. */
export interface ShortText {
  readonly text: string
  /** The lists of which items are left out, by the offset in `text` of the item before these. */
  readonly stretches: ReadonlyMap<number, Stretch>
  /** Returns the offset in the whole text. */
  whole(offset: number): number
}

/** Items that follow each other in one list, line by line, with the same indentation. The first one is not left out. */
export interface Stretch {
  /** Where the first item ends in the short text. */
  readonly end: number
  readonly others: readonly Item[]
}

export interface Item {
  readonly value: string
  /** Number of characters with quotes. */
  readonly length: number
}

/**
 * A quoted text without escapes, or words without a colon before a blank, and perhaps a comment. It ends in its line. ASCII alone: a
 * character is one unit, and nothing else ends a line.
 */
const ITEM =
  /^( *- )(?:'([ -&(-~]*)'|"([ !#-[\]-~]*)"|([A-Za-z0-9](?:[\w./-]|:(?=[\w./:-])| (?=\w))*))(?: +#.*)?$/gm
/**
 * A directive can give plain words another meaning; the library ignores a byte order mark before it. The other characters end a line for
 * a pattern of JavaScript, but not for YAML.
 */
const DOUBTFUL = /^\ufeff?%|[\r\u2028\u2029]/m
/** Lines in one time slice. */
const PIECE = 128

interface Found {
  readonly item: Item
  /** The indentation, and the dash. */
  readonly before: string
  readonly at: number
  /** The offset of the next line. */
  readonly next: number
}

/**
 * Returns null if nothing can be left out. That a line looks like an item does not make it one: it may be part of a longer text. It is
 * one where the first of its stretch is an item of a list in the short text, from its first character to its end: after such an
 * item a line with the same indentation and a dash is the next one, and what follows the last one follows the first one then.
 */
export function* shortening(text: string): Sliced<ShortText | null> {
  if (DOUBTFUL.test(text)) return null
  const stretches = new Map<number, Stretch>()
  const cuts = new Cuts(text)
  let first: Found | null = null
  let others: Item[] = []
  /** Where the next line of the stretch begins. */
  let next = 0
  const end = () => {
    if (!first || others.length === 0) return
    const at = cuts.short(first.at + first.before.length)
    stretches.set(at, { end: at + first.item.length, others })
    cuts.cut(first.next, next)
  }
  let count = 0
  for (const match of text.matchAll(ITEM)) {
    if (++count % PIECE === 0) yield
    const found = itemIn(match)
    if (found && found.at === next && found.before === first?.before) others.push(found.item)
    else {
      end()
      first = found
      others = []
    }
    next = found?.next ?? 0
  }
  end()
  return stretches.size === 0 ? null : { text: cuts.text(), stretches, whole: offset => cuts.whole(offset) }
}

function itemIn({
  0: line,
  1: before = '',
  2: one,
  3: two,
  4: words,
  index,
  input,
}: RegExpExecArray): Found | null {
  const next = index + line.length + 1
  if (input[next - 1] !== '\n') return null
  // A single word may be a number, true or null.
  if (words !== undefined && !/[: ]/.test(words)) return null
  const value = words ?? one ?? two ?? ''
  const item = { value, length: words === undefined ? value.length + 2 : value.length }
  return { item, before, at: index, next }
}

/** What is cut out of a text. */
class Cuts {
  readonly #text: string
  /** The offsets in the short text, ascending, and what was cut out in all up to each. */
  readonly #places: number[] = []
  readonly #sums: number[] = []
  readonly #parts: string[] = []
  #from = 0

  constructor(text: string) {
    this.#text = text
  }

  cut(from: number, until: number): void {
    this.#parts.push(this.#text.slice(this.#from, from))
    this.#places.push(this.short(from))
    this.#sums.push((this.#sums.at(-1) ?? 0) + until - from)
    this.#from = until
  }

  text(): string {
    return this.#parts.join('') + this.#text.slice(this.#from)
  }

  /** The offset in the short text of one after the last cut. */
  short(offset: number): number {
    return offset - (this.#sums.at(-1) ?? 0)
  }

  whole(offset: number): number {
    let low = 0
    let high = this.#places.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#places[middle] ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return offset + (this.#sums[low - 1] ?? 0)
  }
}
