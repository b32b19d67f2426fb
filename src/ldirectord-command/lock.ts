/** The lock of a configuration file. Its daemon holds it; the kernel releases it when the daemon ends in any way. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { lockFile } from '../system/libc.js'
import { makeFolderSync } from '../system/make-folder.js'
import { type Env, type Instance, lockOf } from './paths.js'
import { identify, type Record } from './processes.js'

export interface Lock {
  /** Empties the record. The file stays, because another process may hold its lock by the time it is removed. */
  release(): void
}

/** Takes the lock and writes the record. Returns null if another process holds the lock. Throws file system errors. */
export function takeLock(instance: Instance, env: Env): Lock | null {
  const path = lockOf(instance, env)
  makeFolderSync(dirname(path))
  const fd = openSync(path, 'a', 0o644)
  if (!lockFile(fd)) {
    closeSync(fd)
    return null
  }
  const { name, file, path: config } = instance
  const record: Record = { ...mySelf(), name, file, path: config }
  ftruncateSync(fd)
  writeSync(fd, `${JSON.stringify(record)}\n`)
  return {
    release() {
      ftruncateSync(fd)
      closeSync(fd)
    },
  }
}

function mySelf() {
  return identify(process.pid) ?? { pid: process.pid, started: '' }
}
