/**
 * The shape of a command. A file in this folder that exports `command` is a command of its file's name: there is no
 * list to edit. Its tables give the parser, the help text and the types of what `run` is handed.
 */
import type { Screen } from './terminal/screen.js'

/** What the process ends with, the same for every command; `lvsd --help` prints this table. */
export const EXIT = {
  ok: 0,
  problem: 1,
  usage: 2,
  unreachable: 3,
  kernel: 4,
  fault: 5,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** One sentence for each exit code. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [EXIT.ok]: 'all is well',
  [EXIT.problem]: 'a problem was found: in the configuration, in a check, in a reload',
  [EXIT.usage]: 'the command line is wrong',
  [EXIT.unreachable]: 'no lvsd daemon answers on the control socket',
  [EXIT.kernel]: 'the kernel refused, or a permission is missing',
  [EXIT.fault]: 'a fault of lvsd itself; LVSD_DEBUG=1 shows where',
}

/** An option: a flag, or with `value` one that takes a value. */
export interface OptionSpec {
  /** One line; what it does. */
  readonly about: string
  /** One letter: `j` for -j. */
  readonly short?: string
  /** The value's name in the help: `FILE`. In brackets, `[SECONDS]`, it is a number that may be left out. */
  readonly value?: string
  /** The value where the option is not given; of a value in brackets, where the number is not given. */
  readonly default?: string
  /** The only words it takes. */
  readonly choices?: readonly string[]
}

export interface ArgumentSpec {
  readonly about: string
  readonly optional?: true
}

/** By long name, without the dashes. */
export type OptionTable = Readonly<Record<string, OptionSpec>>
/** By name as the help shows it (CONFIG), in their order on the command line. */
export type ArgumentTable = Readonly<Record<string, ArgumentSpec>>

type OptionValue<S extends OptionSpec> = S extends { value: `[${string}` }
  ? string | undefined
  : S extends { value: string }
    ?
        | (S extends { choices: readonly (infer W)[] } ? W : string)
        | (S extends { default: string } ? never : undefined)
    : boolean

/** What a command is handed: its parsed command line and the rims it may touch. */
export interface CommandContext<
  O extends OptionTable = OptionTable,
  A extends ArgumentTable = ArgumentTable,
> {
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> }
  readonly arguments: {
    readonly [K in keyof A]: A[K] extends { optional: true } ? string | undefined : string
  }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard output as a screen: is it a terminal, how wide, are colours wanted. */
  readonly screen: Screen
  /** A text for people to standard output; a newline is added where it lacks one. */
  print(text: string): void
  /** The same for programs: JSON, YAML. No character of it is changed. */
  printData(text: string): void
  /** A picture for a terminal; nothing is added. */
  write(text: string): void
  /** A line to standard error. */
  warn(text: string): void
  /** Listens for signals in place of the default of ending at once; gives the function that stops listening. */
  onSignal(names: readonly NodeJS.Signals[], handler: (name: NodeJS.Signals) => void): () => void
  /** Calls `handler` with each key of the terminal, without Enter; gives the function that ends it. */
  onKey(handler: (key: string) => void): () => void
  /** Aborted when nobody reads standard output any more (`| head`), as soon as something has been written. */
  readonly outputClosed: AbortSignal
  /** Whether somebody reads standard output: found out without writing. */
  hasReader(): boolean
}

export interface Command<O extends OptionTable = OptionTable, A extends ArgumentTable = ArgumentTable> {
  /** The file's name and the word on the command line. */
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Paragraphs below the usage line; may be empty. */
  readonly details: string
  readonly arguments: A
  readonly options: O
  /** Command lines as typed, each with what it does. */
  readonly examples: readonly (readonly [line: string, about: string])[]
  /** May throw a `CommandError`; any other error but the kernel's is a fault of lvsd. */
  run(context: CommandContext<O, A>): Promise<ExitCode>
}

/** Gives a command its types; returns it unchanged. */
export function defineCommand<const O extends OptionTable, const A extends ArgumentTable>(
  command: Command<O, A>,
): Command<O, A> {
  return command
}

/** The argument of the commands that read a configuration without running it. */
export const configArgument = { CONFIG: { about: 'the configuration: YAML, or an ldirectord.cf' } } as const

/** Ends a command with a sentence on standard error and an exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exit: ExitCode

  constructor(message: string, exit: ExitCode, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}
