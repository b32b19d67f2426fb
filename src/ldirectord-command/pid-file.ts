/** The pid file: it appears when a start has succeeded and goes when its own daemon stops; nobody else touches it. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Env, type Instance, pidFileOf } from './paths.js'
import { daemonOf, readPid } from './processes.js'

export interface PidFile {
  /** Puts it in place. */
  show(): void
  /** Takes it away, or what was prepared of it. */
  remove(): void
}

/** Makes sure that it can be written, before anything else is touched. Throws a sentence. */
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
