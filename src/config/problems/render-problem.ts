/**
 * Formats problems for people: position, code and message, the line of the file, and a mark under the wrong part.
 *
 *     site.yaml:14:5 UNKNOWN_KEY  "recieve" is not an option of http; did you mean "receive"?
 *         recieve: ok
 *         ^^^^^^^
 */

import { type Hiding, secretNames, shownLines } from '../secrets.js'
import type { Problem } from './problem.js'
import { type RenderOptions, renderProblem } from './render-one.js'

/** A configuration as it was read, with its problems. */
export interface Told {
  readonly problems: readonly Problem[]
  readonly text: string
  /** Included files. */
  readonly included?: readonly { readonly path: string; readonly text: string }[]
  readonly hiding?: Hiding
}

/** Used if the kinds of check are unknown. */
const BY_NAME: Hiding = { isSecret: secretNames(new Map()), hidden: [] }

/** Limit of problems, or groups of problems, that are shown. */
const MOST_SHOWN = 200

/** Returns the problems with their lines. The text ends with a line break, unless there are no problems. */
export function renderProblems(
  { problems, text, included = [], hiding = BY_NAME }: Told,
  options: RenderOptions = {},
): string {
  const main = shownLines(text, hiding)
  const others = new Map(included.map(one => [one.path, shownLines(one.text, hiding, one.path)]))
  const lineOf = ({ at }: Problem) => (at.file === undefined ? main : others.get(at.file))?.(at.line) ?? ''
  const groups = grouped(problems)
  const shown = groups.slice(0, MOST_SHOWN).map(([problem, ...same]) => {
    const again = same.length === 0 ? '' : `    the same in ${placesOf(same)}\n`
    return `${renderProblem(problem, lineOf(problem), options)}\n${again}`
  })
  const left = groups.length - shown.length
  return shown.join('') + (left > 0 ? `and ${left} more: correct these first, or use --json\n` : '')
}

type Group = readonly [Problem, ...Problem[]]

/**
 * Groups warnings and notes whose messages differ only in the words in quotes. Each error is its own group, because
 * each needs its own correction.
 */
function grouped(problems: readonly Problem[]): readonly Group[] {
  const groups = new Map<string, [Problem, ...Problem[]]>()
  for (const [i, problem] of problems.entries()) {
    const { severity, code, message, file } = problem
    const key =
      severity === 'error'
        ? String(i)
        : JSON.stringify([severity, code, file, message.replace(/"[^"]*"/g, '""')])
    const group = groups.get(key)
    if (group) group.push(problem)
    else groups.set(key, [problem])
  }
  return [...groups.values()]
}

/** Limit of line numbers in a list. */
const MOST_LINES = 20

function placesOf(problems: readonly Problem[]): string {
  const lines = [...new Set(problems.map(({ at }) => at.line))]
  if (lines.length === 1) return `line ${lines[0]}`
  const more = lines.length > MOST_LINES ? ' …' : ''
  return `${lines.length} other lines: ${lines.slice(0, MOST_LINES).join(', ')}${more}`
}
