/**
 * Search in answers: plain text or a regular expression, each by a method with a bounded cost.
 *
 * Why no library: RE2 in JavaScript (re2js) searches in linear time, but it cannot continue from one chunk to the next,
 * so a match would be seen late, or the whole answer would be searched again. Its `\s`, `.`, `$`, case folding and
 * counts differ from JavaScript's, which configurations rely on. This module lets V8 decide which characters each set
 * contains, and the tests compare it with V8 on random expressions.
 */
import { Automaton } from './automaton.js'
import { type Budget, newBudget } from './budget.js'
import { compileTree } from './program.js'
import type { Scan } from './scan.js'
import { needleOf, TextScan } from './scan-text.js'
import { TimedScan } from './scan-timed.js'
import { UnitScan } from './scan-units.js'
import { parseRegExp, type Tree } from './tree.js'

/**
 * The search method. `text`: plain bytes; `table`: a complete automaton, one look-up per byte; both have the same low
 * cost for any text. `automaton`: states are built during the search, in linear time. `timed`: V8 under a time limit.
 */
export type Way = 'text' | 'table' | 'automaton' | 'timed'

/** A compiled search, shared by all runs of a check. */
export interface Searched {
  readonly way: Way
  /** True for the method `timed`. Reading it does not build an automaton. */
  readonly isTimed: boolean
  /** Starts the searches of one run, which share a budget. `budget` is an existing budget to use. */
  begin(budget?: Budget): Search
}

export interface Search {
  /** Starts a text that arrives in chunks. */
  scan(): Scan
  /** Returns whether there is a match in these bytes; null if the budget is used up. */
  occursIn(bytes: Buffer): boolean | null
}

export function searchText(text: string): Searched {
  const needle = needleOf(Buffer.from(text, 'utf8'))
  return searched('text', () => new TextScan(needle))
}

/** Maximum number of cached searches. Thousands of checks use the same expressions, and some compile them in each run. */
const MOST_KNOWN = 2000
const known = new Map<string, Searched>()

/** Compiles an expression. Throws a SyntaxError if V8 rejects it. */
export function searchRegExp(source: string, flags: string): Searched {
  const key = `${flags}/${source}`
  const found = known.get(key)
  if (found) return found
  const made = prepare(source, flags)
  // Removes the oldest entry.
  if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value as string)
  known.set(key, made)
  return made
}

function prepare(source: string, flags: string): Searched {
  // With `g` or `y` the result would depend on the previous one; `d` only adds positions.
  const pattern = new RegExp(source, flags.replace(/[dgy]/g, ''))
  const tree = pattern.unicode || pattern.flags.includes('v') ? null : parseRegExp(source)
  const text = tree && !pattern.ignoreCase ? asciiOf(tree) : null
  if (text !== null) return searchText(text)
  const program = tree && compileTree(tree, pattern.flags)
  if (!program) return searched('timed', budget => new TimedScan(pattern, budget))
  const automaton = new Automaton(program)
  let way: Way | undefined
  const wayOf = () => {
    way ??= automaton.explore() ? 'table' : 'automaton'
    return way
  }
  return searched(wayOf, budget => new UnitScan(automaton, budget))
}

function searched(way: Way | (() => Way), scanOf: (budget: Budget) => Scan): Searched {
  return {
    get way() {
      return typeof way === 'string' ? way : way()
    },
    isTimed: way === 'timed',
    begin: (budget = newBudget()) => ({
      scan: () => scanOf(budget),
      occursIn(bytes) {
        const scan = scanOf(budget)
        scan.push(bytes, 0, bytes.length)
        return scan.end()
      },
    }),
  }
}

/** Returns the text of an expression that is plain ASCII, else null. Beyond ASCII the encoding matters. */
function asciiOf(tree: Tree): string | null {
  const parts = tree.kind === 'sequence' ? tree.parts : [tree]
  const units = parts.map(part => (part.kind === 'unit' && part.unit < 0x80 ? part.unit : -1))
  return units.includes(-1) ? null : String.fromCharCode(...units)
}
