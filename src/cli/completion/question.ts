/** The question of a completion script: `lvsd completion words --words target --begun=web/ --service=web`. Pure. */
import type { WordSource } from './words.js'

export interface Question {
  readonly source: WordSource
  /** The beginning of the word. */
  readonly begun: string
  readonly service: string | null
  /** Path of the control socket; undefined: the usual one. */
  readonly socket: string | undefined
}

const SOURCES = ['target', 'service', 'real'] as const satisfies readonly WordSource[]

/** Returns the question of these words of a command line; null: they have another form, which the parser reads. */
export function questionOf([command, words, flag, given, ...rest]: readonly string[]): Question | null {
  const source = SOURCES.find(each => each === given)
  if (command !== 'completion' || words !== 'words' || flag !== '--words' || !source) return null
  const values = new Map(rest.map(word => valueIn(word)))
  const isPlain = rest.length === values.size && [...values.keys()].every(name => NAMES.has(name))
  if (!isPlain) return null
  return {
    source,
    begun: values.get('begun') ?? '',
    service: values.get('service') ?? null,
    socket: values.get('socket'),
  }
}

const NAMES: ReadonlySet<string> = new Set(['begun', 'service', 'socket'])

/** Returns name and value of `--NAME=VALUE`; the whole word as the name where it has no value. */
function valueIn(word: string): [name: string, value: string] {
  const [, name = word, value = ''] = /^--([a-z]+)=(.+)$/s.exec(word) ?? []
  return [name, value]
}
