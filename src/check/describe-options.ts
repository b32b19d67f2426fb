/** Describes the options of a check for people: `lvsd checks` and the reference. */
import type { Check } from './check.js'
import { optionKit } from './option-kit.js'
import { typeInWords } from './type-in-words.js'

export interface OptionDescription {
  readonly name: string
  /** Description of the type: `text`, `true or false`, `1 to 65535`, `GET | HEAD`, … */
  readonly type: string
  /** The default in the notation of configurations; undefined if the option is required. */
  readonly default: unknown
  readonly about: string
}

/** Returns all options of a check in the order of declaration. */
export function describeOptions(check: Pick<Check, 'options'>): readonly OptionDescription[] {
  return Object.entries(check.options(optionKit)).map(([name, type]) => ({ name, ...typeInWords(type) }))
}
