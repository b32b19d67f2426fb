/** A check's options as people are told of them: for `lvsd checks` and the reference. */
import type { Check } from './check.js'
import { optionKit } from './option-kit.js'
import { typeInWords } from './type-in-words.js'

export interface OptionDescription {
  readonly name: string
  /** `text`, `true or false`, `1 to 65535`, `GET | HEAD`, … */
  readonly type: string
  /** As a configuration would have it; undefined where the option must be given. */
  readonly default: unknown
  readonly about: string
}

/** All options of a check, in the order in which it declares them. */
export function describeOptions(check: Pick<Check, 'options'>): readonly OptionDescription[] {
  return Object.entries(check.options(optionKit)).map(([name, type]) => ({ name, ...typeInWords(type) }))
}
