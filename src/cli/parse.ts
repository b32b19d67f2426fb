/** The words of a command line against a command's tables: values, or one sentence about the first mistake. */
import { parseArgs } from 'node:util'
import { didYouMean } from '../util/closest-match.js'
import {
  type ArgumentTable,
  type Command,
  CommandError,
  EXIT,
  type OptionSpec,
  type OptionTable,
} from './command.js'

export interface ParsedLine {
  readonly help: boolean
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly arguments: Readonly<Record<string, string | undefined>>
}

/** Options that every command has. */
export const COMMON_OPTIONS: OptionTable = {
  help: { short: 'h', about: 'this text' },
}

/** Reads what follows the command's name. Throws a CommandError that names the mistake and the nearest right word. */
export function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const table: OptionTable = { ...command.options, ...COMMON_OPTIONS }
  const { tokens } = parseArgs({
    args: withOptionalValues(words, table),
    options: Object.fromEntries(Object.entries(table).map(([name, spec]) => [name, parserEntry(spec)])),
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  const given = tokens.flatMap(token => (token.kind === 'option' ? [token] : []))
  if (given.some(({ name }) => name === 'help')) return { help: true, options: {}, arguments: {} }
  const options = Object.fromEntries(given.map(token => [token.name, readOption(token, command, table)]))
  return {
    help: false,
    options: { ...defaultsOf(command.options), ...options },
    arguments: positionals(
      command,
      tokens.flatMap(token => (token.kind === 'positional' ? [token.value] : [])),
    ),
  }
}

/** Ends in the usage exit code, with the way to the help. */
export function usageError(message: string, command?: string): CommandError {
  return new CommandError(`${message}\nTry: lvsd ${command ? `${command} ` : ''}--help`, EXIT.usage)
}

function parserEntry(spec: OptionSpec) {
  return {
    type: spec.value ? ('string' as const) : ('boolean' as const),
    ...(spec.short && { short: spec.short }),
  }
}

/** `--watch 2` and `--watch` become `--watch=2` and `--watch=DEFAULT`, which parseArgs can tell apart from an argument. */
function withOptionalValues(words: readonly string[], table: OptionTable): string[] {
  const result: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '--') return [...result, ...words.slice(i)]
    const [name, spec] =
      Object.entries(table).find(([long, { short }]) => word === `--${long}` || word === `-${short}`) ?? []
    if (!spec?.value?.startsWith('[')) result.push(word)
    else if (isNumber(words[i + 1])) result.push(`--${name}=${words[++i]}`)
    else result.push(`--${name}=${spec.default ?? ''}`)
  }
  return result
}

function isNumber(word: string | undefined): boolean {
  return word !== undefined && /^\d+(\.\d+)?$/.test(word)
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function readOption(token: OptionToken, command: Command, table: OptionTable): string | boolean {
  const { name, rawName, value, inlineValue } = token
  const spec = Object.hasOwn(table, name) ? table[name] : undefined
  if (!spec) {
    const near = didYouMean(
      rawName,
      Object.keys(table).map(long => `--${long}`),
    )
    throw usageError(`${rawName} is not an option of lvsd ${command.name}${near}`, command.name)
  }
  if (!spec.value) {
    if (value !== undefined) throw usageError(`${rawName} takes no value`, command.name)
    return true
  }
  if (value === undefined || value === '' || (!inlineValue && /^-./.test(value)))
    throw usageError(`${rawName} needs a value: ${rawName} ${spec.value}`, command.name)
  if (spec.value.startsWith('[') && !isNumber(value))
    throw usageError(`${rawName} takes a number, not "${value}"`, command.name)
  if (spec.choices && !spec.choices.includes(value))
    throw usageError(
      `${rawName} takes ${spec.choices.join(', ')}, not "${value}"${didYouMean(value, spec.choices)}`,
      command.name,
    )
  return value
}

/** Flags are off and values have their defaults; a value in brackets is absent until its option is given. */
function defaultsOf(table: OptionTable): Record<string, string | boolean | undefined> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { value, default: fallback }]) => [
      name,
      value ? (value.startsWith('[') ? undefined : fallback) : false,
    ]),
  )
}

function positionals(command: Command, values: readonly string[]): Record<string, string | undefined> {
  const table: ArgumentTable = command.arguments
  const names = Object.keys(table)
  const missing = names.find((name, i) => values[i] === undefined && !table[name]?.optional)
  if (missing !== undefined)
    throw usageError(`lvsd ${command.name} needs ${missing}: ${table[missing]?.about}`, command.name)
  if (values.length > names.length)
    throw usageError(
      `"${values[names.length]}" is one argument too many for lvsd ${command.name}`,
      command.name,
    )
  return Object.fromEntries(names.map((name, i) => [name, values[i]]))
}
