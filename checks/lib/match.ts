/** What several checks share: `receive` and `text`, and bytes as people write them. */
import type { OptionKit } from '../../src/check/option-kit.js'
import type { Match } from '../../src/check/probe-spec.js'
import { readPattern } from '../../src/search/perl-flags.js'

interface Expected {
  readonly receive: string | null
  readonly text: string | null
}

/** The options `receive` and `text`: at most one of them is given. */
export function matchOptions(kit: OptionKit) {
  return {
    receive: kit.pattern(
      'Regular expression that must occur in the answer, anywhere in it; (?i) ignores case',
    ),
    text: kit.maybeText('Plain text that must occur in the answer'),
  }
}

/** What is wrong with the two together, or null. */
export function matchProblem({ receive, text }: Expected): string | null {
  return receive !== null && text !== null
    ? 'give receive (a regular expression) or text (plain), not both'
    : null
}

/** What the answer must contain, or null where nothing is asked for; as in ldirectord, an empty `receive` is none. */
export function matchOf({ receive, text }: Expected, flags = ''): Match | null {
  if (text) return { kind: 'text', text }
  if (!receive) return null
  const pattern = readPattern(receive)
  return { kind: 'regexp', source: pattern.source, flags: [...new Set(pattern.flags + flags)].join('') }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' }

/** The bytes of a text with the escapes \n \r \t \0 \\ and \xHH; any other backslash stands for itself. */
export function unescapeBytes(text: string): Uint8Array {
  const parts = text.split(/(\\x[0-9A-Fa-f]{2}|\\[nrt0\\])/)
  return Buffer.concat(parts.map((part, i) => (i % 2 === 0 ? Buffer.from(part) : escapedByte(part))))
}

function escapedByte(written: string): Buffer {
  if (written.startsWith('\\x')) return Buffer.from(written.slice(2), 'hex')
  return Buffer.from(ESCAPES[written.slice(1)] ?? '')
}

/** The bytes of `00 1c ff`, with or without spaces; null where it is not hexadecimal. */
export function hexBytes(text: string): Uint8Array | null {
  const digits = text.replace(/[\s:]/g, '')
  return /^([0-9A-Fa-f]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : null
}
