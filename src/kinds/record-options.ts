/**
 * A kit that records which of its words were called with which arguments. A user's file declares its options with it
 * in its worker; the record crosses to the core as data, which calls its own kit in the same way.
 */
import { isPlainObject, NotPlain, nameOf, plainCopy } from '../util/plain-data.js'

/** One option: `kit.WORD(...args)`. */
export interface RecordedOption {
  readonly name: string
  readonly word: string
  readonly args: readonly unknown[]
}

type Call = Omit<RecordedOption, 'name'>
export type RecordingKit = Readonly<Record<string, (...args: unknown[]) => object>>

export interface Recording {
  readonly kit: RecordingKit
  /** The options that `options(kit)` returned, in their order; throws a sentence where it is not made with the kit. */
  record(returned: unknown): readonly RecordedOption[]
}

/** A kit with these words, and what was called of it. */
export function startRecording(words: readonly string[]): Recording {
  const calls = new WeakMap<object, Call>()
  const recorder = (word: string) => {
    const record = (...args: unknown[]) => {
      const option = Object.freeze({ word })
      calls.set(option, { word, args: plainArguments(word, args) })
      return option
    }
    return [word, record] as const
  }
  const kit = Object.freeze(Object.fromEntries(words.map(recorder)))
  return { kit, record: returned => recordOf(returned, calls) }
}

function plainArguments(word: string, args: readonly unknown[]): readonly unknown[] {
  return args.map((arg, i) => {
    try {
      return plainCopy(arg)
    } catch (error) {
      if (!(error instanceof NotPlain)) throw error
      throw new Error(`argument ${i + 1} of kit.${word} must be plain data, and it is ${error.message}`)
    }
  })
}

function recordOf(returned: unknown, calls: WeakMap<object, Call>): readonly RecordedOption[] {
  if (!isPlainObject(returned))
    throw new Error(`it must return an object with an option for each key, not ${nameOf(returned)}`)
  return Object.entries(returned).map(([name, option]) => {
    const call = typeof option === 'object' && option !== null ? calls.get(option) : undefined
    if (call) return { name, ...call }
    throw new Error(
      `the option "${name}" must be exactly what a word of the kit returned, such as kit.text('', 'What it is for'), not ${nameOf(option)}`,
    )
  })
}
