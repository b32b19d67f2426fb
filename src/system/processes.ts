/**
 * Runs commands as child processes: a limited number at a time, each in its own process group, and none outlives its
 * run. Commands of checks and hooks are started by posix_spawn where it is available, all others by Node.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { isMainThread } from 'node:worker_threads'
import { Semaphore } from '../util/semaphore.js'
import { startDirectly } from './direct-children.js'
import { type Child, startByNode } from './node-children.js'
import { endOrphans, sweepSoon, watchOrphans } from './orphans.js'
import { type Exit, isSpawnSupported } from './posix-spawn.js'
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

export interface Ended extends Exit {
  /** The beginning of its output, standard output and standard error combined. */
  readonly output: string
}

/** Maximum concurrent commands. Starting one blocks the thread until the kernel has replaced the program, up to 2 ms. */
export const MOST_AT_ONCE = 32
/** Bytes. */
const OUTPUT_KEPT = 2048

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
  const { pid: group, exit } = child
  const key = keyOf(command)
  const ending = () => {
    dying.set(key, exit)
    endGroup(child, command.grace)
  }
  if (command.signal.aborted) ending()
  command.signal.addEventListener('abort', ending, { once: true })
  const ended = await exit
  if (dying.get(key) === exit) dying.delete(key)
  command.signal.removeEventListener('abort', ending)
  const isLeft = command.sort !== undefined && command.sort !== 'check' && !command.signal.aborted
  if (!isLeft) kill(group, 'SIGKILL')
  groups.delete(group)
  return { ...ended, output: await child.finish(isLeft) }
}

/** Must be called by the main thread before it starts the first process; repeated calls have no effect. */
export function prepareToRun(): void {
  prepareForChildren(pid => groups.has(pid), sweepSoon)
}

/** Starts the command without a shell, in its own process group (setsid), so that all of it can be killed. */
function start(command: Command): Child | Promise<Child> {
  const { sort = 'check', input } = command
  prepareToRun()
  const begun = (pid: number) => {
    groups.add(pid)
    mark(pid, sort)
  }
  // Only the main thread hears of the ends of children by a signal.
  const isDirect = sort !== 'director' && input === undefined && isMainThread && isSpawnSupported()
  return isDirect ? startDirectly(command, OUTPUT_KEPT, begun) : startByNode(command, OUTPUT_KEPT, begun)
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

/** Sends TERM now and KILL after the grace period. The timer does not keep lvsd alive. */
function endGroup({ pid, exit }: Child, grace: number): void {
  kill(pid, 'SIGTERM')
  const timer = setTimeout(() => kill(pid, 'SIGKILL'), grace).unref()
  void exit.then(() => clearTimeout(timer))
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
