/** What /proc says of processes. Null or empty where there is no such process, or where this kernel does not say it. */
import { closeSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs'

/** The children of one thread (CONFIG_PROC_CHILDREN), those that have ended and nobody has asked for included. */
export function childrenOfThread(pid: number, thread: number): readonly number[] {
  const text = readProcFile(`/proc/${pid}/task/${thread}/children`) ?? ''
  return text.split(' ').filter(Boolean).map(Number)
}

export function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return []
  }
}

/** All that descend from a process and are linked to it by parents that live. */
export function descendantsOf(pid: number): readonly number[] {
  const found = new Set<number>()
  const waiting = [pid]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    for (const thread of threadsOf(next))
      for (const child of childrenOfThread(next, thread))
        if (!found.has(child)) {
          found.add(child)
          waiting.push(child)
        }
  return [...found]
}

export interface ProcessStat {
  /** `S`, `Z` and so on. */
  readonly state: string
  readonly session: number
  /** When it was forked, in ticks of 10 ms since the start of the machine. */
  readonly start: number
}

/** proc(5). The name in it may hold anything, a closing bracket too. */
export function statOf(pid: number | 'self'): ProcessStat | null {
  const stat = readProcFile(`/proc/${pid}/stat`)
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', session: Number(fields[3]), start: Number(fields[19]) }
}

export function oomScoreOf(pid: number | 'self'): number | null {
  const text = readProcFile(`/proc/${pid}/oom_score_adj`)
  return text === null ? null : Number(text)
}

/** Raising it needs no right but being the same user. */
export function setOomScore(pid: number, score: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(score))
  } catch {
    // It has ended, or runs as somebody else.
  }
}

/** Enough for nearly all of these files, which have no length before they are read. */
const room = Buffer.allocUnsafe(4096)

/** Null where the file is not there. Half the system calls and a fraction of the time of `readFileSync`. */
export function readProcFile(path: string): string | null {
  try {
    const fd = openSync(path, 'r')
    try {
      let text = ''
      // A long one comes in pieces, none of which need fill the room.
      for (let length = readSync(fd, room); length > 0; length = readSync(fd, room))
        text += room.toString('latin1', 0, length)
      return text
    } finally {
      closeSync(fd)
    }
  } catch {
    return null
  }
}
