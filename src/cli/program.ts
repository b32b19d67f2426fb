/** The command line: finds the command and runs it. Only this file ends the process. Importing it starts it. */
import { inspect } from 'node:util'
import { KernelError } from '../ipvs/kernel.js'
import { dropEarlyEngine } from '../schedule/engine/early-engine.js'
import { endProcess } from '../system/exit.js'
import { isReaderGone } from '../system/libc.js'
import { withSourceLines } from '../system/source-lines.js'
import { version } from '../system/version.js'
import { didYouMean } from '../util/closest-match.js'
import { printableLines } from '../util/printable.js'
import { waitAtMost } from '../util/with-timeout.js'
import { type Command, type CommandContext, CommandError, EXIT, type ExitCode } from './command.js'
import { onKeys } from './keys.js'
import { parseLine, usageError } from './parse.js'
import { commandNames, loadCommand, summaries } from './registry.js'
import { asAscii, hasUtf8 } from './terminal/ascii.js'
import { screenOf } from './terminal/screen.js'

/** All common spellings are accepted, because users do not look up which one lvsd has. */
const VERSION_WORDS: ReadonlySet<string> = new Set(['--version', '-V', '-v', 'version'])

let isDaemon = false
const outputClosed = new AbortController()
/** The exit code after output was lost, whatever the command returns; null: none was. */
let lossExit: ExitCode | null = null
process.stdout.on('error', loseOutput)
// Nobody can be told of it.
process.stderr.on('error', () => {})

// An uncaught exception ends the process with its own exit code, after which a service manager may restart lvsd. It may
// not be reproducible, so the stack is always printed, even without LVSD_DEBUG.
process.on('uncaughtException', error => {
  if (!process.env.LVSD_DEBUG) printStack(error)
  void finish(explain(error))
})

void main(process.argv.slice(2)).catch(explain).then(finish)

// Commander's subcommands are not used: they require all commands to be imported, and `lvsd statu --help` would print
// the general help.
async function main([name, ...words]: readonly string[]): Promise<ExitCode> {
  if (name === undefined) return withoutCommand()
  if (VERSION_WORDS.has(name)) return say(`lvsd ${version()}`)
  if (name === '--help' || name === '-h' || (name === 'help' && words.length === 0))
    return say(await generalHelpText(process.stdout.columns))
  if (name === 'help') return main([words[0] ?? '', '--help'])
  if (!commandNames().includes(name)) return complain(unknownCommand(name))
  return runCommand(await loadCommand(name), words)
}

/** Prints the general help, with the exit code for a wrong command line, because a script may have lost a word. */
async function withoutCommand(): Promise<ExitCode> {
  process.stderr.write(withNewline(await generalHelpText(process.stderr.columns)))
  return EXIT.usage
}

async function runCommand(command: Command, words: readonly string[]): Promise<ExitCode> {
  const line = parseLine(command, words)
  if (line.help) return say((await import('./help.js')).commandHelp(command, process.stdout.columns))
  isDaemon = command.name === 'run'
  return command.run(contextFor(line as Pick<CommandContext, 'options' | 'arguments'>))
}

async function generalHelpText(columns: number | undefined): Promise<string> {
  const { generalHelp } = await import('./help.js')
  return generalHelp(await summaries(), columns)
}

function unknownCommand(name: string): CommandError {
  const isOption = name.startsWith('-')
  const near = didYouMean(name, isOption ? ['--help', '--version'] : commandNames())
  return usageError(`${name} is not ${isOption ? 'an option' : 'a command'} of lvsd${near}`)
}

function contextFor(line: Pick<CommandContext, 'options' | 'arguments'>): CommandContext {
  return {
    ...line,
    env: process.env,
    get screen() {
      return screenOf(process.stdout, process.env)
    },
    print: text => void process.stdout.write(shown(withNewline(text), process.stdout)),
    printData: text => void process.stdout.write(withNewline(text)),
    write: text => void process.stdout.write(shown(text, process.stdout)),
    warn: text => void process.stderr.write(shown(withNewline(text), process.stderr)),
    onSignal: (names, handler) => {
      for (const name of names) process.on(name, handler)
      return () => {
        for (const name of names) process.off(name, handler)
      }
    },
    onKey: onKeys,
    outputClosed: outputClosed.signal,
    hasReader: () => process.stdout.isTTY || !isReaderGone(process.stdout.fd),
  }
}

/** Returns a text for people, in ASCII unless the locale has UTF-8. */
function shown(text: string, stream: NodeJS.WriteStream): string {
  return hasUtf8(process.env) ? text : asAscii(text, screenOf(stream, process.env).width)
}

function say(text: string): ExitCode {
  process.stdout.write(shown(withNewline(text), process.stdout))
  return EXIT.ok
}

function complain(error: Error): ExitCode {
  // A message may quote a word of the command line, or of another host's answer.
  process.stderr.write(shown(`lvsd: ${withNewline(printableLines(error.message))}`, process.stderr))
  return error instanceof CommandError ? error.exit : EXIT.fault
}

function printStack(error: unknown): void {
  console.error(withSourceLines(inspect(error)))
}

/** Prints one sentence about an error, and its stack if LVSD_DEBUG is set. Returns the exit code. */
function explain(error: unknown): ExitCode {
  if (error instanceof CommandError) return complain(error)
  const isWanted = Boolean(process.env.LVSD_DEBUG)
  if (isWanted) printStack(error)
  if (error instanceof KernelError) return complain(new CommandError(error.message, EXIT.kernel))
  const reason = error instanceof Error ? error.message : String(error)
  const where = isWanted ? '' : ' (LVSD_DEBUG=1 shows where)'
  return complain(new CommandError(`unexpected: ${reason}${where}`, EXIT.fault))
}

/**
 * Ends a command whose output cannot be written, with one sentence; in silence if the reader is gone (`lvsd status | head`).
 * The daemon goes on.
 */
function loseOutput({ code, message }: NodeJS.ErrnoException): void {
  // The end of the process writes once more.
  const isKnown = outputClosed.signal.aborted
  outputClosed.abort()
  if (isKnown || code === 'EPIPE' || isDaemon) return
  lossExit = complain(new CommandError(`the output cannot be written: ${message}`, EXIT.problem))
  void finish(lossExit)
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

/** Milliseconds for the end of a thread that was opened early. */
const LAST_PATIENCE = 2000

/** A thread that is terminated while it loads koffi ends the process with SIGABRT. */
async function finish(code: ExitCode): Promise<void> {
  await waitAtMost(LAST_PATIENCE, dropEarlyEngine())
  endProcess(lossExit ?? code, isDaemon)
}
