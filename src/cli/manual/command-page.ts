/** The man page lvsd(8), from the tables of the commands. Pure. */
import { type Command, EXIT_MEANINGS, type OptionSpec } from '../command.js'
import { bold, head, italic, item, joined, paragraph, plain, section, subsection, term } from './roff.js'

const ABOUT = [
  'lvsd keeps a Linux Virtual Server (IPVS) table in step with the health of its real servers. It checks every real server, removes failed ones from the table of the kernel, adds them again when they recover, and repairs the table when another program changes it.',
  'The command run is the daemon. The other commands look at a configuration before it is used, or ask the running daemon and steer it over its control socket.',
]

const ENVIRONMENT = [
  ['LVSD_SOCKET', 'the control socket, if no --socket is given'],
  ['LVSD_DEBUG', '1 shows where an error comes from'],
  ['LVSD_TRACE', 'netlink prints every message to and from the kernel on standard error'],
  ['NO_COLOR', 'any value turns colours off'],
] as const

const FILES = [
  ['/etc/lvsd/lvsd.yaml', 'the configuration that the systemd unit runs: see lvsd.yaml(5)'],
  ['/run/lvsd/lvsd.sock', 'the control socket'],
  ['/var/lib/lvsd', 'what lvsd remembers between runs'],
] as const

/** Returns the page. `date` is YYYY-MM-DD. */
export function commandPage(commands: readonly Command[], { version, date }: ManualFacts): string {
  return joined([
    head({ name: 'lvsd', section: 8, date, version }),
    section('NAME'),
    plain('lvsd - Linux Virtual Server daemon: health checks for IPVS'),
    section('SYNOPSIS'),
    `${bold('lvsd')} ${italic('COMMAND')} ${plain('[arguments] [options]')}`,
    '.br',
    `${bold('lvsd')} ${italic('COMMAND')} ${bold('--help')}`,
    section('DESCRIPTION'),
    ...ABOUT.map(text => paragraph(plain(text))),
    section('COMMANDS'),
    ...commands.map(({ name, summary }) => term(bold(name), plain(summary))),
    ...commands.flatMap(commandSection),
    section('EXIT STATUS'),
    ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => term(bold(code), plain(meaning))),
    section('ENVIRONMENT'),
    ...ENVIRONMENT.map(([name, about]) => term(bold(name), plain(about))),
    section('FILES'),
    ...FILES.map(([name, about]) => term(italic(name), plain(about))),
    section('SEE ALSO'),
    `${bold('lvsd.yaml')}(5), ${bold('ipvsadm')}(8), ${bold('systemctl')}(1), ${bold('ldirectord')}(8)`,
  ])
}

export interface ManualFacts {
  readonly version: string
  readonly date: string
}

function commandSection({ name, summary, details, examples, ...rest }: Command): string[] {
  const words = Object.entries(rest.arguments)
  const options = Object.entries(rest.options)
  return [
    section(`lvsd ${name}`),
    [
      bold(`lvsd ${name}`),
      ...words.map(([word, { optional }]) => (optional ? `[${italic(word)}]` : italic(word))),
      ...(options.length > 0 ? ['[options]'] : []),
    ].join(' '),
    paragraph(plain(`${summary}.`)),
    ...details
      .split(/\n\s*\n/)
      .filter(Boolean)
      .map(detailsBlock),
    ...words.map(([word, { about }]) => term(italic(word), plain(about))),
    ...options.map(([long, spec]) => term(flagsOf(long, spec), plain(aboutOf(spec)))),
    ...(examples.length > 0 ? [subsection('Examples')] : []),
    ...examples.map(([line, about]) => term(bold(line), plain(about))),
  ]
}

/** A paragraph, or a list whose items begin with `- `; a paragraph may stand before the first item. */
function detailsBlock(text: string): string {
  const [first = '', ...items] = text.split(/^- /m)
  return [
    ...(first === '' ? [] : [paragraph(plain(reflowed(first)))]),
    ...items.map(each => item(plain(reflowed(each)))),
  ].join('\n')
}

function reflowed(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}

function flagsOf(long: string, { short, value }: OptionSpec): string {
  const flags = [...(short ? [bold(`-${short}`)] : []), bold(`--${long}`)].join(', ')
  if (!value) return flags
  return value.startsWith('[') ? `${flags} [${italic(value.slice(1, -1))}]` : `${flags} ${italic(value)}`
}

function aboutOf({ about, choices, default: fallback }: OptionSpec): string {
  const notes = [choices?.join(', '), fallback && `default: ${fallback}`].filter(Boolean)
  return notes.length > 0 ? `${about} (${notes.join('; ')})` : about
}
