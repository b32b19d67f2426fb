/**
 * Parses a command line by the tables of a command, with commander. The result is values, or one sentence about the
 * first mistake. Only this file imports commander. Its messages are replaced by lvsd's own, which suggest the closest
 * valid word by the same rule as for configurations.
 */
import { CommanderError, Option, Command as Program } from 'commander'
import { didYouMean } from '../util/closest-match.js'
import { type Command, CommandError, EXIT, type OptionSpec } from './command.js'

export interface ParsedLine {
  readonly help: boolean
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly arguments: Readonly<Record<string, string | undefined>>
}

/** Parses the words after the command's name. Throws a CommandError with the mistake and the closest valid word. */
export function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const program = programOf(command)
  refuseFlagAsValue(program, words, command)
  try {
    program.parse(withOptionalValues(program, words), { from: 'user' })
  } catch (error) {
    if (wantsHelp(words, error)) return { help: true, options: {}, arguments: {} }
    refuseNumberLike(program, words, command)
    throw error instanceof CommanderError
      ? usageError(sentenceFor(error, command, program), command.name)
      : error
  }
  refuseNumberLike(program, words, command)
  return {
    help: false,
    options: Object.fromEntries(
      program.options.map(option => [option.name(), program.getOptionValue(option.attributeName())]),
    ),
    arguments: Object.fromEntries(
      program.registeredArguments.map((argument, i) => [argument.name(), program.args[i]]),
    ),
  }
}

/** Returns a CommandError with the exit code for usage, which refers to the help. */
export function usageError(message: string, command?: string): CommandError {
  return new CommandError(`${message}\nTry: lvsd ${command ? `${command} ` : ''}--help`, EXIT.usage)
}

/** Returns the command in commander's form. It throws its messages instead of printing them and ending the process. */
export function programOf(command: Command): Program {
  const { name, details } = command
  const words = Object.entries(command.arguments)
  const program = new Program(`lvsd ${name}`)
    .description(details)
    .helpOption('-h, --help', 'this text')
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
  for (const [word, { about, optional }] of words)
    program.argument(optional ? `[${word}]` : `<${word}>`, about)
  for (const [long, spec] of Object.entries(command.options)) program.addOption(optionOf(long, spec, name))
  return program
}

/** Returns lvsd itself in commander's form, for the help text with the list of commands. */
export function generalProgram(commands: readonly Pick<Command, 'name' | 'summary'>[]): Program {
  const program = new Program('lvsd')
    .usage('COMMAND [arguments] [options]')
    .helpOption('-h, --help', 'this text; after a command, about that command')
    .helpCommand(false)
    .version('', '-v, --version', 'the version')
  for (const { name, summary } of commands) program.command(name).summary(summary)
  return program
}

function optionOf(long: string, spec: OptionSpec, command: string): Option {
  const { short, value, about, choices } = spec
  const flag = short ? `-${short}, --${long}` : `--${long}`
  if (!value) return new Option(flag, about).default(false)
  const option = new Option(`${flag} ${isOptional(spec) ? value : `<${value}>`}`, about)
  if (choices) option.choices(choices)
  if (isOptional(spec)) option.preset(spec.default)
  else option.default(spec.default)
  return option.argParser(given => checkedValue(given, `--${long}`, spec, command))
}

/** True if the value is in brackets: an optional number. */
function isOptional({ value }: OptionSpec): boolean {
  return value?.startsWith('[') ?? false
}

/** Returns the value, or throws a usage error. */
function checkedValue(given: string, flag: string, spec: OptionSpec, command: string): string {
  const { value, choices } = spec
  if (isOptional(spec)) {
    if (isNumber(given)) return given
    throw usageError(`${flag} takes a number, not "${given}"`, command)
  }
  if (given === '') throw usageError(`${flag} needs a value: ${flag} ${value}`, command)
  if (!choices || choices.includes(given)) return given
  throw usageError(
    `${flag} takes ${choices.join(', ')}, not "${given}"${didYouMean(given, choices)}`,
    command,
  )
}

function isNumber(word: string | undefined): boolean {
  return word !== undefined && /^\d+(\.\d+)?$/.test(word)
}

/** Turns `--watch web` into `--watch=1 web`, because commander takes any next word as the optional value. */
function withOptionalValues({ options }: Program, words: readonly string[]): string[] {
  const flags = options.flatMap(({ optional, short, long, presetArg }) =>
    optional ? [short, long].map(flag => ({ flag, full: `${long}=${presetArg}` })) : [],
  )
  const end = words.indexOf('--')
  return words.map((word, i) => {
    const bare = end === -1 || i < end ? flags.find(({ flag }) => flag === word) : undefined
    return bare && !isNumber(words[i + 1]?.replace(/^-/, '')) ? bare.full : word
  })
}

/**
 * Throws for `--reason --force`: the value is probably missing, and commander would take the next word. A value that
 * begins with a dash is given as `--reason=-x`.
 */
function refuseFlagAsValue(program: Program, words: readonly string[], command: Command): void {
  if (wantsHelp(words, null)) return
  for (let i = 0; i < words.length && words[i] !== '--'; i++) {
    const option = program.options.find(({ short, long }) => words[i] === short || words[i] === long)
    if (!option?.required) continue
    const next = words[++i] ?? ''
    if (!/^-./.test(next)) continue
    const isFlag = program.options.some(({ short, long }) => next === short || next === long)
    const advice = isFlag ? '' : `; a value that begins with - follows =: ${option.long}=${next}`
    const usage = `${option.long} ${command.options[option.name()]?.value}`
    throw usageError(`${option.long} needs a value: ${usage}${advice}`, command.name)
  }
}

/** Throws for `-5`, which commander takes for an argument. It is one after `--`, and in the place of a number. */
function refuseNumberLike(program: Program, words: readonly string[], command: Command): void {
  const end = words.indexOf('--')
  const specs = Object.values(command.arguments)
  const flag = program.args.find((word, i) => /^-\d/.test(word) && !specs[i]?.isNumber)
  const at = flag === undefined ? -1 : words.indexOf(flag)
  // A bundle such as -c5 is no word of its own.
  if (flag !== undefined && (at === -1 || end === -1 || at < end))
    throw usageError(unknownOption(flag, command), command.name)
}

/** True if help is requested, even if the line has a mistake. */
function wantsHelp(words: readonly string[], error: unknown): boolean {
  if (error instanceof CommanderError && error.code === 'commander.helpDisplayed') return true
  const end = words.indexOf('--')
  return words.some((word, i) => (word === '--help' || word === '-h') && (end === -1 || i < end))
}

/** Returns lvsd's message for an error of commander, whose message has the subject in quotes. */
function sentenceFor({ code, message }: CommanderError, command: Command, program: Program): string {
  const name = `lvsd ${command.name}`
  const subject = /'(.*)'/s.exec(message)?.[1] ?? ''
  switch (code) {
    case 'commander.missingArgument':
      return `${name} needs ${subject}: ${command.arguments[subject]?.about}`
    case 'commander.excessArguments':
      return `"${program.args[program.registeredArguments.length]}" is one argument too many for ${name}`
    case 'commander.optionMissingArgument': {
      const usage = subject.replace(/^-., |[<>]/g, '')
      return `${usage.split(' ')[0]} needs a value: ${usage}`
    }
    case 'commander.unknownOption':
      return unknownOption(subject.split('=')[0] ?? '', command)
    default:
      return message.replace(/^error: /, '')
  }
}

function unknownOption(flag: string, { name, options }: Command): string {
  const flags = ['help', ...Object.keys(options)].map(long => `--${long}`)
  if (flags.includes(flag)) return `${flag} takes no value`
  return `${flag} is not an option of lvsd ${name}${didYouMean(flag, flags)}`
}
