/** The lock of a configuration file: held by its daemon, freed by the kernel however that ends. */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { lockFile } from '../system/libc.js'
import { type Env, type Instance, lockOf } from './paths.js'
import { identify, type Record } from './processes.js'

export interface Lock {
  /** Empties the record. The file stays: who removes a lock file may remove the next holder's. */
  release(): void
}

/** Takes the lock and writes the record; null where another process has it. Throws what the file system throws. */
export function takeLock(instance: Instance, env: Env): Lock | null {
  const path = lockOf(instance, env)
  mkdirSync(dirname(path), { recursive: true })
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
