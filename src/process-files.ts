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

/** `S`, `Z` and so on. The name before it may hold anything. */
export function stateOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`)
  return stat === null ? null : (/^.*\) (\w)/s.exec(stat)?.[1] ?? null)
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
