/** Parses a JavaScript regular expression to a tree. Groups are dropped: a search reports only whether there is a match. */

export type Tree =
  | { readonly kind: 'empty' }
  /** One UTF-16 code unit. */
  | { readonly kind: 'unit'; readonly unit: number }
  /** One code unit of a set: a class, an escape or a dot, in its source form. */
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Tree[] }
  | { readonly kind: 'choice'; readonly options: readonly Tree[] }
  /** Greedy and lazy repetitions are the same, because only the existence of a match counts. */
  | { readonly kind: 'repeat'; readonly body: Tree; readonly min: number; readonly max: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'word edge'; readonly isNegated: boolean }
  | { readonly kind: 'look'; readonly isBehind: boolean; readonly isNegated: boolean; readonly body: Tree }

const EMPTY: Tree = { kind: 'empty' }

/** Maximum nesting of groups. A deeper expression has no tree. */
const MOST_NESTED = 200

/** Thrown to stop the parser at an expression that has no tree. */
class NoTree extends Error {}

/**
 * Returns the tree of an expression without the flags `u` and `v`, by ECMAScript's grammar with its Annex B. Returns
 * null for backreferences and for syntax that this parser does not know. The engine must have accepted the source
 * before.
 */
export function parseRegExp(source: string): Tree | null {
  try {
    return new Parser(source).parse()
  } catch (error) {
    if (error instanceof NoTree) return null
    throw error
  }
}

const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y
const GROUP_START = /\((?:\?(?::|(<?)([=!])|<[^>]*>))?/y
const CLASS = /\[(?:[^\]\\]|\\[\s\S])*\]/y
/** Escapes that stand for one unit. A decimal escape is first compared with the number of groups (`DECIMAL`). */
const SET_ESCAPE = /\\(?:[dDsSwW]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|[0-3][0-7]{0,2}|[4-7][0-7]?)/y
const DECIMAL = /\\([1-9]\d*)/y
const CONTROLS: Readonly<Record<string, number>> = { f: 12, n: 10, r: 13, t: 9, v: 11 }

class Parser {
  readonly #source: string
  readonly #groups: { readonly count: number; readonly areNamed: boolean }
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
    this.#groups = groupsIn(source)
  }

  parse(): Tree {
    const tree = this.#choice()
    if (this.#at < this.#source.length) throw new NoTree()
    return tree
  }

  #choice(): Tree {
    const options = [this.#sequence()]
    while (this.#source[this.#at] === '|') {
      this.#at++
      options.push(this.#sequence())
    }
    return options.length === 1 ? (options[0] as Tree) : { kind: 'choice', options }
  }

  #sequence(): Tree {
    const parts: Tree[] = []
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at] as string))
      parts.push(this.#repeated(this.#term()))
    return parts.length === 1 ? (parts[0] as Tree) : parts.length === 0 ? EMPTY : { kind: 'sequence', parts }
  }

  #repeated(body: Tree): Tree {
    const found = this.#take(QUANTIFIER)
    if (!found) return body
    const [, sign, least, comma, most] = found
    if (sign) return { kind: 'repeat', body, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity }
    const min = Number(least)
    return { kind: 'repeat', body, min, max: comma === undefined ? min : most ? Number(most) : Infinity }
  }

  #term(): Tree {
    const sign = this.#source[this.#at]
    if (sign === '(') return this.#group()
    if (sign === '\\') return this.#escape()
    if (sign === '[') return { kind: 'set', source: this.#must(CLASS)[0] }
    const unit = this.#source.charCodeAt(this.#at++)
    if (sign === '.') return { kind: 'set', source: '.' }
    if (sign === '^') return { kind: 'start' }
    return sign === '$' ? { kind: 'end' } : { kind: 'unit', unit }
  }

  #group(): Tree {
    const [, behind, look] = this.#must(GROUP_START)
    // This parser knows no other group that begins with `(?`.
    if (this.#source[this.#at] === '?' || ++this.#depth > MOST_NESTED) throw new NoTree()
    const body = this.#choice()
    if (this.#source[this.#at] !== ')') throw new NoTree()
    this.#at++
    this.#depth--
    return look ? { kind: 'look', isBehind: behind === '<', isNegated: look === '!', body } : body
  }

  #escape(): Tree {
    const sign = this.#source[this.#at + 1] ?? ''
    if (sign === 'b' || sign === 'B') {
      this.#at += 2
      return { kind: 'word edge', isNegated: sign === 'B' }
    }
    const decimal = this.#peek(DECIMAL)
    if (decimal && Number(decimal[1]) <= this.#groups.count) throw new NoTree()
    if (sign === 'k' && this.#groups.areNamed) throw new NoTree()
    const set = this.#take(SET_ESCAPE)
    if (set) return { kind: 'set', source: set[0] }
    // `\c` without a following letter is a literal backslash, followed by a literal c.
    this.#at += sign === 'c' ? 1 : 2
    return { kind: 'unit', unit: CONTROLS[sign] ?? (sign === 'c' ? 92 : sign.charCodeAt(0)) }
  }

  #peek(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#source)
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    const found = this.#peek(pattern)
    if (found) this.#at += found[0].length
    return found
  }

  #must(pattern: RegExp): RegExpExecArray {
    const found = this.#take(pattern)
    if (!found) throw new NoTree()
    return found
  }
}

const GROUPS = /\\[\s\S]|\[(?:[^\]\\]|\\[\s\S])*\]|(\((?!\?))|(\(\?<(?![=!]))/g

function groupsIn(source: string): { count: number; areNamed: boolean } {
  const found = [...source.matchAll(GROUPS)]
  const named = found.filter(match => match[2] !== undefined).length
  return { count: named + found.filter(match => match[1] !== undefined).length, areNamed: named > 0 }
}
