/**
 * Compiles an expression tree to a program for a nondeterministic automaton (NFA). The program decides only whether the
 * expression occurs, so groups and the order of alternatives do not matter. Each step refers to its successors; the
 * program ends at `ACCEPT`.
 */
import { type Alphabet, alphabetOf, casesOf, type Ranges, unitsOf } from './code-units.js'
import type { Tree } from './tree.js'

export type Step =
  | { readonly kind: 'accept' }
  /** Consumes one unit of the set. */
  | { readonly kind: 'take'; readonly set: number; readonly next: number }
  | { readonly kind: 'split'; readonly next: number; readonly other: number }
  | { readonly kind: 'assert'; readonly what: Assertion; readonly next: number }

/** A condition between two units. `set` refers to the unit before or after the position. A missing unit is in no set. */
export type Assertion =
  | { readonly kind: 'start' | 'end' | 'final end' }
  | { readonly kind: 'line start' | 'line end'; readonly set: number }
  | { readonly kind: 'word edge'; readonly set: number; readonly isNegated: boolean }
  | { readonly kind: 'before' | 'behind'; readonly set: number; readonly isNegated: boolean }

export const ACCEPT = 0

export interface Program {
  readonly steps: readonly Step[]
  readonly start: number
  readonly alphabet: Alphabet
  /** The sets that assertions test for the previous unit. */
  readonly contextSets: readonly number[]
  /** The class of `\n` if the program has a `final end` assertion, which looks one unit further; else null. */
  readonly newline: number | null
}

/** Maximum program size. Counted repetitions are expanded; a larger expression has no program. */
const MOST_STEPS = 10_000

/** Returns null if the program would be too large, or for look-around over more than one unit. */
export function compileTree(tree: Tree, flags: string): Program | null {
  if (!(sizeOf(tree) <= MOST_STEPS)) return null
  const compiler = new Compiler(flags)
  const start = compiler.compile(tree, ACCEPT)
  return start === null ? null : compiler.finish(start)
}

function sizeOf(tree: Tree): number {
  switch (tree.kind) {
    case 'sequence':
      return sum(tree.parts)
    case 'choice':
      return sum(tree.options) + tree.options.length
    case 'repeat':
      return (sizeOf(tree.body) + 1) * Math.max(1, tree.max === Infinity ? tree.min + 1 : tree.max)
    default:
      return 1
  }
}

function sum(trees: readonly Tree[]): number {
  return trees.reduce((total, tree) => total + sizeOf(tree), 0)
}

class Compiler {
  readonly #flags: string
  readonly #steps: Step[] = [{ kind: 'accept' }]
  readonly #sets: Ranges[] = []
  readonly #numbers = new Map<string, number>()
  readonly #contextSets = new Set<number>()
  #hasFinalEnd = false

  constructor(flags: string) {
    this.#flags = flags
  }

  finish(start: number): Program | null {
    const alphabet = alphabetOf([...this.#sets, NEWLINE])
    const contextSets = [...this.#contextSets]
    // A state has one bit for each context set, and one bit for the start of the text.
    if (alphabet === null || contextSets.length > 30) return null
    const newline = this.#hasFinalEnd ? alphabet.classOf(10) : null
    return { steps: this.#steps, start, alphabet, contextSets, newline }
  }

  /** Compiles a tree that is followed by the step `next`. Returns its first step, or null if it cannot be compiled. */
  compile(tree: Tree, next: number): number | null {
    switch (tree.kind) {
      case 'empty':
        return next
      case 'unit':
        return this.#add({ kind: 'take', set: this.#setOf(casesOf(tree.unit, this.#flags)), next })
      case 'set':
        return this.#add({ kind: 'take', set: this.#setOf(this.#unitsOf(tree.source)), next })
      case 'sequence':
        return tree.parts.reduceRight<number | null>(
          (at, part) => (at === null ? null : this.compile(part, at)),
          next,
        )
      case 'choice':
        return this.#choice(tree.options.map(option => this.compile(option, next)))
      case 'repeat':
        return this.#repeat(tree, next)
      default:
        return this.#assert(tree, next)
    }
  }

  #choice(starts: readonly (number | null)[]): number | null {
    return starts.reduceRight((other, first) =>
      first === null || other === null ? null : this.#add({ kind: 'split', next: first, other }),
    )
  }

  #repeat({ body, min, max }: Extract<Tree, { kind: 'repeat' }>, next: number): number | null {
    let at: number | null = next
    if (max === Infinity) at = this.#loop(body, next)
    // Optional repetitions: after each, either another one or `next` follows.
    else for (let i = min; i < max && at !== null; i++) at = this.#choice([this.compile(body, at), next])
    for (let i = 0; i < min && at !== null; i++) at = this.compile(body, at)
    return at
  }

  #loop(body: Tree, next: number): number | null {
    const loop = this.#add({ kind: 'accept' })
    const start = this.compile(body, loop)
    if (start === null) return null
    this.#steps[loop] = { kind: 'split', next: start, other: next }
    return loop
  }

  #assert(tree: Tree, next: number): number | null {
    const what = this.#assertion(tree)
    if (what === null) return null
    if (what.kind === 'final end') this.#hasFinalEnd = true
    if ('set' in what && what.kind !== 'line end' && what.kind !== 'behind') this.#contextSets.add(what.set)
    return this.#add({ kind: 'assert', what, next })
  }

  #assertion(tree: Tree): Assertion | null {
    const isMultiline = this.#flags.includes('m')
    if (tree.kind === 'start')
      return isMultiline ? { kind: 'line start', set: this.#setOf(LINE_ENDS) } : { kind: 'start' }
    if (tree.kind === 'end')
      return isMultiline ? { kind: 'line end', set: this.#setOf(LINE_ENDS) } : { kind: 'end' }
    if (tree.kind === 'word edge')
      return { kind: 'word edge', set: this.#setOf(WORD), isNegated: tree.isNegated }
    return tree.kind === 'look' ? this.#look(tree) : null
  }

  #look({ body, isBehind, isNegated }: Extract<Tree, { kind: 'look' }>): Assertion | null {
    if (!isBehind && !isNegated && this.#isFinalEnd(body))
      return this.#flags.includes('m') && isPlainEnd(body)
        ? { kind: 'line end', set: this.#setOf(LINE_ENDS) }
        : { kind: 'final end' }
    const ranges = this.#oneUnit(body)
    if (ranges === null) return null
    return { kind: isBehind ? 'before' : 'behind', set: this.#setOf(ranges), isNegated }
  }

  /** Recognizes Perl's `$` and `\Z` in the form that `perlPattern` generates: `\n?$` and `\n?(?![\s\S])`. */
  #isFinalEnd(body: Tree): boolean {
    if (body.kind !== 'sequence' || body.parts.length !== 2) return false
    const [newline, end] = body.parts as [Tree, Tree]
    if (newline.kind !== 'repeat' || newline.min !== 0 || newline.max !== 1) return false
    if (newline.body.kind !== 'unit' || newline.body.unit !== 10) return false
    if (end.kind === 'end') return true
    const isEnd = end.kind === 'look' && !end.isBehind && end.isNegated
    return isEnd && isAny(this.#oneUnit(end.body))
  }

  /** Returns the units of a tree that consumes exactly one unit; null for any other tree. */
  #oneUnit(tree: Tree): Ranges | null {
    if (tree.kind === 'unit') return casesOf(tree.unit, this.#flags)
    if (tree.kind === 'set') return this.#unitsOf(tree.source)
    if (tree.kind !== 'choice') return null
    const all = tree.options.map(option => this.#oneUnit(option))
    return all.every(ranges => ranges !== null) ? union(all.flat() as Ranges) : null
  }

  #unitsOf(source: string): Ranges {
    return unitsOf(source, this.#flags.replace('m', ''))
  }

  #setOf(ranges: Ranges): number {
    const key = ranges.join(' ')
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#sets.length)
    return this.#sets.push(ranges) - 1
  }

  #add(step: Step): number {
    return this.#steps.push(step) - 1
  }
}

const NEWLINE: Ranges = [[10, 10]]
const LINE_ENDS: Ranges = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
]
/** The word characters of `\b`. No flag except `u` and `v` changes them. */
const WORD: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]

function isPlainEnd(body: Tree): boolean {
  return body.kind === 'sequence' && body.parts[1]?.kind === 'end'
}

function isAny(ranges: Ranges | null): boolean {
  return ranges?.length === 1 && ranges[0]?.[0] === 0 && ranges[0][1] === 0xffff
}

function union(ranges: Ranges): Ranges {
  const merged: [number, number][] = []
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = merged.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else merged.push([first, last])
  }
  return merged
}
