/** Reads process data from /proc. Results are null or empty if there is no such process or no such data. */
import { closeSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs'

/** Returns the children of one thread (CONFIG_PROC_CHILDREN), including zombies. */
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

/** Returns all descendants that are reachable through living parents. */
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
  /** `S`, `Z` and so on, see proc(5). */
  readonly state: string
  readonly session: number
  /** Start time in ticks of 10 ms since boot. */
  readonly start: number
}

/** Parses /proc/PID/stat, see proc(5). The process name in it may contain any character, including a closing bracket. */
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

/** Raises the OOM score of a process. It must belong to the same user; no capability is needed. */
export function setOomScore(pid: number, score: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(score))
  } catch {
    // The process has ended, or runs as another user.
  }
}

/** Read buffer, large enough for nearly all of these files. Their size is unknown before they are read. */
const room = Buffer.allocUnsafe(4096)

/** Returns null if the file cannot be read. Needs half the system calls of `readFileSync` and a fraction of its time. */
export function readProcFile(path: string): string | null {
  try {
    const fd = openSync(path, 'r')
    try {
      let text = ''
      // A long file arrives in several reads, and each may return less than the buffer size.
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
