/**
 * Puts the problems of a text together that was read in part: those of the services that stay, at the lines where these
 * stand now, and those of what was read again. Pure.
 */
import { isSameValue } from '../util/same-value.js'
import { START } from './problems/position.js'
import type { Position, Problem } from './problems/problem.js'
import { byPlace, MOST_PROBLEMS } from './problems/report.js'
import type { Hidden } from './secrets.js'
import type { TextBlocks } from './text-blocks.js'

/** A text that was read: its problems, and the positions of secrets in it. */
export interface Told {
  readonly blocks: TextBlocks
  readonly problems: readonly Problem[]
  readonly hidden: readonly Hidden[]
}

/**
 * Returns the problems of `now`, and the positions of secrets. `known` is the text before, `read` consists of the head of
 * `now` and of the blocks that `known` does not have. Null if a problem may be another one in `now`: if it does not belong
 * to one block, or names a line.
 */
export function movedProblems(now: TextBlocks, known: Told, read: Told): Omit<Told, 'blocks'> | null {
  const all = [...known.problems, ...read.problems]
  if (all.length === 0) return { problems: [], hidden: [] }
  if (all.length >= MOST_PROBLEMS || all.some(isBound)) return null
  const reread = new Set(read.blocks.blocks.map(({ text }) => text))
  const before = new Mover(known.blocks, now, text => !reread.has(text))
  const again = new Mover(read.blocks, now, () => true)
  if (!isSameValue(before.inHead(known.problems), again.inHead(read.problems))) return null
  const problems = [...again.inHead(read.problems)]
  for (const [mover, told] of [[before, known] as const, [again, read] as const])
    for (const problem of told.problems) {
      if (mover.isBehind(problem.at)) return null
      const at = mover.moved(problem.at)
      if (at) problems.push({ ...problem, at })
    }
  const heads = read.hidden.filter(at => again.isInHead(at))
  const hidden = [
    known.hidden.flatMap(at => before.moved(at) ?? []),
    read.hidden.flatMap(at => again.moved(at) ?? []),
  ]
  return { problems: problems.sort(byPlace), hidden: [...heads, ...hidden.flat()] }
}

/** True for a problem whose message follows from more than its own block, or that stands in another file. */
function isBound({ message, at, code }: Problem): boolean {
  return /\bline \d/.test(message) || at.file !== undefined || code === 'MORE_PROBLEMS'
}

/** Moves positions from the blocks of one text to the same blocks of another one. */
class Mover {
  /** First line of each block, and of what follows the last one. */
  readonly #from: readonly number[]
  readonly #blocks: TextBlocks['blocks']
  readonly #to = new Map<string, number>()

  /** Blocks for which `isMoved` is false have no place in the other text. */
  constructor(from: TextBlocks, to: TextBlocks, isMoved: (text: string) => boolean) {
    this.#from = firstLines(from)
    this.#blocks = from.blocks
    const lines = firstLines(to)
    for (const [i, { text }] of to.blocks.entries()) if (isMoved(text)) this.#to.set(text, lines[i] ?? 1)
  }

  /** A problem of the whole text stands at its start, which is in the first block if there is no head. */
  isInHead({ line, column, length }: Position): boolean {
    return line < (this.#from[0] ?? 1) || isSameValue({ line, column, length }, START)
  }

  isBehind({ line }: Position): boolean {
    return line >= (this.#from.at(-1) ?? 1)
  }

  inHead(problems: readonly Problem[]): readonly Problem[] {
    return problems.filter(({ at }) => this.isInHead(at))
  }

  /** Returns null for a position outside the blocks, or in one without a place. */
  moved<P extends Hidden>(at: P): P | null {
    if (this.isInHead(at)) return null
    const i = this.#from.findLastIndex(first => first <= at.line)
    const to = this.#to.get(this.#blocks[i]?.text ?? '')
    const by = to === undefined ? null : to - (this.#from[i] ?? 1)
    if (by === null) return null
    return { ...at, line: at.line + by, ...(at.lastLine !== undefined && { lastLine: at.lastLine + by }) }
  }
}

function firstLines({ head, blocks }: TextBlocks): readonly number[] {
  const lines = [1 + newlinesIn(head)]
  for (const { text } of blocks) lines.push((lines.at(-1) ?? 1) + Math.max(1, newlinesIn(text)))
  return lines
}

function newlinesIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}
