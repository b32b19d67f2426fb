/**
 * Finds the daemon of a configuration by the record in its lock file. A process id alone is not sufficient evidence.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { readWords } from './args.js'
import { allLocks, type Env, type Instance, isSameWord, nameOf, pidFileOf } from './paths.js'

/** Identifies a process. The start time distinguishes it from a later process with the same id. */
export interface ProcessId {
  readonly pid: number
  /** Start time in clock ticks since boot, as in /proc/PID/stat. */
  readonly started: string
}

/** Content of the lock file of a daemon. */
export interface Record extends ProcessId, Instance {}

export type Found =
  /** `record` is null if the process is ldirectord itself. */
  | { readonly state: 'running'; readonly process: ProcessId; readonly record: Record | null }
  /** The pid file refers to a process that is gone or another program. */
  | { readonly state: 'stale' }
  | { readonly state: 'stopped' }

/**
 * Finds the running daemon of this file, even if it was started with another instance name or through a link to the
 * file, and even without a pid file.
 */
export function findDaemon(instance: Instance, env: Env): Found {
  const alive = recordsOf(env).filter(isAlive)
  const record =
    alive.find(({ path }) => isSameFile(path, instance.path)) ??
    alive.find(other => isSameWord(other, instance, env))
  if (record) return { state: 'running', process: record, record }
  const pid = readPid(pidFileOf(instance, env))
  if (pid === null) return { state: 'stopped' }
  const process = identify(pid)
  if (process && isLdirectord(pid, instance.name)) return { state: 'running', process, record: null }
  if (process && recordsOf(env).some(other => other.pid === pid && isAlive(other)))
    return { state: 'stopped' }
  return { state: 'stale' }
}

/** Returns the running daemon with this name, whose file does not exist any more, so that it can be stopped. */
export function findOrphan(name: string, env: Env): Instance | null {
  return recordsOf(env).find(record => record.name === name && isAlive(record)) ?? null
}

function isSameFile(one: string, other: string): boolean {
  return one === other || target(one) === target(other)
}

function target(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Returns the record of the daemon with this process id, for any configuration file; null if there is none. */
export function daemonOf(pid: number | null, env: Env): Record | null {
  return recordsOf(env).find(record => record.pid === pid && isAlive(record)) ?? null
}

function recordsOf(env: Env): Record[] {
  return allLocks(env).flatMap(lock => readRecord(lock) ?? [])
}

export function readRecord(lock: string): Record | null {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Record
  } catch {
    // The file is absent, empty after a stop, or just being written by a daemon that starts.
    return null
  }
}

/** Returns the process id in a pid file; null if the file does not exist, 0 if it contains no number. */
export function readPid(file: string): number | null {
  try {
    return Number(/^\s*(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  } catch {
    return null
  }
}

/** Returns null if the process does not exist or is a zombie. */
export function identify(pid: number): ProcessId | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name is in brackets and may contain anything. After it, the state is the first field and the start time the
    // 20th.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? null : { pid, started: rest[18] ?? '' }
  } catch {
    return null
  }
}

export function isAlive({ pid, started }: ProcessId): boolean {
  return identify(pid)?.started === started
}

/**
 * True if the process is ldirectord itself, which has no record and runs until lvsd replaces it. The file name alone is
 * not sufficient (`vi ldirectord.cf`): it must be the script that perl runs, for the same instance.
 */
function isLdirectord(pid: number, name: string): boolean {
  if (pid === process.pid || pid === process.ppid) return false
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    if (!/^perl[\d.]*$/.test(basename(words[0] ?? ''))) return false
    const script = words.findIndex((word, i) => i > 0 && !word.startsWith('-'))
    if (basename(words[script] ?? '') !== 'ldirectord') return false
    const read = readWords(words.slice(script + 1))
    return read.kind === 'command' && read.command.endsWith('start') && nameOf(read.config) === name
  } catch {
    return false
  }
}
