/** Splits a YAML text at its services, line by line, without parsing it. Pure. */
import type { TextBlock, TextBlocks } from '../text-blocks.js'

/** A part of the file that is written as most people write it. */
const SERVICES = /^services:[ \t]*(?:#.*)?\r?$/m
/** A key that stands alone, or before a value. It is its own text: no quotes, no merge, no explicit key. */
const KEY = /([A-Za-z0-9_][\w./@+-]*):(?=[ \r\n]|$)/y
/** A further part of the file. */
const PART = /[A-Za-z][\w-]*:(?=[ \r\n]|$)/y
/** An anchor that something after it can refer to. What else looks like one counts as one. */
const ANCHOR = /(?:^|[\s[{,:])&[^\s]/m

/**
 * Returns null for a text that cannot be split: what a block means must follow from the head and the block alone. So no
 * block has an anchor, and no line could be either a key or part of a text.
 */
export function serviceBlocks(text: string): TextBlocks | null {
  const found = SERVICES.exec(text)
  if (!found) return null
  const begins = found.index + found[0].length + 1
  const lines = linesOf(text, begins)
  if (!lines) return null
  const { starts, end } = lines
  const blocks: TextBlock[] = starts.map(({ key, at }, i) => ({
    key,
    text: text.slice(at, starts[i + 1]?.at ?? end),
  }))
  const [first] = starts
  const areUnlike = new Set(starts.map(({ key }) => key)).size === starts.length
  if (!first || !areUnlike || ANCHOR.test(text.slice(first.at, end))) return null
  return { head: text.slice(0, first.at), blocks, tail: text.slice(end) }
}

interface Start {
  readonly key: string
  readonly at: number
}

/** Returns where the services begin, and where the last one ends. */
function linesOf(
  text: string,
  begins: number,
): { readonly starts: readonly Start[]; readonly end: number } | null {
  const starts: Start[] = []
  let indent = Number.POSITIVE_INFINITY
  for (let at = begins; at < text.length; at = nextLine(text, at)) {
    const depth = depthAt(text, at, indent)
    if (depth === null) continue
    if (depth === 0) return isAt(PART, text, at) ? { starts, end: at } : null
    if (starts.length === 0) indent = depth
    const key = depth === indent ? keyAt(text, at + depth) : null
    if (key === null) return null
    starts.push({ key, at })
  }
  return { starts, end: text.length }
}

function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end + 1
}

/** Returns the indentation of a line, or null for one within a block: deeper than `indent`, empty or a comment. */
function depthAt(text: string, at: number, indent: number): number | null {
  let depth = 0
  while (text[at + depth] === ' ') if (++depth > indent) return null
  const first = text[at + depth]
  return first === undefined || first === '\n' || first === '\r' || first === '#' ? null : depth
}

function keyAt(text: string, at: number): string | null {
  KEY.lastIndex = at
  return KEY.exec(text)?.[1] ?? null
}

function isAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at
  return pattern.test(text)
}
