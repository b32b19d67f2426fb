/** Shared by external and external-perl: arguments, environment and execution of a command. */

import { type Answer, noVerdict, type RunContext, type Target } from '../../src/check/check.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import { bracketed } from '../../src/core/address.js'
import { isOwnWant, type Located, USUAL_PATH, withoutResources } from '../../src/system/find-program.js'
import { type Ended, MOST_AT_ONCE, places, predecessorGone, runCommand } from '../../src/system/processes.js'

/** Milliseconds between TERM and KILL for a command that ignores TERM. */
const GRACE = 1000

type Fact = (target: Target, timeout: number) => string

/** Values for a command, as placeholders and as LVSD_NAME in its environment. Addresses have no brackets. */
export const FACTS: Readonly<Record<string, Fact>> = {
  address: ({ address }) => address.text,
  port: ({ port }) => String(port),
  family: ({ address }) => address.family,
  source: ({ source }) => source?.text ?? '',
  real: ({ real }) => real.address.text,
  realport: ({ real }) => String(real.port),
  weight: ({ real }) => String(real.weight),
  service: ({ service }) => service.name,
  virtual: ({ service }) => service.address?.text ?? '',
  virtualport: ({ service }) => String(service.port),
  protocol: ({ service }) => service.protocol,
  fwmark: ({ service }) => String(service.fwmark ?? ''),
  // In whole seconds, at least 1, as plug-ins expect it.
  timeout: (_target, timeout) => String(Math.max(1, Math.floor(timeout / 1000))),
}
export const PLACEHOLDER = /\{[a-z]+\}/g
export const PLACEHOLDERS = Object.keys(FACTS)
  .map(name => `{${name}}`)
  .join(' ')

/** Returns the arguments of ldirectord's commands: virtual service and real server, IPv6 addresses in brackets. */
export function fourArguments({ real, service }: Target): string[] {
  const virtual = service.address ? bracketed(service.address) : String(service.fwmark ?? '')
  return [virtual, String(service.port), bracketed(real.address), String(real.port)]
}

/** Returns the arguments with their placeholders replaced. */
export function filledIn(args: readonly string[], target: Target, timeout: number): string[] {
  const fill = (word: string) => FACTS[word.slice(1, -1)]?.(target, timeout) ?? word
  return args.map(arg => arg.replace(PLACEHOLDER, fill))
}

/**
 * Returns a sentence if one of the programs cannot be run on this machine, else null. Used when a configuration is
 * read; the rule is that of `run`.
 */
export function whyNotRun(...commands: readonly Located[]): string | null {
  for (const found of commands) if ('why' in found) return found.why
  return null
}

/** Additional variables, from the option `environment`. Null passes the value in lvsd's own environment. */
export type Variables = Readonly<Record<string, string | null>>

export const ABOUT_ENVIRONMENT =
  "Variables for the command beside PATH, LC_ALL and LVSD_*: names to pass from lvsd's own environment, or NAME: text"

export function problemOfVariables(variables: Variables): OptionProblem | null {
  const own = Object.keys(variables).find(name => name.startsWith('LVSD_'))
  if (own === undefined) return null
  return problemOf(['environment', own], `${own} cannot be set: variables that begin with LVSD_ are lvsd's`)
}

interface Call {
  readonly argv: readonly string[]
  readonly variables: Variables
}

/**
 * Runs a program to its end, or returns an answer without running it. At the deadline it is killed with its children.
 * If it cannot be run, there is no verdict about the server.
 */
export async function run(
  program: Located,
  { argv, variables }: Call,
  target: Target,
  { signal, timeout, phase }: RunContext,
): Promise<Ended | Answer> {
  if ('why' in program) return noVerdict(program.why)
  const file = program.path
  const command = { file, argv, env: environment(variables, target, timeout), signal, grace: GRACE }
  await predecessorGone(command)
  // If half of the time limit is spent waiting, the command is not started: it could be killed only because of lvsd's
  // own queue.
  if (!(await places.acquire(timeout / 2, signal)))
    return noVerdict(`${MOST_AT_ONCE} commands are under way already: a longer interval gives each its turn`)
  try {
    phase('run')
    return await runCommand(command)
  } catch (error) {
    return notStarted(error, file)
  } finally {
    places.release()
  }
}

function environment(variables: Variables, target: Target, timeout: number): Record<string, string> {
  const facts = Object.entries(FACTS).map(([name, fact]) => [
    `LVSD_${name.toUpperCase()}`,
    fact(target, timeout),
  ])
  const wanted = Object.entries(variables).map(([name, text]) => [name, text ?? process.env[name]])
  const given = wanted.filter(([, text]) => text !== undefined)
  return { PATH: USUAL_PATH, LC_ALL: 'C', ...Object.fromEntries(given), ...Object.fromEntries(facts) }
}

function notStarted(error: unknown, file: string): Answer {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (isOwnWant(code)) return noVerdict(withoutResources(file, code))
  return noVerdict(START_ERRORS[code]?.(file) ?? `${file} could not be started: ${message}`)
}

const START_ERRORS: Readonly<Record<string, (file: string) => string>> = {
  EACCES: file => `${file} is not executable for lvsd's user: chmod +x it, and look at the folders above it`,
  ENOENT: file => `the interpreter in the #! line of ${file} does not exist`,
  ENOTDIR: file => `${file} does not exist: a part of the path is not a folder`,
  ENOEXEC: file => `${file} is neither a program nor a script with a #! line`,
  ETXTBSY: file => `${file} is being written just now`,
}

/** Returns `word` and the first non-empty line of the output. */
export function withOutput(word: string, output = ''): string {
  const line = output
    .split(/[\r\n]+/)
    .map(text => printable(text).trim())
    .find(text => text !== '')
  return line ? `${word}: ${line.slice(0, 200)}` : word
}

function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
