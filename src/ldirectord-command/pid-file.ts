/** The pid file. It appears after a successful start, and only its own daemon removes it. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Env, type Instance, pidFileOf } from './paths.js'
import { daemonOf, readPid } from './processes.js'

export interface PidFile {
  /** Renames the prepared file to its final path. */
  show(): void
  /** Removes the pid file, or the prepared file. */
  remove(): void
}

/** Prepares the pid file, to detect early that it cannot be written. Throws an Error with a sentence. */
export function preparePidFile(instance: Instance, env: Env): PidFile {
  const path = pidFileOf(instance, env)
  const holder = daemonOf(readPid(path), env)
  if (holder)
    throw new Error(
      `Can not open ${path}: it belongs to pid ${holder.pid}, which runs ${holder.file}. Give one of the files another name`,
    )
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, `${process.pid}\n`)
  } catch (error) {
    throw new Error(`Can not open ${path}: ${(error as Error).message}`)
  }
  return {
    show: () => renameSync(draft, path),
    remove() {
      rmSync(draft, { force: true })
      if (readPid(path) === process.pid) rmSync(path, { force: true })
    },
  }
}
