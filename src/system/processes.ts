/**
 * Runs commands as child processes: a limited number at a time, each in its own process group, and none outlives its
 * run. The only file that starts processes, so that a cheaper way to start them can replace it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { Semaphore } from '../util/semaphore.js'
import { waitAtMost } from '../util/with-timeout.js'
import { endOrphans, sweepSoon, watchOrphans } from './orphans.js'
import { descendantsOf } from './process-files.js'
import { mark, type Sort } from './process-marks.js'
import { prepareForChildren } from './subreaper.js'

export interface Command {
  readonly file: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Text for its standard input; absent means no standard input. */
  readonly input?: string
  /** Aborted to end the command: its group gets TERM, and KILL after `grace` milliseconds. */
  readonly signal: AbortSignal
  readonly grace: number
  /**
   * Default `check`: all processes that it leaves running are killed, wherever they moved, so that they do not
   * accumulate. Processes left by a `hook` that ended by itself, or by a `director` (another lvsd), may stay.
   */
  readonly sort?: Sort
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The beginning of its output, standard output and standard error combined. */
  readonly output: string
}

/** Maximum concurrent commands. Starting one blocks lvsd for about 2 ms, so more would delay other checks. */
export const MOST_AT_ONCE = 32
const OUTPUT_KEPT = 2048
/** After GULP bytes of output, reading pauses for REST milliseconds, so that endless output cannot keep lvsd busy. */
const GULP = 1 << 20
const REST = 20
/** Milliseconds to wait for output after the exit. A grandchild may keep the pipes open forever. */
const DRAIN = 50

/** Global, because tests load this file twice: as a module of the tests, and as one imported by a check. */
const shared = globalThis as typeof globalThis & { lvsdGroups?: Set<number> }
shared.lvsdGroups ??= new Set<number>()
const groups = shared.lvsdGroups
/** Commands that are past their deadline and have not ended yet. */
const dying = new Map<string, Promise<unknown>>()

/** Limits all commands of checks in this process. */
export const places = new Semaphore(MOST_AT_ONCE)

/** Waits until a killed earlier run of the same command has ended. A command never runs twice at a time. */
export async function predecessorGone(command: Command): Promise<void> {
  const { signal } = command
  const key = keyOf(command)
  if (!dying.has(key)) return
  const aborted = new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  for (let last = dying.get(key); last && !signal.aborted; last = dying.get(key))
    await Promise.race([last, aborted])
}

function keyOf({ file, argv, env }: Command): string {
  return JSON.stringify([file, argv, env])
}

/** Runs a command to its end, even if killing it takes long. Rejects if it cannot be started. */
export async function runCommand(command: Command): Promise<Ended> {
  command.signal.throwIfAborted()
  const child = await start(command)
  const group = child.pid as number
  const kept = { text: '' }
  const outputs = [child.stdout, child.stderr].map(stream => collect(stream as Readable, kept))
  const exit = exitOf(child)
  const key = keyOf(command)
  const ending = () => {
    dying.set(key, exit)
    endGroup(child, group, command.grace)
  }
  if (command.signal.aborted) ending()
  command.signal.addEventListener('abort', ending, { once: true })
  const ended = await exit
  if (dying.get(key) === exit) dying.delete(key)
  command.signal.removeEventListener('abort', ending)
  const isLeft = command.sort !== undefined && command.sort !== 'check' && !command.signal.aborted
  if (!isLeft) kill(group, 'SIGKILL')
  groups.delete(group)
  await waitAtMost(DRAIN, Promise.all(outputs))
  // Processes that stay get a closed pipe only when lvsd ends.
  for (const stream of [child.stdout, child.stderr] as (Socket | null)[])
    if (isLeft) stream?.unref()
    else stream?.destroy()
  return { ...ended, output: kept.text }
}

/** Must be called by the main thread before it starts the first process; repeated calls have no effect. */
export function prepareToRun(): void {
  prepareForChildren(pid => groups.has(pid), sweepSoon)
}

/** Starts the command without a shell, in its own process group (setsid), so that all of it can be killed. */
function start({ file, argv, env, input, sort = 'check' }: Command): Promise<ChildProcess> {
  prepareToRun()
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      cwd: '/',
      env: { ...env },
    })
    if (child.pid !== undefined) {
      groups.add(child.pid)
      mark(child.pid, sort)
    }
    // A command may exit without reading all of its input; its exit code then decides.
    child.stdin?.on('error', () => {}).end(input)
    child.once('spawn', () => resolve(child))
    child.once('error', reject)
  })
}

/**
 * Starts a Node process in which checks run; `argv` are arguments for Node. Descriptors 3 and 4 are pipes, 5 is `file`.
 * It is ended by `endWorkerProcess`, and when this thread ends.
 */
export function startWorkerProcess(argv: readonly string[], file: number): ChildProcess {
  prepareToRun()
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', file] as const
  const child = spawn(process.execPath, argv, { detached: true, stdio: [...stdio] })
  const { pid } = child
  if (pid === undefined) return child
  groups.add(pid)
  mark(pid, 'worker')
  watchOrphans()
  child.once('exit', () => groups.delete(pid))
  return child
}

/** Kills the process and its descendants. */
export function endWorkerProcess({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  const descendants = descendantsOf(pid)
  kill(pid, 'SIGKILL')
  for (const descendant of descendants) killOne(descendant)
}

function exitOf(child: ChildProcess): Promise<Omit<Ended, 'output'>> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve({ code: child.exitCode, signal: child.signalCode })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

/** Keeps the beginning of the output and discards the rest, with pauses. An unread pipe would block the child. */
function collect(stream: Readable, kept: { text: string }): Promise<void> {
  let gulp = 0
  stream.on('data', (chunk: Buffer) => {
    const room = OUTPUT_KEPT - kept.text.length
    if (room > 0) kept.text += chunk.toString('utf8', 0, room)
    gulp += chunk.length
    if (gulp < GULP) return
    gulp = 0
    stream.pause()
    setTimeout(() => stream.resume(), REST)
  })
  return new Promise(resolve => {
    stream.once('close', resolve)
    stream.once('error', () => resolve())
  })
}

/** Sends TERM now and KILL after the grace period. The timer does not keep lvsd alive. */
function endGroup(child: ChildProcess, group: number, grace: number): void {
  kill(group, 'SIGTERM')
  const timer = setTimeout(() => kill(group, 'SIGKILL'), grace).unref()
  child.once('exit', () => clearTimeout(timer))
}

function kill(group: number, signal: NodeJS.Signals): void {
  killOne(-group, signal)
}

function killOne(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // No process of it is left.
  }
}

process.on('exit', () => {
  for (const group of groups) kill(group, 'SIGKILL')
  endOrphans()
})
