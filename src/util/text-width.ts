/** Computes the number of terminal columns of a text, by Unicode's tables. The only file that imports string-width. */
import { createRequire } from 'node:module'
import type stringWidth from 'string-width'

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with the escape character
const COLOURS = /\u001b\[[\d;]*m/g

/** One column for each character; the usual case. */
const PLAIN = /^[ -~·…→’▁▂▃▄▅▆▇█]*$/

/** True if each character takes one column, without a look at Unicode's tables. Colour sequences are not plain. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

let loaded: typeof stringWidth | undefined

/**
 * Wide East Asian characters and emoji count 2; combining marks, control characters and colour sequences count 0. The
 * first text that is more than ASCII and lvsd's own signs loads string-width, whose tables take 40 ms of CPU to build.
 */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  const plain = text.replaceAll(COLOURS, '')
  if (PLAIN.test(plain)) return plain.length
  loaded ??= (createRequire(import.meta.url)('string-width') as { default: typeof stringWidth }).default
  return loaded(text)
}
