/** Reads a record of results (`settings: record`; its format is in `events/result-record.ts`). Changes nothing in it. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckPolicy, HealthState, Weighing, WeightAdvice } from '../core/model.js'
import { lineOf } from '../storage/checked-line.js'
import { readText } from '../system/read-file.js'

/** A change of what a check finds. */
export interface RecordedResult {
  /** Milliseconds of the wall clock. */
  readonly t: number
  readonly ok: boolean | null
  readonly reason: string | null
  readonly detail: string
  /** Milliseconds that the run took. */
  readonly ms: number
  readonly advice?: WeightAdvice
  /** Of this check; with the first result after a start or a reload. */
  readonly policy?: CheckPolicy
}

/** A change of the state of a real server. */
export interface RecordedState {
  readonly t: number
  readonly state: HealthState
}

/** A time in which results were recorded, in milliseconds of the wall clock. */
export interface Session {
  readonly from: number
  readonly to: number
}

export interface Recording {
  /** In the order of time. */
  readonly sessions: readonly Session[]
  /** By name: `web/[2001:db8::1]:80/http`. */
  readonly checks: ReadonlyMap<string, readonly RecordedResult[]>
  /** By name: `web/[2001:db8::1]:80`. */
  readonly reals: ReadonlyMap<string, readonly RecordedState[]>
  /** Names of the servers that damping has held down, or has spared. */
  readonly damped: ReadonlySet<string>
  /** Lines that cannot be read, each with its place. */
  readonly problems: readonly string[]
}

/** There is no recording at this path, or it is of a newer lvsd. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError'
}

const NAME = 'results'
const VERSION = 1
const SEGMENT = /^\d{8}\.log$/
/** Maximum number of lines that are reported. */
const MOST_PROBLEMS = 10

/** Reads the folder of a recording, or one of its files. Throws a RecordingError. */
export function readRecording(path: string): Recording {
  const reader = new Reader()
  for (const file of filesAt(path)) reader.read(file)
  return reader.recording(path)
}

function filesAt(path: string): readonly string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw new RecordingError(`${path} does not exist`)
  if (!found.isDirectory()) return [path]
  const names = readdirSync(path).sort()
  const segments = names.filter(name => SEGMENT.test(name))
  if (segments.length > 0) return segments.map(name => join(path, name))
  const below = names.find(name => name.endsWith(`-${NAME}`) || name === NAME)
  const hint = below === undefined ? '' : `; did you mean ${join(path, below)}?`
  throw new RecordingError(`${path} holds no recording: it has no file such as 00000001.log${hint}`)
}

type Entry = Readonly<Record<string, unknown>>

class Reader {
  readonly #checks = new Map<string, RecordedResult[]>()
  readonly #reals = new Map<string, RecordedState[]>()
  readonly #damped = new Set<string>()
  readonly #sessions: Session[] = []
  readonly #problems: string[] = []
  #from: number | null = null
  #last = 0

  recording(path: string): Recording {
    this.#endSession()
    if (this.#sessions.length === 0) throw new RecordingError(`${path} holds no results`)
    return {
      sessions: this.#sessions,
      checks: this.#checks,
      reals: this.#reals,
      damped: this.#damped,
      problems: this.#problems,
    }
  }

  read(file: string): void {
    const text = readText(file)
    const lines = text.split('\n')
    // What was not written to its end is no mistake: a director may be writing.
    if (lines.pop() !== '' && lines.length === 0) return
    lines.forEach((line, i) => {
      const value = lineOf(line)?.value
      const isEntry = typeof value === 'object' && value !== null
      if (i === 0) checkHead(isEntry ? (value as Entry) : {}, file)
      else if (!isEntry || !this.#take(value as Entry)) this.#report(`${file}:${i + 1}: this line is damaged`)
    })
  }

  #report(problem: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem)
    else if (this.#problems.length === MOST_PROBLEMS) this.#problems.push('and further lines')
  }

  /** Returns false if it is none of the entries. */
  #take(entry: Entry): boolean {
    const { t, check, real } = entry
    if (entry.closed === true) return true
    if (typeof t !== 'number' || !Number.isFinite(t)) return false
    if (entry.begin === true) this.#endSession()
    this.#from ??= t
    this.#last = Math.max(this.#last, t)
    if (typeof check === 'string') return this.#takeResult(check, t, entry)
    if (typeof real === 'string') return this.#takeState(real, t, entry)
    if (entry.end === true) this.#endSession()
    return true
  }

  #takeResult(check: string, t: number, entry: Entry): boolean {
    const { ok, reason, detail, ms, weight, policy } = entry
    const results = this.#checks.get(check) ?? []
    this.#checks.set(check, results)
    const advice = typeof weight === 'string' || typeof weight === 'number' ? adviceOf(weight) : null
    const last = results.at(-1)
    if (!('ok' in entry)) {
      // The weight alone has changed.
      const { advice: _, policy: __, ...rest } = last ?? {}
      if (last) results.push({ ...(rest as RecordedResult), t, ...(advice && { advice }) })
      return last !== undefined
    }
    if (ok !== true && ok !== false && ok !== null) return false
    results.push({
      t,
      ok,
      reason: typeof reason === 'string' ? reason : null,
      detail: String(detail ?? ''),
      ms: Number(ms) || 0,
      ...(advice && { advice }),
      ...(isPolicy(policy) && { policy }),
    })
    return true
  }

  #takeState(real: string, t: number, { to, hold, state = to }: Entry): boolean {
    if (state !== 'up' && state !== 'down' && state !== 'unknown') return false
    if (hold !== undefined) this.#damped.add(real)
    const states = this.#reals.get(real) ?? []
    this.#reals.set(real, states)
    states.push({ t, state })
    return true
  }

  #endSession(): void {
    if (this.#from !== null) this.#sessions.push({ from: this.#from, to: this.#last })
    this.#from = null
  }
}

function checkHead({ lvsd, version }: Entry, file: string): void {
  if (lvsd !== NAME)
    throw new RecordingError(`${file}:1: this is no recording of check results (settings: record)`)
  if (Number(version) > VERSION)
    throw new RecordingError(`${file}:1: a newer lvsd has written this recording`)
}

const POLICY: readonly (keyof CheckPolicy)[] = ['interval', 'timeout', 'rise', 'fall', 'fastinter']

function isPolicy(value: unknown): value is CheckPolicy {
  const policy = (value ?? {}) as Partial<Record<keyof CheckPolicy, unknown>>
  return POLICY.every(key => Number(policy[key]) >= 1)
}

/** Reads `75%`, `20` or `75%<100`; null if it is none of them. */
export function adviceOf(text: string | number): WeightAdvice | null {
  const [first = '', limit] = String(text).split('<')
  const advised = weighingOf(first)
  const most = limit === undefined ? null : weighingOf(limit)
  return advised && { ...advised, ...(most && { most }) }
}

function weighingOf(text: string): Weighing | null {
  if (!/^\d+(\.\d+)?%?$/.test(text)) return null
  return text.endsWith('%') ? { percent: Number(text.slice(0, -1)) } : { weight: Number(text) }
}
