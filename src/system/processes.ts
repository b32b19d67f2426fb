/**
 * Commands as children: few at once, each in a process group of its own, none outlives its run. The one file that
 * starts processes; a cheaper way to start them can take its place.
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
  /** What it reads on its standard input; nothing unless given. */
  readonly input?: string
  /** Aborted when the command has to go: TERM to its group, KILL after `grace` milliseconds. */
  readonly signal: AbortSignal
  readonly grace: number
  /**
   * `check` unless given: what it leaves running behind it is killed, wherever it went, as nothing may pile up. What a
   * `hook` leaves may stay, where it ends by itself, and so may a `director`, another lvsd.
   */
  readonly sort?: Sort
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The beginning of what it printed, both outputs together. */
  readonly output: string
}

/** Starting a process blocks the whole of lvsd for some 2 ms: more at once would only delay the other checks. */
export const MOST_AT_ONCE = 32
const OUTPUT_KEPT = 2048
/** Bytes that are read in a row, and the rest after them, milliseconds: who prints without end must not keep lvsd busy. */
const GULP = 1 << 20
const REST = 20
/** A grandchild may hold the outputs open for ever; what was printed before the exit arrives within this. */
const DRAIN = 50

/** Of the whole thread: tests load this file twice, as a module of the tests and as one that a kind of check imports. */
const shared = globalThis as typeof globalThis & { lvsdGroups?: Set<number> }
shared.lvsdGroups ??= new Set<number>()
const groups = shared.lvsdGroups
/** Commands past their deadline and not yet gone. */
const dying = new Map<string, Promise<unknown>>()

/** Of all commands of checks in this process. */
export const places = new Semaphore(MOST_AT_ONCE)

/** Waits for the same command of an earlier run, killed and not yet gone: there is never a second one beside it. */
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

/** Runs a command to its end, however long its killing takes. Rejects where it could not be started. */
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
  // Whoever is left writes into a closed pipe once lvsd has ended, and not before.
  for (const stream of [child.stdout, child.stderr] as (Socket | null)[])
    if (isLeft) stream?.unref()
    else stream?.destroy()
  return { ...ended, output: kept.text }
}

/** Once, by the main thread, before the first process is started. */
export function prepareToRun(): void {
  prepareForChildren(pid => groups.has(pid), sweepSoon)
}

/** A group of its own (setsid): all that the command starts can be killed with it. No shell. */
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
    // A command that does not read to the end of it says in its exit code what that means.
    child.stdin?.on('error', () => {}).end(input)
    child.once('spawn', () => resolve(child))
    child.once('error', reject)
  })
}

/**
 * A process of Node in which checks run, with `argv` for Node. It has two pipes by the descriptors 3 and 4, and `file` by
 * 5. Ended with `endWorkerProcess`, and with this thread.
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

/** It and all that it has started and not left behind. */
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

/** Keeps the beginning and goes on reading, at leisure: a child that writes into a full pipe would hang. */
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

/** TERM now, KILL after the grace. The timer keeps nobody alive: at the end of lvsd the groups are killed anyway. */
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
    // Nobody of it is left.
  }
}

process.on('exit', () => {
  for (const group of groups) kill(group, 'SIGKILL')
  endOrphans()
})
