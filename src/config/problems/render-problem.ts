/**
 * Formats problems for people: position, code and message, the line of the file, and a mark under the wrong part.
 *
 *     site.yaml:14:5 UNKNOWN_KEY  "recieve" is not an option of http; did you mean "receive"?
 *         recieve: ok
 *         ^^^^^^^
 */

import { painter, type Style } from '../../util/paint.js'
import { widthOf } from '../../util/text-width.js'
import { type Hiding, secretNames, shownLines } from '../secrets.js'
import type { Problem } from './problem.js'

export interface RenderOptions {
  readonly colour?: boolean
}

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

/** Formats one problem. `line` is the line of the file at its position, without secrets. */
export function renderProblem(
  problem: Problem,
  line: string,
  { colour = false }: RenderOptions = {},
): string {
  const { severity, code, message, file, at } = problem
  const paint = painter(colour)
  const word = severity === 'error' ? code : `${severity} ${code}`
  const head = `${visible(file)}:${at.line}:${at.column} ${paint(STYLE[severity], word)}  ${visible(message)}`
  const excerpt = excerptOf(line, at.column, at.length)
  if (excerpt.text.trim() === '') return head
  return `${head}\n    ${excerpt.text}\n    ${excerpt.before}${paint(STYLE[severity], excerpt.carets)}`
}

const STYLE: Readonly<Record<Problem['severity'], Style>> = { error: 'red', warning: 'yellow', note: 'cyan' }

/** Limit of characters of a line that are shown. */
const WIDTH = 160

interface Excerpt {
  readonly text: string
  /** Blanks with the same width as the text before the marked part. */
  readonly before: string
  readonly carets: string
}

function excerptOf(line: string, column: number, length: number): Excerpt {
  const all = [...line]
  const indent = all.findIndex(character => character.trim() !== '')
  const from = Math.max(0, Math.min(indent, column - 1), column - 1 - WIDTH / 2)
  const shown = all.slice(from, from + WIDTH)
  const start = column - 1 - from
  const marked = shown.slice(start, start + length)
  return {
    text: visible(shown.join('')),
    before: shown.slice(0, start).map(blankFor).join(''),
    carets: '^'.repeat(
      Math.max(
        1,
        marked.reduce((sum, character) => sum + widthOf(character), 0),
      ),
    ),
  }
}

function blankFor(character: string): string {
  return character === '\t' ? '\t' : ' '.repeat(widthOf(character))
}

/**
 * Replaces control characters, so that the content of a file cannot move the cursor or change the colours of a
 * terminal.
 */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, character =>
    character === '\t' ? '\t' : '\ufffd',
  )
}
