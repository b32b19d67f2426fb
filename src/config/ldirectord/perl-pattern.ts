/** Converts Perl's regular expressions to JavaScript where the two differ. */

/** Escapes of Perl that JavaScript does not have, or reads differently. */
const ESCAPES: Readonly<Record<string, string>> = {
  A: '(?<![\\s\\S])',
  z: '(?![\\s\\S])',
  Z: '(?=\\n?(?![\\s\\S]))',
  h: '[ \\t]',
  R: '(?:\\r\\n|[\\n\\v\\f\\r])',
  e: '\\x1b',
  a: '\\x07',
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
}

/** Groups of `PART`. One is set; none for a comment, `(?#…)`. */
interface Part {
  readonly quoted?: string
  readonly code?: string
  readonly escape?: string
  readonly posix?: string
  readonly set?: string
  readonly close?: string
  readonly atomic?: string
  readonly named?: string
  readonly possessive?: string
  readonly dollar?: string
}

/** Matches the parts of a pattern that may need a change. The text between them stays unchanged. */
const PART = new RegExp(
  [
    String.raw`\\Q(?<quoted>[\s\S]*?)(?:\\E|$)`,
    String.raw`\\x\{(?<code>[0-9A-Fa-f]{1,6})\}`,
    String.raw`\\(?<escape>[\s\S])`,
    String.raw`\[:(?<posix>\w+):\]`,
    String.raw`(?<set>\[\^?\]?)`,
    String.raw`(?<close>\])`,
    String.raw`\(\?#[^)]*\)`,
    String.raw`(?<atomic>\(\?>)`,
    String.raw`(?<named>\(\?P<)`,
    String.raw`(?<possessive>[*+?}]\+)`,
    String.raw`(?<dollar>\$)`,
  ].join('|'),
  'g',
)

/**
 * Returns the pattern in JavaScript syntax. `multiline`: it is matched line by line. In Perl, `$` also matches before a
 * newline at the end of the text, and most bodies end with one.
 */
export function perlPattern(source: string, { multiline = false } = {}): string {
  let inSet = false
  return source.replace(PART, (all, ...rest) => {
    const part = rest.at(-1) as Part
    if (part.quoted !== undefined) return part.quoted.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    if (part.code !== undefined) return codePoint(Number.parseInt(part.code, 16))
    if (part.escape !== undefined) return inSet ? all : (ESCAPES[part.escape] ?? all)
    if (inSet) {
      if (part.close !== undefined) inSet = false
      return part.posix === undefined ? all : (CLASSES[part.posix] ?? all)
    }
    if (part.set !== undefined) {
      inSet = true
      return all.endsWith(']') ? `${all.slice(0, -1)}\\]` : all
    }
    return outside(part, multiline, all)
  })
}

function outside(part: Part, multiline: boolean, all: string): string {
  if (part.dollar !== undefined) return multiline ? '$' : '(?=\\n?$)'
  if (part.atomic !== undefined) return '(?:'
  if (part.named !== undefined) return '(?<'
  if (part.possessive !== undefined) return all.slice(0, 1)
  return all.startsWith('(?#') ? '' : all
}

function codePoint(code: number): string {
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : String.fromCodePoint(code)
}
