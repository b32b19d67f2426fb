/** Text in lines of a given width. The one file that imports wrap-ansi. */
import { createRequire } from 'node:module'
import type wrapAnsi from 'wrap-ansi'
import { isPlain } from './text-width.js'

let loaded: typeof wrapAnsi | undefined

/**
 * Breaks a text at blanks into lines of at most `width` columns; its own line breaks stay. A longer word stays whole.
 * wrap-ansi, which brings Unicode's tables, is loaded for the first line with more than ASCII and lvsd's own signs.
 */
export function wrap(text: string, width: number): string {
  return text
    .split('\n')
    .map(line => (isPlain(line) && !BLANKS.test(line) ? wrapPlain(line, width) : wrapAny(line, width)))
    .join('\n')
}

/** Blanks that are not single ones between words. */
const BLANKS = /^ | $| {2}/

/** The same as wrap-ansi, for words of one column for each character. */
function wrapPlain(line: string, width: number): string {
  let row = 0
  let wrapped = ''
  for (const word of line.split(' ')) {
    const isFirst = wrapped === ''
    const fits = row + 1 + word.length <= width
    wrapped += isFirst ? word : `${fits ? ' ' : '\n'}${word}`
    row = isFirst || !fits ? word.length : row + 1 + word.length
  }
  return wrapped
}

function wrapAny(line: string, width: number): string {
  loaded ??= (createRequire(import.meta.url)('wrap-ansi') as { default: typeof wrapAnsi }).default
  return loaded(line, width)
}
