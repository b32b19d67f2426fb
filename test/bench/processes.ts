/** What processes cost, as /proc tells it. */
import { readdirSync, readFileSync } from 'node:fs'
import { processorMs } from './cpu-clock.js'

/** USER_HZ: the unit of /proc/PID/stat, ten milliseconds on every Linux that Node runs on. Of children that have ended. */
const TICK_MS = 10

interface Stat {
  readonly pid: number
  readonly parent: number
  /** Milliseconds, its children that it has waited for included. */
  readonly cpu: number
}

/** Milliseconds of processor time that a process, its descendants and those it has outlived have used. */
export function cpuMs(pid: number): number {
  return family(pid).reduce((sum, { cpu }) => sum + cpu, 0)
}

/** Milliseconds of processor time of this process's children that have ended. */
export function childrenMs(): number {
  const { user, system } = process.cpuUsage()
  return cpuMs(process.pid) - (user + system) / 1000
}

/** The part of it in user mode, in ticks. */
export function childrenUserMs(): number {
  return (fieldsOf(readIfThere('/proc/self/stat'))[13] ?? 0) * TICK_MS
}

export interface Memory {
  /** MiB; what is shared counts in each process that has it. */
  readonly rss: number
  /** MiB; what is shared is divided by those that share it. */
  readonly pss: number
}

export function memoryOf(pid: number): Memory {
  const rollups = family(pid).map(({ pid: each }) => readIfThere(`/proc/${each}/smaps_rollup`))
  const sum = (word: string) =>
    rollups.reduce(
      (total, text) => total + Number(new RegExp(`^${word}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0),
      0,
    )
  return { rss: sum('Rss') / 1024, pss: sum('Pss') / 1024 }
}

/** How often the threads of a process have given up the processor by themselves: nearly all of these are wake-ups. */
export function voluntarySwitches(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const text = readIfThere(`/proc/${pid}/task/${thread}/status`)
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1] ?? 0)
  }, 0)
}

/** A process and all that descend from it. */
export function family(pid: number): Stat[] {
  const all = readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? (statOf(name) ?? []) : []))
  const found = all.filter(each => each.pid === pid)
  for (const each of found) found.push(...all.filter(child => child.parent === each.pid))
  return found
}

function statOf(pid: string): Stat | null {
  const text = readIfThere(`/proc/${pid}/stat`)
  const fields = fieldsOf(text)
  const [, parent = 0] = fields
  // utime, stime, cutime, cstime: proc(5), fields 14 to 17.
  const [user = 0, system = 0, ...children] = fields.slice(11, 15).map(ticks => ticks * TICK_MS)
  const own = processorMs(Number(pid)) ?? user + system
  return text === '' ? null : { pid: Number(pid), parent, cpu: children.reduce((sum, ms) => sum + ms, own) }
}

/** Of /proc/PID/stat, from the third on. The name in brackets, before them, may contain anything. */
function fieldsOf(stat: string): number[] {
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

/** Empty for a process that has just gone. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
