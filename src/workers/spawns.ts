/**
 * Reports the start of a process to the core. It blocks the thread until the kernel has created the process and
 * replaced its program, which takes long when CPU time or memory is scarce. The core must not take this for blocking
 * code.
 */
import { ChildProcess } from 'node:child_process'
import { wrapSpawns } from '../system/direct-children.js'
import type { OwnState } from './shared.js'

interface Spawner {
  spawn(...args: unknown[]): unknown
}

/** `isOurs`: only shipped checks run in the worker, so each start also counts as a beat, for many starts in a row. */
export function reportSpawns(shared: OwnState, isOurs: boolean): void {
  const reported = <T>(start: () => T): T => {
    shared.isSpawning = true
    try {
      return start()
    } finally {
      shared.isSpawning = false
      if (isOurs) shared.beat()
    }
  }
  wrapSpawns(reported)
  const spawner = ChildProcess.prototype as unknown as Spawner
  const spawn = spawner.spawn
  spawner.spawn = function (...args) {
    return reported(() => spawn.apply(this, args))
  }
}
