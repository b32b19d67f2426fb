/** Files of checks that harm their worker in different ways, and a pool that runs them. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Check, Origin } from '../../../src/check/check.js'
import { runOnce } from '../../../src/check/run.js'
import type { LogEvent } from '../../../src/core/log-events.js'
import type { CheckResult } from '../../../src/core/model.js'
import { type Clock, systemClock } from '../../../src/util/clock.js'
import { Pool, type WorkerJob } from '../../../src/workers/pool.js'
import { onCleanup } from '../after-each.js'
import { temporaryFolder } from '../folder.js'
import { targetOf } from '../probe.js'

/** Statements within `run` that are executed if the option `bad` is set. `wait` and `up` are available. */
export function checkFile(worst: string, before = ''): string {
  const folder = join(temporaryFolder(), 'checks')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'mine.mjs')
  writeFileSync(
    file,
    `
import { EventEmitter } from 'node:events'
import { connect } from 'node:net'
import { spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import threads from 'node:worker_threads'
void [EventEmitter, connect, spawn, wait, threads]
${before}
const up = { ok: true, reason: null, detail: 'fine' }
export const check = {
  name: 'mine',
  summary: 'a check of the tests',
  options: () => ({}),
  async run(target, options, { signal, phase }) {
    phase('connect')
    if (options.takes) await wait(options.takes, null, { signal })
    phase('first byte')
    if (!options.bad) return up
    ${worst}
  },
}
`,
  )
  return file
}

export interface Told {
  readonly level: string
  readonly message: string
  readonly fields: Record<string, unknown>
}

export function openPool(clock: Clock = systemClock): { pool: Pool; told: Told[] } {
  const told: Told[] = []
  const tell = (level: string) => (_event: LogEvent, fields: object, message: string) =>
    void told.push({ level, message, fields: { ...fields } })
  const log = { info: tell('info'), warn: tell('warn'), error: tell('error') }
  const pool = new Pool(log, clock)
  onCleanup(() => pool.close())
  return { pool, told }
}

/** A clock at a tenth of the normal speed, so that a busy machine meets the deadlines. Tests set it forward. */
export function slowClock(): { clock: Clock; skip(ms: number): void } {
  const begun = performance.now()
  let skipped = 0
  const now = () => begun + (performance.now() - begun) / 10 + skipped
  const skip = (ms: number) => {
    skipped += ms
  }
  return { clock: { ...systemClock, now }, skip }
}

/** Waits until `look` returns a value, and returns it. */
export async function eventually<T>(look: () => T | null): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const found = (() => {
      try {
        return look()
      } catch {
        return null
      }
    })()
    if (found !== null) return found
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('it does not happen')
}

export function summary({ ok, reason, detail }: CheckResult): string {
  return ok ? 'up' : `${reason}: ${detail.replace(/\/\S+\//, '')}`
}

export interface Options {
  readonly bad?: boolean
  /** Milliseconds to wait at the beginning of the run. */
  readonly takes?: number
}

/** Returns a job of this file with a new id. */
export function jobOf(file: string, options: Options = {}, origin: Origin = 'user'): WorkerJob {
  const check = { name: 'mine', module: pathToFileURL(file).href, origin } as Check
  return { id: `job ${++count}`, check, target: targetOf(9), options: { ...options } }
}

let count = 0

export function run(pool: Pool, job: WorkerJob, timeout = 2000): Promise<CheckResult> {
  return runOnce(pool.start, job, timeout)
}
