/** Shared by several checks: `receive` and `text`, and bytes in the notation of configurations. */

import type { OptionKit } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import type { Match } from '../../src/check/probe-spec.js'
import { readPattern } from '../../src/search/perl-flags.js'

interface Expected {
  readonly receive: string | null
  readonly text: string | null
}

/** The options `receive` and `text`, which exclude each other. */
export function matchOptions(kit: OptionKit) {
  return {
    receive: kit.pattern(
      'Regular expression that must occur in the answer, anywhere in it; (?i) ignores case',
    ),
    text: kit.maybeText('Plain text that must occur in the answer'),
  }
}

/** Returns the error in the combination of both, or null. */
export function matchProblem({ receive, text }: Expected): OptionProblem | null {
  return receive !== null && text !== null
    ? problemOf('text', 'give receive (a regular expression) or text (plain), not both')
    : null
}

/** Returns what the answer must contain, or null for anything. As in ldirectord, an empty `receive` means null. */
export function matchOf({ receive, text }: Expected, flags = ''): Match | null {
  if (text) return { kind: 'text', text }
  if (!receive) return null
  const pattern = readPattern(receive)
  return { kind: 'regexp', source: pattern.source, flags: [...new Set(pattern.flags + flags)].join('') }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' }

/** Returns the bytes of a text with the escapes \n \r \t \0 \\ and \xHH. Any other backslash is literal. */
export function unescapeBytes(text: string): Uint8Array {
  const parts = text.split(/(\\x[0-9A-Fa-f]{2}|\\[nrt0\\])/)
  return Buffer.concat(parts.map((part, i) => (i % 2 === 0 ? Buffer.from(part) : escapedByte(part))))
}

function escapedByte(written: string): Buffer {
  if (written.startsWith('\\x')) return Buffer.from(written.slice(2), 'hex')
  return Buffer.from(ESCAPES[written.slice(1)] ?? '')
}

/** Returns the bytes of a hexadecimal text such as `00 1c ff`, with or without spaces or colons; null if it is invalid. */
export function hexBytes(text: string): Uint8Array | null {
  const digits = text.replace(/[\s:]/g, '')
  return /^([0-9A-Fa-f]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : null
}
