/** Random regular expressions, texts and pieces, for property tests of searches. */
import fc from 'fast-check'

/**
 * Characters of expressions and texts. They are few, so that matches are frequent; some are beyond ASCII and the BMP.
 */
const UNITS = [
  'a',
  'b',
  'A',
  'K',
  'k',
  's',
  '1',
  '_',
  ' ',
  '\n',
  '\r',
  '-',
  'é',
  'É',
  'ß',
  '\u2028',
  '\u212a',
  'ſ',
  'İ',
  'ı',
  '日',
  '😀',
]

const unit = fc.constantFrom(...UNITS)

export const texts = fc.array(unit, { maxLength: 12 }).map(units => units.join(''))

const escaped = fc.constantFrom(
  ...[
    '\\d',
    '\\D',
    '\\w',
    '\\W',
    '\\s',
    '\\S',
    '.',
    '[^]',
    '[]',
    '[a-k]',
    '[^a-k]',
    '[^\\W_]',
    '[\\s\\S]',
    '[\\]a]',
    '[-é]',
  ],
  ...[
    '\\n',
    '\\x61',
    '\\x6',
    '\\u0061',
    '\\u00e9',
    '\\u{61}',
    '\\cJ',
    '\\c1',
    '\\0',
    '\\101',
    '\\8',
    '\\a',
    '\\-',
    '\\p{L}',
  ],
  ...['[\\b]', '[\\cJ]', '[\\d-k]', '{', '}', ']', 'a{,2}', '\\_', '[é-ë]', '[ſ]', '[^K]'],
)
const edge = fc.constantFrom(
  '^',
  '$',
  '\\b',
  '\\B',
  '(?=\\n?$)',
  '(?=\\n?(?![\\s\\S]))',
  '(?<![\\s\\S])',
  '(?![\\s\\S])',
)
const looked = fc.constantFrom('(?=a)', '(?!a)', '(?<=[ab])', '(?<!\\w)', '(?=a|b)', '(?!\\n)', '(?<=é)')
const quantifier = fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{0}', '{1,3}', '{2,}', '{0,2}?')

/** Expressions that an automaton can match. */
export const sources = fc.letrec<{ tree: string }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: unit },
    { weight: 4, arbitrary: escaped },
    { weight: 2, arbitrary: edge },
    { weight: 1, arbitrary: looked },
    { weight: 4, arbitrary: fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => a + b) },
    { weight: 3, arbitrary: fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(?:${a}|${b})`) },
    { weight: 1, arbitrary: tie('tree').map(a => `(?<x${a.length}>${a})`) },
    { weight: 3, arbitrary: fc.tuple(tie('tree'), quantifier).map(([a, q]) => `(${a})${q}`) },
    { weight: 2, arbitrary: fc.tuple(unit, quantifier).map(([a, q]) => a + q) },
  ),
})).tree

const TOKENS = [
  ...[
    '(',
    '(?:',
    '(?=',
    '(?!',
    '(?<=',
    '(?<!',
    '(?<n>',
    ')',
    ')',
    ')',
    '|',
    '[',
    '[^',
    ']',
    '{',
    '}',
    '*',
    '+',
    '?',
    '^',
    '$',
  ],
  ...[
    '.',
    '\\',
    '\\b',
    '\\d',
    '\\1',
    '\\2',
    '\\10',
    '\\0',
    '\\k',
    '\\k<n>',
    '\\c',
    '\\cA',
    '\\x',
    '\\u',
    '-',
    ',',
    '1',
    '2',
    'a',
    'b',
    'n',
    '\n',
  ],
]

/** Random sequences of syntax characters, most of which are not valid expressions. */
export const heaps = fc.array(fc.constantFrom(...TOKENS), { maxLength: 9 }).map(tokens => tokens.join(''))

export const flags = fc.subarray(['i', 'm', 's']).map(letters => letters.join(''))

/** Returns the expression if `new RegExp` accepts it, else undefined. */
export function regExpOf(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}

/** Cuts the bytes into pieces of these lengths, plus the rest. */
export function piecesOf(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return [...pieces, bytes.subarray(at)]
}
