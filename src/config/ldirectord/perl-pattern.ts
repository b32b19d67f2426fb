/** Perl's regular expressions in JavaScript's words, where the two differ. */

/** Escapes that Perl has and JavaScript has not, or understands otherwise. */
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

/** What was found of them; one is set. */
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

/** The parts of a pattern that need looking at; what is between them stays. */
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
 * The same pattern for JavaScript. `multiline`: it is matched line by line. Perl's `$` also matches before a newline at
 * the very end, which most bodies have.
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
