/**
 * Searches with V8's own engine under a time limit, for expressions that no automaton supports (backreferences,
 * look-around). A search blocks its thread until its budget is used up, so such probes do not run in the core.
 */
import { isUtf8 } from 'node:buffer'
import { createContext, Script } from 'node:vm'
import type { Budget } from './budget.js'
import type { Scan } from './scan.js'

/** Fraction of the budget that may be spent before the whole answer has arrived. */
const EARLY = 0.5
/** After that, the data is searched again each time it has grown by this factor. */
const GROWTH = 1.5

export class TimedScan implements Scan {
  readonly #pattern: RegExp
  readonly #budget: Budget
  readonly #early: number
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  /** Number of bytes in the last search, and its result. */
  #searched = -1
  #found: boolean | null = false

  constructor(pattern: RegExp, budget: Budget) {
    this.#pattern = pattern
    this.#budget = budget
    this.#early = budget.left * EARLY
  }

  push(bytes: Buffer, from: number, to: number): void {
    const length = this.#length + to - from
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length, 1024))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    bytes.copy(this.#bytes, this.#length, from, to)
    this.#length = length
  }

  occurs(): boolean | null {
    const isDue = this.#budget.left > this.#early || this.#length > GROWTH * this.#searched
    return isDue ? this.end() : this.#found
  }

  end(): boolean | null {
    if (this.#searched === this.#length) return this.#found
    this.#searched = this.#length
    this.#found = testWithin(this.#pattern, textOf(this.#bytes.subarray(0, this.#length)), this.#budget)
    return this.#found
  }
}

function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1')
}

const room = { pattern: /x/, text: '' }
const script = new Script('pattern.test(text)')
let context: object | undefined

/** Minimum cost of an attempt, as a fraction of its duration: a search takes at most four times its budget. */
const LEAST = 0.25

/**
 * Tests the pattern within the budget of CPU time; returns null if the budget is used up. V8's limit is wall-clock
 * time, which also passes while the machine is busy or lvsd is stopped, so an attempt that V8 ended early is repeated.
 */
function testWithin(pattern: RegExp, text: string, budget: Budget): boolean | null {
  context ??= createContext(room)
  room.pattern = pattern
  room.text = text
  while (budget.left > 0) {
    const startedAt = performance.now()
    const before = cpuTime()
    const found = runOnce(context, Math.ceil(budget.left))
    const took = performance.now() - startedAt
    const spent = Math.max(LEAST * took, Math.min(took, cpuTime() - before))
    // An attempt that timed out although the thread ran the whole time has used its budget.
    budget.left = found === null && spent > 0.9 * took ? 0 : budget.left - spent
    if (found !== null) return found
  }
  return null
}

/** Available since Node 23.9. */
const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }

/** CPU time of this thread in milliseconds, or of the whole process if Node does not provide that. */
function cpuTime(): number {
  const { user, system } = threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}

function runOnce(within: object, timeout: number): boolean | null {
  try {
    return script.runInContext(within, { timeout }) as boolean
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null
    throw error
  }
}
