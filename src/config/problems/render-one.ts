/** Formats one problem. Without the schema, which hides secrets, so that a command loads it quickly. */
import { painter, type Style } from '../../util/paint.js'
import { widthOf } from '../../util/text-width.js'
import type { Problem } from './problem.js'

export interface RenderOptions {
  readonly colour?: boolean
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
