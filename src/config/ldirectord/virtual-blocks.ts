/** Splits an ldirectord.cf at its virtuals, line by line, without reading the directives. Pure. */
import type { TextBlocks } from '../text-blocks.js'

/** A line that begins a virtual. */
const VIRTUAL = /^virtual6?[ \t]*=/
/** A line within a virtual: a directive behind a tab or four blanks, a comment, or an empty line. */
const WITHIN = /^(?:(?:\t| {4})[ \t]*[A-Za-z#]|#|$)/

/**
 * Returns null for a text that cannot be split: what a virtual means must follow from the global part before the first
 * virtual, and from the lines of the virtual. So no line behind the first virtual is a global directive, and no virtual is
 * one line, which has another meaning at the end of a text.
 */
export function virtualBlocks(text: string): TextBlocks | null {
  const starts: number[] = []
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(at, end)
    if (VIRTUAL.test(line)) starts.push(at)
    else if (starts.length > 0 && !WITHIN.test(line)) return null
    at = end + 1
  }
  const [first] = starts
  if (first === undefined) return null
  const blocks = starts.map((at, i) => ({ key: null, text: text.slice(at, starts[i + 1]) }))
  return blocks.every(block => isLong(block.text)) ? { head: text.slice(0, first), blocks, tail: '' } : null
}

/** True if more than one line belongs to the block. */
function isLong(block: string): boolean {
  const newline = block.indexOf('\n')
  return newline !== -1 && newline < block.length - 1
}
