/** Regular expressions in the notation of ldirectord: Perl's leading `(?i)` is supported. */

export interface Pattern {
  readonly source: string
  readonly flags: string
}

/** Splits Perl's leading modifiers `(?i)`, `(?s)`, `(?m)` from the expression. Does not compile it. */
export function readPattern(text: string): Pattern {
  const match = /^\(\?([ims]+)\)/.exec(text)
  if (!match) return { source: text, flags: '' }
  return { source: text.slice(match[0].length), flags: [...new Set(match[1])].sort().join('') }
}
