/**
 * What is searched for in answers: plain text or a regular expression, each in the way that bounds its cost.
 *
 * Why not a library. RE2 in JavaScript (re2js) searches in linear time, but it cannot go on from one piece of an answer to the
 * next, so that a match would be seen late or the whole answer searched again; and its `\s`, `.`, `$`, case folding and
 * counts differ from JavaScript's, which an expression of a configuration has always meant. Here V8 itself is asked which
 * characters each set holds, and V8 is the judge of random expressions in the tests.
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
 * How it is searched. `text`: plain bytes; `table`: an automaton that is complete, each byte one look-up; both at the same
 * small cost for any text. `automaton`: one whose states are made on the way, in linear time. `timed`: V8 under a limit.
 */
export type Way = 'text' | 'table' | 'automaton' | 'timed'

/** What all runs of a check share. */
export interface Searched {
  readonly way: Way
  /** The same as the way `timed`, and known without making any automaton. */
  readonly isTimed: boolean
  /** Begins what one run of a check searches, all of it within one budget; `budget`: one that it has already. */
  begin(budget?: Budget): Search
}

export interface Search {
  /** Begins a text that comes in pieces. */
  scan(): Scan
  /** Whether it occurs in these bytes; null where that is not known within the budget. */
  occursIn(bytes: Buffer): boolean | null
}

export function searchText(text: string): Searched {
  const needle = needleOf(Buffer.from(text, 'utf8'))
  return searched('text', () => new TextScan(needle))
}

/** The same expressions stand in thousands of checks, and in some checks in each of their runs. */
const MOST_KNOWN = 2000
const known = new Map<string, Searched>()

/** Throws where V8 does not take the source. */
export function searchRegExp(source: string, flags: string): Searched {
  const key = `${flags}/${source}`
  const found = known.get(key)
  if (found) return found
  const made = prepare(source, flags)
  // The oldest goes.
  if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value as string)
  known.set(key, made)
  return made
}

function prepare(source: string, flags: string): Searched {
  // `g` and `y` would make the answer depend on the one before; `d` says only where.
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

/** The text of an expression that is nothing else; null for any other, and beyond ASCII, where the encoding counts. */
function asciiOf(tree: Tree): string | null {
  const parts = tree.kind === 'sequence' ? tree.parts : [tree]
  const units = parts.map(part => (part.kind === 'unit' && part.unit < 0x80 ? part.unit : -1))
  return units.includes(-1) ? null : String.fromCharCode(...units)
}
