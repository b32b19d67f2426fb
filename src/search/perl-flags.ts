/** Regular expressions as people bring them from ldirectord: Perl's leading `(?i)` is understood. */

export interface Pattern {
  readonly source: string
  readonly flags: string
}

/** Splits Perl's leading modifiers, `(?i)`, `(?s)`, `(?m)`, from the expression. Compiles nothing. */
export function readPattern(text: string): Pattern {
  const match = /^\(\?([ims]+)\)/.exec(text)
  if (!match) return { source: text, flags: '' }
  return { source: text.slice(match[0].length), flags: [...new Set(match[1])].sort().join('') }
}
