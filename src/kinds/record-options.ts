/**
 * An option kit that records the calls of its functions and their arguments. A user's file declares its options with it
 * in a worker. The core receives the record as data and repeats the calls with its own kit.
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
  /** Returns the options that `options(kit)` returned, in order. Throws an Error if it returned anything else. */
  record(returned: unknown): readonly RecordedOption[]
}

/** Returns a kit with these functions, and access to the recorded calls. */
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
      throw new Error(`argument ${i + 1} of kit.${word} must be plain data, but it is ${error.message}`)
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
      `the option "${name}" must be exactly what a function of the kit returned, such as kit.text('', 'What it is for'), not ${nameOf(option)}`,
    )
  })
}
