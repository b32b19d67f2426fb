/**
 * The words of a command line against a command's tables, by commander: values, or one sentence about the first mistake.
 * The one file that imports commander. Its sentences are put in lvsd's own words, with the nearest right word by the rule
 * that configurations have, too.
 */
import { CommanderError, Option, Command as Program } from 'commander'
import { didYouMean } from '../util/closest-match.js'
import { type Command, CommandError, EXIT, type OptionSpec } from './command.js'

export interface ParsedLine {
  readonly help: boolean
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly arguments: Readonly<Record<string, string | undefined>>
}

/** Reads what follows the command's name. Throws a CommandError that names the mistake and the nearest right word. */
export function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const program = programOf(command)
  try {
    program.parse(withOptionalValues(program, words), { from: 'user' })
  } catch (error) {
    if (wantsHelp(words, error)) return { help: true, options: {}, arguments: {} }
    throw error instanceof CommanderError
      ? usageError(sentenceFor(error, command, program), command.name)
      : error
  }
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

/** Ends in the usage exit code, with the way to the help. */
export function usageError(message: string, command?: string): CommandError {
  return new CommandError(`${message}\nTry: lvsd ${command ? `${command} ` : ''}--help`, EXIT.usage)
}

/** The command as commander knows it. It writes nothing and ends nothing: what it has to say, it throws. */
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

/** lvsd itself, for the page that lists its commands. */
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

/** In brackets: a number that may be left out. */
function isOptional({ value }: OptionSpec): boolean {
  return value?.startsWith('[') ?? false
}

/** A word that looks like an option is none, and no value either: the value has been forgotten. */
function checkedValue(given: string, flag: string, spec: OptionSpec, command: string): string {
  const { value, choices } = spec
  if (isOptional(spec)) {
    if (isNumber(given)) return given
    throw usageError(`${flag} takes a number, not "${given}"`, command)
  }
  if (given === '' || /^-./.test(given)) throw usageError(`${flag} needs a value: ${flag} ${value}`, command)
  if (!choices || choices.includes(given)) return given
  throw usageError(
    `${flag} takes ${choices.join(', ')}, not "${given}"${didYouMean(given, choices)}`,
    command,
  )
}

function isNumber(word: string | undefined): boolean {
  return word !== undefined && /^\d+(\.\d+)?$/.test(word)
}

/** `--watch web` becomes `--watch=1 web`: commander would take any next word for the value that may be left out. */
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

/** Also in a line with a mistake: that is what the help is wanted for. */
function wantsHelp(words: readonly string[], error: unknown): boolean {
  if (error instanceof CommanderError && error.code === 'commander.helpDisplayed') return true
  const end = words.indexOf('--')
  return words.some((word, i) => (word === '--help' || word === '-h') && (end === -1 || i < end))
}

/** Commander's own sentence names what it is about in quotes. */
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
