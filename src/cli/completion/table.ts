/** What a shell can complete for each command, from the tables of the commands. Pure. */
import type { Command } from '../command.js'

/**
 * What completes a word: names that the running lvsd knows (`target`: a service or SERVICE/REAL), paths, the words of
 * `choices`, or nothing.
 */
export type Source = 'target' | 'service' | 'real' | 'file' | 'choices' | 'nothing'

export interface Word {
  readonly source: Source
  readonly choices: readonly string[]
}

export interface Flag {
  readonly long: string
  readonly short: string | null
  readonly about: string
  /** Null: it takes no value, or one that may be left out. */
  readonly value: Word | null
}

export interface Row {
  readonly name: string
  readonly summary: string
  readonly flags: readonly Flag[]
  /** In the order of the command line. */
  readonly arguments: readonly Word[]
}

/** By the names that help texts have for arguments and values. */
const SOURCES: Readonly<Record<string, Source>> = {
  TARGET: 'target',
  SERVICE: 'service',
  WHAT: 'service',
  REAL: 'real',
  CONFIG: 'file',
  FILE: 'file',
  PATH: 'file',
  DIR: 'file',
}

const HELP: Flag = { long: '--help', short: '-h', about: 'this text', value: null }

export function completionTable(commands: readonly Command[]): readonly Row[] {
  return commands.map(({ name, summary, options, arguments: words }) => ({
    name,
    summary,
    flags: [
      ...Object.entries(options).map(([long, { short, about, value, choices }]) => ({
        long: `--${long}`,
        short: short ? `-${short}` : null,
        about,
        value: value && !value.startsWith('[') ? wordOf(value, choices) : null,
      })),
      HELP,
    ],
    arguments: Object.entries(words).map(([word, { choices }]) => wordOf(word, choices)),
  }))
}

function wordOf(name: string, choices: readonly string[] = []): Word {
  return { source: choices.length > 0 ? 'choices' : (SOURCES[name] ?? 'nothing'), choices }
}

/** Flags of a row with a value, in both forms. */
export function valued({ flags }: Row): readonly string[] {
  return flags.filter(({ value }) => value).flatMap(({ long, short }) => (short ? [long, short] : [long]))
}

/** `file`, or `choices disable`: what a script branches on. */
export function sourceText({ source, choices }: Word): string {
  return source === 'choices' ? `choices ${choices.join(' ')}` : source
}
