/**
 * The definition of a command. Each file in `commands/` exports a `command` with the name of the file; there is no list
 * to edit. Its tables determine the parser, the help text and the types of the context that `run` receives.
 */
import type { Screen } from './terminal/screen.js'

/** Exit codes, the same for every command. `lvsd --help` prints this table. */
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

/** An option: a flag or, if `value` is set, an option with a value. */
export interface OptionSpec {
  /** One line that describes the effect. */
  readonly about: string
  /** One letter: `j` for -j. */
  readonly short?: string
  /** Name of the value in the help: `FILE`. In brackets, `[SECONDS]`, it is an optional number. */
  readonly value?: string
  /**
   * The value if the option is not given. For a value in brackets: the value if the option is given without the number.
   */
  readonly default?: string
  /** The allowed values. */
  readonly choices?: readonly string[]
}

export interface ArgumentSpec {
  readonly about: string
  readonly optional?: true
  /** The words that it can be, for shells that complete it. */
  readonly choices?: readonly string[]
  /** True: -5 is a value of it, about which the command has a sentence of its own. */
  readonly isNumber?: true
}

/** By long name, without the dashes. */
export type OptionTable = Readonly<Record<string, OptionSpec>>
/** By name as in the help (CONFIG), in the order of the command line. */
export type ArgumentTable = Readonly<Record<string, ArgumentSpec>>

type OptionValue<S extends OptionSpec> = S extends { value: `[${string}` }
  ? string | undefined
  : S extends { value: string }
    ?
        | (S extends { choices: readonly (infer W)[] } ? W : string)
        | (S extends { default: string } ? never : undefined)
    : boolean

/** Input of a command: its parsed command line, and access to terminal, environment and signals. */
export interface CommandContext<
  O extends OptionTable = OptionTable,
  A extends ArgumentTable = ArgumentTable,
> {
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> }
  readonly arguments: {
    readonly [K in keyof A]: A[K] extends { optional: true } ? string | undefined : string
  }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Properties of standard output: terminal or not, size, colours. */
  readonly screen: Screen
  /** Writes a text for people to standard output. Adds a final newline if it is missing. */
  print(text: string): void
  /** Like `print`, for data that programs read: JSON, YAML. No character is replaced. */
  printData(text: string): void
  /** Writes terminal output with control sequences. Adds nothing. */
  write(text: string): void
  /** Writes a line to standard error. */
  warn(text: string): void
  /**
   * Handles signals instead of the default action, which ends the process. Returns a function that removes the handler.
   */
  onSignal(names: readonly NodeJS.Signals[], handler: (name: NodeJS.Signals) => void): () => void
  /** Calls `handler` for each key of the terminal, without Enter. Returns a function that removes the handler. */
  onKey(handler: (key: string) => void): () => void
  /** Aborted when a write to standard output fails because its reader is gone (`| head`). */
  readonly outputClosed: AbortSignal
  /** True if standard output has a reader. Determined without writing. */
  hasReader(): boolean
}

export interface Command<O extends OptionTable = OptionTable, A extends ArgumentTable = ArgumentTable> {
  /** Name of the file, and the word on the command line. */
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Paragraphs below the usage line; may be empty. */
  readonly details: string
  readonly arguments: A
  readonly options: O
  /** Command lines as typed, each with a description. */
  readonly examples: readonly (readonly [line: string, about: string])[]
  /** Runs the command. May throw a CommandError or a KernelError; any other error is a fault of lvsd. */
  run(context: CommandContext<O, A>): Promise<ExitCode>
}

/** Infers the types of a command. Returns it unchanged. */
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
