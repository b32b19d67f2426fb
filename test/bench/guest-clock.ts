/**
 * The processor time of a whole guest, by the clock of the machine that it runs on. The guest's own clocks count in ticks: what
 * wakes up for a tenth of a millisecond is counted for ten or for none, and what others take of the machine is counted too. This
 * side tells it by the name of an empty file, since the guest may keep what it once read of a file.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { now } from './farm.js'
import { cpuMs } from './processes.js'

/** The variable that has the folder, in the guest. */
export const CLOCK = 'LVSD_BENCH_CLOCK'
/** Milliseconds between two times that are told. */
const EVERY = 500

/** Milliseconds. */
export interface Moment {
  readonly at: number
  readonly cpu: number
}

/** Tells the processor time of all processes that this one has started, until it is closed. */
export function tellGuestClock(): { readonly folder: string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-bench-clock-'))
  let last: string | null = null
  const timer = setInterval(() => {
    const own = process.cpuUsage()
    const name = `${now()} ${cpuMs(process.pid) - (own.user + own.system) / 1000}`
    writeFileSync(join(folder, name), '')
    if (last !== null) rmSync(join(folder, last))
    last = name
  }, EVERY)
  return {
    folder,
    close() {
      clearInterval(timer)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * In a guest, the next time that is told, with the processor time of the whole guest. On a kernel with IPVS of its own, now, with
 * that of the process.
 */
export async function momentOf(pid: number, sleep: (ms: number) => Promise<void>): Promise<Moment> {
  const folder = process.env[CLOCK]
  if (folder === undefined) return { at: now(), cpu: cpuMs(pid) }
  const known = new Set(readdirSync(folder))
  for (;;) {
    await sleep(EVERY / 10)
    const name = readdirSync(folder).find(one => !known.has(one))
    if (name === undefined) continue
    const [at = Number.NaN, cpu = Number.NaN] = name.split(' ').map(Number)
    return { at, cpu }
  }
}
