/** Who runs a configuration: by the record in its lock file, whose process is looked at; a bare number is not believed. */
import { readFileSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { readWords } from './args.js'
import { allLocks, type Env, type Instance, isSameWord, nameOf, pidFileOf } from './paths.js'

/** A process, told apart from a later one with the same number by the time of its start. */
export interface ProcessId {
  readonly pid: number
  /** In clock ticks since the boot, as the kernel prints it. */
  readonly started: string
}

/** What a daemon writes into its lock file. */
export interface Record extends ProcessId, Instance {}

export type Found =
  /** Without a record it is ldirectord itself. */
  | { readonly state: 'running'; readonly process: ProcessId; readonly record: Record | null }
  /** A pid file whose process is gone or another program. */
  | { readonly state: 'stale' }
  | { readonly state: 'stopped' }

/**
 * Is this file's daemon running? It is found under whatever instance name and by whatever link to the file it was
 * started, even without a pid file.
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

/** The daemon of an instance whose file is gone, and could not be stopped otherwise. */
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

/** The daemon that has this number, whichever file it runs. */
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
    // Absent, empty after a stop, or being written by a daemon that begins this moment.
    return null
  }
}

/** The number in a pid file; null where there is no such file, 0 where no number stands in it. */
export function readPid(file: string): number | null {
  try {
    return Number(/^\s*(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
  } catch {
    return null
  }
}

/** Null where there is no such process, or only its remains. */
export function identify(pid: number): ProcessId | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in brackets and may hold anything; state is the first field behind it, the start the twentieth.
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
 * A daemon without a record: ldirectord itself, which runs until it is replaced by its successor. The file name alone
 * proves nothing (`vi ldirectord.cf`): it must be the script of its interpreter, and the same instance.
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
