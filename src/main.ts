#!/usr/bin/env node
/** The command line: finds the command, runs it, and is the one file that ends the process. */
import './system/node-version.js'
import { type Command, type CommandContext, CommandError, EXIT, type ExitCode } from './cli/command.js'
import { onKeys } from './cli/keys.js'
import { parseLine, usageError } from './cli/parse.js'
import { commandNames, loadCommand } from './cli/registry.js'
import { asAscii, hasUtf8 } from './cli/terminal/ascii.js'
import { screenOf } from './cli/terminal/screen.js'
import { KernelError } from './ipvs/kernel.js'
import { endProcess } from './system/exit.js'
import { isReaderGone } from './system/libc.js'
import { version } from './system/version.js'
import { didYouMean } from './util/closest-match.js'

/** As other programs have it; nobody looks up which. */
const VERSION_WORDS: ReadonlySet<string> = new Set(['--version', '-V', '-v', 'version'])

let isDaemon = false
const outputClosed = new AbortController()
process.stdout.on('error', error => forgiveClosedPipe(error))
process.stderr.on('error', error => forgiveClosedPipe(error))

// A fault in the middle of a callback ends in its own exit code, which a service manager may answer with a new start.
// Nobody could call it up again, so that it shows where it comes from, asked or not.
process.on('uncaughtException', error => {
  if (!process.env.LVSD_DEBUG) console.error(error)
  finish(explain(error))
})

void main(process.argv.slice(2)).catch(explain).then(finish)

// Commander's own subcommands are not used: it would have to be told of all commands, of which only one is imported, and
// it answers `lvsd statu --help` with the general help.
async function main([name, ...words]: readonly string[]): Promise<ExitCode> {
  if (name === undefined) return withoutCommand()
  if (VERSION_WORDS.has(name)) return say(`lvsd ${version()}`)
  if (name === '--help' || name === '-h' || (name === 'help' && words.length === 0))
    return say(await generalHelpText(process.stdout.columns))
  if (name === 'help') return main([words[0] ?? '', '--help'])
  if (!commandNames().includes(name)) return complain(unknownCommand(name))
  return runCommand(await loadCommand(name), words)
}

/** Somebody who looks what there is. Scripts that lost a word get the exit code of a wrong command line all the same. */
async function withoutCommand(): Promise<ExitCode> {
  process.stderr.write(withNewline(await generalHelpText(process.stderr.columns)))
  return EXIT.usage
}

async function runCommand(command: Command, words: readonly string[]): Promise<ExitCode> {
  const line = parseLine(command, words)
  if (line.help) return say((await import('./cli/help.js')).commandHelp(command, process.stdout.columns))
  isDaemon = command.name === 'run'
  return command.run(contextFor(line as Pick<CommandContext, 'options' | 'arguments'>))
}

async function generalHelpText(columns: number | undefined): Promise<string> {
  const { generalHelp } = await import('./cli/help.js')
  return generalHelp(await Promise.all(commandNames().map(loadCommand)), columns)
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

/** A text for people, in the characters that they can read. */
function shown(text: string, stream: NodeJS.WriteStream): string {
  return hasUtf8(process.env) ? text : asAscii(text, screenOf(stream, process.env).width)
}

function say(text: string): ExitCode {
  process.stdout.write(shown(withNewline(text), process.stdout))
  return EXIT.ok
}

function complain(error: Error): ExitCode {
  process.stderr.write(shown(`lvsd: ${withNewline(error.message)}`, process.stderr))
  return error instanceof CommandError ? error.exit : EXIT.fault
}

/** One sentence for what a command threw; the stack of what nobody expected only for those who ask. */
function explain(error: unknown): ExitCode {
  if (error instanceof CommandError) return complain(error)
  const isWanted = Boolean(process.env.LVSD_DEBUG)
  if (isWanted) console.error(error)
  if (error instanceof KernelError) return complain(new CommandError(error.message, EXIT.kernel))
  const reason = error instanceof Error ? error.message : String(error)
  const where = isWanted ? '' : ' (LVSD_DEBUG=1 shows where)'
  return complain(new CommandError(`unexpected: ${reason}${where}`, EXIT.fault))
}

/** A reader that has gone (`lvsd status | head`) is no error; a command that goes on for ever is told. */
function forgiveClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  outputClosed.abort()
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

function finish(code: ExitCode): void {
  endProcess(code, isDaemon)
}
