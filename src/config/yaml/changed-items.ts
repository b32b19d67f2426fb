/** Shortens the text of a service to those of its real servers whose lines have changed, without parsing it. Pure. */

export interface Shortened {
  /** The service with the changed items alone. */
  readonly text: string
  /** Where these are in the list, from 0 on. */
  readonly places: readonly number[]
}

interface List {
  /** The lines up to the first item, and those after the last one. */
  readonly head: string
  readonly items: readonly string[]
  readonly tail: string
}

/** A quoted text, a mapping of plain and quoted texts, or words without a colon before a blank. It begins and ends in its line. */
const ITEM = new RegExp(
  [
    String.raw`^ +- (?:'[^'\n]*'`,
    String.raw`"[^"\\\n]*"`,
    String.raw`\{(?:'[^'\n]*'|"[^"\\\n]*"|[^{}'"#&*!|>%@\x60\n])*\}`,
    String.raw`[A-Za-z0-9](?:[\w./-]|:(?=\S)| (?=\w))*)$`,
  ].join('|'),
)

/**
 * Returns null unless both texts differ in items alone of a list `reals` with `count` items, each in a line. What a reader makes of
 * the shorter text may still be another service: the caller compares.
 */
export function changedItems(before: string, now: string, count: number): Shortened | null {
  const [old, next] = [listIn(before), listIn(now)]
  if (!old || !next || old.head !== next.head || old.tail !== next.tail) return null
  if (old.items.length !== count || next.items.length !== count) return null
  const places = next.items.flatMap((item, i) => (item === old.items[i] ? [] : [i]))
  const changed = places.map(i => next.items[i] ?? '')
  if (changed.length === 0 || !next.items.every(isItem)) return null
  if (!places.every(i => isItem(old.items[i] ?? ''))) return null
  return { text: `${next.head}${changed.join('\n')}${next.tail}`, places }
}

function isItem(line: string): boolean {
  return ITEM.test(line)
}

/** Finds the list by its indentation, which is that of the first key of the service. */
function listIn(text: string): List | null {
  const lines = text.split('\n')
  const [name = '', first = ''] = lines
  const keys = depthOf(first)
  const title = `${' '.repeat(keys)}reals:`
  const at = lines.indexOf(title)
  if (at < 1 || keys <= depthOf(name) || lines.includes(title, at + 1)) return null
  const [from, depth] = [at + 1, depthOf(lines[at + 1] ?? '')]
  const dash = `${' '.repeat(depth)}- `
  let end = from
  while (lines[end]?.startsWith(dash)) end++
  if (depth < keys || end === from || !isEndOrKey(lines, end, keys)) return null
  return {
    head: lines.slice(0, from).map(ended).join(''),
    items: lines.slice(from, end),
    tail: lines.slice(end).map(begun).join(''),
  }
}

/** True where a list cannot go on: nothing follows, or a key that stands where that of the list does. */
function isEndOrKey(lines: readonly string[], at: number, keys: number): boolean {
  if (lines.slice(at).every(line => line === '')) return true
  const next = lines[at] ?? ''
  return depthOf(next) === keys && /^ +[A-Za-z]/.test(next)
}

const ended = (line: string) => `${line}\n`
const begun = (line: string) => `\n${line}`

function depthOf(line: string): number {
  return line.length - line.trimStart().length
}
