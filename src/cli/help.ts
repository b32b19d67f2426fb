/** The help texts: commander's lists of arguments, options and commands, plus introduction, examples and exit codes. */

import { widthOf } from '../util/text-width.js'
import { wrap } from '../util/wrap-text.js'
import { type Command, EXIT_MEANINGS } from './command.js'
import { generalProgram, programOf } from './parse.js'
import { widthsOf } from './terminal/columns.js'

type Program = ReturnType<typeof programOf>
type Page = ReturnType<Program['createHelp']>
type Rows = readonly (readonly [term: string, about: string])[]

/** Maximum and minimum columns of a help text. Between them it has the width of the terminal. */
const WIDTH = 100
const NARROW = 40

/** Returns the text of `lvsd COMMAND --help` for a screen of this many columns. */
export function commandHelp(command: Command, screen = WIDTH): string {
  return helpPage(programOf(command), { intro: command.summary, examples: command.examples, screen })
}

/** Returns the text of `lvsd --help`. */
export function generalHelp(commands: readonly Pick<Command, 'name' | 'summary'>[], screen = WIDTH): string {
  const intro = 'lvsd keeps the Linux Virtual Server table in step with the health of the real servers.'
  return `${helpPage(generalProgram(commands), { intro, screen })}\nTry: lvsd demo`
}

function helpPage(
  program: Program,
  { intro, examples = [], screen }: { intro: string; examples?: Rows; screen: number },
): string {
  const page = pageOf(program, Math.max(NARROW, Math.min(WIDTH, screen)))
  return [
    `${page.boxWrap(intro, page.helpWidth ?? WIDTH)}\n`,
    page.formatHelp(program, page),
    section('Examples:', examples, page),
    section('Exit codes:', Object.entries(EXIT_MEANINGS), page),
  ]
    .filter(Boolean)
    .join('\n')
}

/**
 * Returns commander's layout, with lvsd's rules for the width, and with choices and default of an option in one list.
 */
function pageOf(program: Program, width: number): Page {
  const page = program.createHelp()
  const beside = page.formatItem
  return Object.assign(page, {
    helpWidth: width,
    minWidthToWrap: 1,
    displayWidth: widthOf,
    boxWrap: wrap,
    subcommandTerm: (command: Program) => command.name(),
    commandDescription: (command: Program) => reflowed(command.description()),
    optionDescription,
    // If the terms leave too little room, the descriptions are printed below them.
    formatItem: (term: string, termWidth: number, about: string) =>
      width - termWidth - 4 < width / 3
        ? `  ${term}\n${wrap(about, width - 6).replaceAll(/^/gm, ' '.repeat(6))}`
        : beside.call(page, term, termWidth, about, page),
  })
}

function optionDescription({ description, argChoices, defaultValue, presetArg }: Program['options'][number]) {
  const fallback = presetArg ?? defaultValue
  const notes = [argChoices?.join(', '), fallback && `default: ${fallback}`].filter(Boolean)
  return notes.length > 0 ? `${description} (${notes.join('; ')})` : description
}

function section(title: string, rows: Rows, page: Page): string {
  const [terms = 0] = widthsOf(rows)
  const items = rows.map(([term, about]) => page.formatItem(term, terms, about, page))
  return page.formatItemList(title, items, page).join('\n')
}

/** Joins the lines of each paragraph and of each list item (`- `), whose further lines may be indented. Keeps empty lines. */
function reflowed(text: string): string {
  return text.replaceAll(/(?<=[^\n])\n(?!\n|- ) */g, ' ')
}
