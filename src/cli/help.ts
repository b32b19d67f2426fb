/** The help texts, made from the commands' own tables. */
import { type Command, EXIT_MEANINGS, type OptionSpec } from './command.js'
import { COMMON_OPTIONS } from './parse.js'
import { columns, widthsOf, wrap } from './terminal/columns.js'

/** `lvsd plan CONFIG [--json] …`: one line. */
export function usageLine(command: Command): string {
  const words = Object.entries(command.arguments).map(([name, { optional }]) =>
    optional ? `[${name}]` : name,
  )
  const hasOptions = Object.keys(command.options).length > 0
  return ['lvsd', command.name, ...words, ...(hasOptions ? ['[options]'] : [])].join(' ')
}

/** Columns of a help text at most, and at least; in between it is as wide as the terminal. */
const WIDTH = 100
const NARROW = 40
const INDENT = 2
const GAP = 2

/** `lvsd COMMAND --help`, for so many columns. */
export function commandHelp(command: Command, screen = WIDTH): string {
  const width = widthFor(screen)
  const args = Object.entries(command.arguments).map(([name, { about }]) => [name, about])
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, spec]) => [
    optionWords(name, spec),
    optionAbout(spec),
  ])
  return [
    ...wrap(command.summary, width),
    `\nUsage: ${usageLine(command)}`,
    command.details && `\n${wrap(reflowed(command.details), width).join('\n')}`,
    section('Arguments', args, width),
    section('Options', options, width),
    section(
      'Examples',
      command.examples.map(example => [...example]),
      width,
    ),
    exitSection(width),
  ]
    .filter(Boolean)
    .join('\n')
}

/** `lvsd --help`. */
export function generalHelp(commands: readonly Pick<Command, 'name' | 'summary'>[], screen = WIDTH): string {
  const width = widthFor(screen)
  return [
    ...wrap('lvsd keeps the Linux Virtual Server table in step with the health of the real servers.', width),
    '\nUsage: lvsd COMMAND [arguments] [options]',
    section(
      'Commands',
      commands.map(({ name, summary }) => [name, summary]),
      width,
    ),
    section(
      'Options',
      [
        ['-h, --help', 'this text; after a command, about that command'],
        ['-v, -V, --version', 'the version'],
      ],
      width,
    ),
    exitSection(width),
    '\nTry: lvsd demo',
  ]
    .filter(Boolean)
    .join('\n')
}

/** Lines of one paragraph become one; empty lines and indented ones stay as they are. */
function reflowed(text: string): string {
  return text.replaceAll(/(?<=[^\n])\n(?=[^\s])/g, ' ')
}

function widthFor(screen: number): number {
  return Math.max(NARROW, Math.min(WIDTH, screen))
}

function exitSection(width: number): string {
  return section(
    'Exit codes',
    Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [code, meaning]),
    width,
  )
}

function section(title: string, rows: readonly (readonly string[])[], width: number): string {
  if (rows.length === 0) return ''
  const [first = 0] = widthsOf(rows)
  const beside = width - INDENT - first - GAP
  // Where the first column leaves too little room, the second stands below it.
  if (beside < width / 3) return `\n${title}:\n${stacked(rows, width)}`
  const wrapped = rows.flatMap(([word = '', about = '']) =>
    wrap(about, beside).map((line, i) => [i === 0 ? word : '', line]),
  )
  return `\n${title}:\n${columns(wrapped, { indent: INDENT, gap: GAP })}`
}

function stacked(rows: readonly (readonly string[])[], width: number): string {
  const deeper = INDENT + 4
  return rows
    .flatMap(([word = '', about = '']) => [
      `${' '.repeat(INDENT)}${word}`,
      ...wrap(about, width - deeper).map(line => `${' '.repeat(deeper)}${line}`),
    ])
    .join('\n')
}

function optionWords(name: string, { short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
}

function optionAbout({ about, choices, default: fallback }: OptionSpec): string {
  const notes = [choices?.join(', '), fallback && `default: ${fallback}`].filter(Boolean)
  return notes.length > 0 ? `${about} (${notes.join('; ')})` : about
}
