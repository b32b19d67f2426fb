/** Repeats recorded calls with the core's kit, to get the core's types, defaults and messages. */

import { type OptionKit, type OptionShape, optionKit } from '../check/option-kit.js'
import { z } from '../check/option-types.js'
import type { RecordedOption } from './record-options.js'

/** Returns the option types that the record declares. */
export function replayOptions(recorded: readonly RecordedOption[], kit: OptionKit): OptionShape {
  const words = kit as unknown as Readonly<Record<string, (...args: unknown[]) => z.ZodType>>
  return Object.fromEntries(
    recorded.map(({ name, word, args }) => [name, words[word]?.(...args)]),
  ) as OptionShape
}

/** Returns the error in the arguments of a record, or null. Arguments from JavaScript files are not type-checked. */
export function whyNotReplayable(recorded: readonly RecordedOption[]): string | null {
  for (const option of recorded) {
    const why = whyWrong(option)
    if (why !== null) return `the option "${option.name}": ${why}`
  }
  return null
}

function whyWrong(option: RecordedOption): string | null {
  if (!Object.hasOwn(optionKit, option.word)) return `the kit has no function "${option.word}"`
  try {
    const type = replayOptions([option], optionKit)[option.name]
    if (!(type instanceof z.ZodType)) return `kit.${option.word} does not return a type`
    const about: unknown = type.description
    if (about !== undefined && typeof about !== 'string')
      return `the description passed to kit.${option.word} must be a text`
    return whyWrongDefault(option, type)
  } catch (error) {
    return `kit.${option.word} does not take these arguments: ${(error as Error).message}`
  }
}

/** Rejects a default that its type does not accept; otherwise everybody who omits the option would get an error. */
function whyWrongDefault({ word }: RecordedOption, type: z.ZodType): string | null {
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as { default?: unknown }
  const taken = type.safeParse(schema.default)
  if (schema.default === undefined || taken.success) return null
  return `the default of kit.${word} is not a valid value of the option: ${taken.error.issues[0]?.message}`
}
