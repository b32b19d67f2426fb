/** The help texts, made from the commands' own tables. */
import { type Command, EXIT_MEANINGS, type OptionSpec } from '../commands/command.js'
import { columns, widthsOf, wrap } from '../terminal/columns.js'
import { COMMON_OPTIONS } from './parse.js'

/** `lvsd plan CONFIG [--json] …`: one line. */
export function usageLine(command: Command): string {
  const words = Object.entries(command.arguments).map(([name, { optional }]) =>
    optional ? `[${name}]` : name,
  )
  const hasOptions = Object.keys(command.options).length > 0
  return ['lvsd', command.name, ...words, ...(hasOptions ? ['[options]'] : [])].join(' ')
}

/** Columns of a help text at most. */
const WIDTH = 100
const INDENT = 2
const GAP = 2

/** `lvsd COMMAND --help`. */
export function commandHelp(command: Command): string {
  const args = Object.entries(command.arguments).map(([name, { about }]) => [name, about])
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, spec]) => [
    optionWords(name, spec),
    optionAbout(spec),
  ])
  return [
    command.summary,
    `\nUsage: ${usageLine(command)}`,
    command.details && `\n${wrap(reflowed(command.details), WIDTH).join('\n')}`,
    section('Arguments', args),
    section('Options', options),
    section(
      'Examples',
      command.examples.map(example => [...example]),
    ),
    exitSection(),
  ]
    .filter(Boolean)
    .join('\n')
}

/** `lvsd --help`. */
export function generalHelp(commands: readonly Pick<Command, 'name' | 'summary'>[]): string {
  return [
    'lvsd keeps the Linux Virtual Server table in step with the health of the real servers.',
    '\nUsage: lvsd COMMAND [arguments] [options]',
    section(
      'Commands',
      commands.map(({ name, summary }) => [name, summary]),
    ),
    section('Options', [
      ['-h, --help', 'this text; after a command, about that command'],
      ['-V, --version', 'the version'],
    ]),
    exitSection(),
    '\nTry: lvsd demo',
  ]
    .filter(Boolean)
    .join('\n')
}

/** Lines of one paragraph become one; empty lines and indented ones stay as they are. */
function reflowed(text: string): string {
  return text.replaceAll(/(?<=[^\n])\n(?=[^\s])/g, ' ')
}

function exitSection(): string {
  return section(
    'Exit codes',
    Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [code, meaning]),
  )
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const [first = 0] = widthsOf(rows)
  const room = Math.max(WIDTH / 3, WIDTH - INDENT - first - GAP)
  const wrapped = rows.flatMap(([word = '', about = '']) =>
    wrap(about, room).map((line, i) => [i === 0 ? word : '', line]),
  )
  return `\n${title}:\n${columns(wrapped, { indent: INDENT, gap: GAP })}`
}

function optionWords(name: string, { short, value }: OptionSpec): string {
  return `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
}

function optionAbout({ about, choices, default: fallback }: OptionSpec): string {
  const notes = [choices?.join(', '), fallback && `default: ${fallback}`].filter(Boolean)
  return notes.length > 0 ? `${about} (${notes.join('; ')})` : about
}
