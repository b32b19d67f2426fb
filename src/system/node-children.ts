/**
 * Commands that Node starts: those with input, another lvsd, and all where posix_spawn is not available. Node has no names for
 * real-time signals and tells the end by one as exit code 0.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { waitAtMost } from '../util/with-timeout.js'
import type { Exit, Program } from './posix-spawn.js'

/** After GULP bytes of output, reading pauses for REST milliseconds, so that endless output cannot keep lvsd busy. */
const GULP = 1 << 20
const REST = 20
/** Milliseconds to wait for output after the exit. A grandchild may keep the pipes open forever. */
const DRAIN = 50

/** A command that runs. */
export interface Child {
  readonly pid: number
  readonly exit: Promise<Exit>
  /**
   * Returns the beginning of its output; to be called when it has ended. `isLeft`: its processes may stay, and get a closed
   * pipe only when lvsd ends.
   */
  finish(isLeft: boolean): string | Promise<string>
}

export interface NodeProgram extends Program {
  /** Text for its standard input; absent means no standard input. */
  readonly input?: string
}

/**
 * Starts a command in a session of its own, in the folder /. `kept`: bytes of its output that are returned. `begun` is
 * called as soon as it has a process. Rejects if it cannot be started.
 */
export function startByNode(
  { file, argv, env, input }: NodeProgram,
  kept: number,
  begun: (pid: number) => void,
): Promise<Child> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      cwd: '/',
      env: { ...env },
    })
    if (child.pid !== undefined) begun(child.pid)
    // A command may exit without reading all of its input; its exit code then decides.
    child.stdin?.on('error', () => {}).end(input)
    child.once('spawn', () => resolve(runningChild(child, kept)))
    child.once('error', reject)
  })
}

function runningChild(child: ChildProcess, kept: number): Child {
  const collected = { text: '', left: kept }
  const streams = [child.stdout, child.stderr] as Socket[]
  const outputs = streams.map(stream => collect(stream, collected))
  return {
    pid: child.pid as number,
    exit: exitOf(child),
    finish: async isLeft => {
      await waitAtMost(DRAIN, Promise.all(outputs))
      for (const stream of streams)
        if (isLeft) stream.unref()
        else stream.destroy()
      return collected.text
    },
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve({ code: child.exitCode, signal: child.signalCode })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

/** Keeps the beginning of the output and discards the rest, with pauses. An unread pipe would block the child. */
export function collect(stream: Readable, collected: { text: string; left: number }): Promise<void> {
  const decoder = new TextDecoder()
  let gulp = 0
  stream.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, collected.left)
    collected.left -= kept.length
    // A character that is cut at the limit is not returned.
    collected.text += decoder.decode(kept, { stream: true })
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
