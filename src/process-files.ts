/** What /proc says of processes. Null or empty where there is no such process, or where this kernel does not say it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** The children of one thread (CONFIG_PROC_CHILDREN), those that have ended and nobody has asked for included. */
export function childrenOfThread(pid: number, thread: number): readonly number[] {
  const text = read(`/proc/${pid}/task/${thread}/children`) ?? ''
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
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', session: Number(fields[3]), start: Number(fields[19]) }
}

export function oomScoreOf(pid: number | 'self'): number | null {
  const text = read(`/proc/${pid}/oom_score_adj`)
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

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
