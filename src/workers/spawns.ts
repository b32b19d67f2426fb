/**
 * Starting a process holds its thread until the kernel has made the new process and replaced its program: long, where
 * processors or memory are scarce. The core is told, so that it does not take this for code that blocks.
 */
import { ChildProcess } from 'node:child_process'
import type { OwnState } from './shared.js'

interface Spawner {
  spawn(...args: unknown[]): unknown
}

/** `isOurs`: only lvsd's own code runs there, and each start counts as a sign of life, however many come in a row. */
export function tellSpawns(shared: OwnState, isOurs: boolean): void {
  const spawner = ChildProcess.prototype as unknown as Spawner
  const spawn = spawner.spawn
  spawner.spawn = function (...args) {
    shared.isSpawning = true
    try {
      return spawn.apply(this, args)
    } finally {
      shared.isSpawning = false
      if (isOurs) shared.beat()
    }
  }
}
