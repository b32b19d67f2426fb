/** Runs in the worker of a user's file: imports the file and describes its export as data. Executes foreign code. */

import { DATA, type ForeignCheck, FUNCTIONS, messageOf } from '../check/import-check.js'
import { asOptionProblem, type OptionProblem, problemOf } from '../check/option-problem.js'
import { NotPlain, nameOf, plainCopy } from '../util/plain-data.js'
import { type RecordedOption, startRecording } from './record-options.js'

/** The export of a file as data. The core validates the values, so that errors are reported uniformly. */
export interface KindRecord {
  /** Values of the data properties. */
  readonly data: Readonly<Record<string, unknown>>
  /** For each property that should be a function: 'function', or a description of its actual type. */
  readonly functions: Readonly<Record<string, 'function' | string>>
  readonly options: readonly RecordedOption[]
}

/** The answer about options that are each valid. */
export interface Verdict {
  /** The error in their combination, or null. */
  readonly wrong: OptionProblem | null
  /** What this machine lacks for them, or null. */
  readonly missing: string | null
}

/** Returns the kind as data. `words` are the functions of the core's option kit. */
export function recordKind(check: ForeignCheck, words: readonly string[]): KindRecord {
  const present = <K extends keyof ForeignCheck>(keys: readonly K[]) =>
    keys.filter(key => check[key] !== undefined)
  return {
    data: Object.fromEntries(present(DATA).map(key => [key, plainValue(check, key)])),
    functions: Object.fromEntries(present(FUNCTIONS).map(key => [key, sortOf(check[key])])),
    options: recordedOptions(check, words),
  }
}

function plainValue(check: ForeignCheck, key: keyof ForeignCheck): unknown {
  try {
    return plainCopy(check[key])
  } catch (error) {
    if (!(error instanceof NotPlain)) throw error
    throw new Error(`\`check.${key}\` must be plain data, but it is ${error.message}`)
  }
}

function sortOf(value: unknown): string {
  return typeof value === 'function' ? 'function' : nameOf(value)
}

function recordedOptions(check: ForeignCheck, words: readonly string[]): readonly RecordedOption[] {
  if (typeof check.options !== 'function') return []
  const { kit, record } = startRecording(words)
  try {
    return record(check.options.call(check, kit))
  } catch (error) {
    throw new Error(`\`options\` fails: ${messageOf(error)}`)
  }
}

/** Calls `validate` and `missing` of the check, if present. */
export function judgeOptions(check: ForeignCheck, options: unknown): Verdict {
  const wrong = asOptionProblem(said(check, 'validate', options, problemIn))
  return { wrong, missing: wrong === null ? said(check, 'missing', options, () => null) : null }
}

/** Returns the sentence that the function returns or fails with, or another result that `read` accepts, or null. */
function said<T>(
  check: ForeignCheck,
  key: 'validate' | 'missing',
  options: unknown,
  read: (result: unknown) => T | null,
): T | string | null {
  const ask = check[key]
  if (typeof ask !== 'function') return null
  try {
    const result: unknown = ask.call(check, options)
    if (typeof result === 'string') return result
    if (result === null || result === undefined) return null
    return read(result) ?? `\`${key}\` must return a sentence or null, not ${nameOf(result)}`
  } catch (error) {
    return `\`${key}\` fails: ${messageOf(error)}`
  }
}

/** Returns `{ path, message }` as plain data, or null for anything else. */
function problemIn(result: unknown): OptionProblem | null {
  const { path, message } = result as Partial<OptionProblem>
  const isPath = Array.isArray(path) && path.every(step => /^(string|number)$/.test(typeof step))
  return isPath && typeof message === 'string' ? problemOf([...path], message) : null
}
