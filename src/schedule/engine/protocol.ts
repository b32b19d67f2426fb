/** What the core and the engine's thread send each other. */
// The global `performance` is a getter, which costs more than the call.
import { performance } from 'node:perf_hooks'
import type { ProbeSpec } from '../../check/probe-spec.js'
import type { PathUse } from '../../check/run-code.js'
import type { Address } from '../../core/address.js'
import type { SourceChoice, WantedSource } from '../../core/check-source.js'
import type { LogEvent } from '../../core/log-events.js'
import type { CheckResult } from '../../core/model.js'
import type { PortTurns } from '../../probe/engine/port-turns.js'
import type { Timing } from '../executor.js'

export type EngineProbe = Exclude<ProbeSpec, { readonly kind: 'fixed' }>

/** A check that is data. */
export interface EngineWork {
  readonly probe: EngineProbe
  /** Number of plain connects between two runs. */
  readonly connects: number
  readonly target: { readonly address: Address; readonly port: number }
  readonly source?: WantedSource
  readonly path?: PathUse
  /** True if what its probe leaves to code may take the path too. */
  readonly codeTakesPath?: boolean
}

/** Jobs have numbers; a job that is replaced gets another number. */
export type Order =
  | {
      readonly kind: 'set'
      readonly job: number
      readonly place: number
      readonly work: EngineWork
      readonly timing: Timing
    }
  | { readonly kind: 'retime'; readonly job: number; readonly timing: Timing }
  | { readonly kind: 'remove'; readonly job: number }
  | { readonly kind: 'soon'; readonly job: number; readonly ms: number }
  | { readonly kind: 'at once'; readonly job: number; readonly isAnew: boolean }
  | { readonly kind: 'give up connecting'; readonly job: number; readonly least: number }
  /** The core would learn nothing from further results like that of this run. Pairs of job and run. */
  | { readonly kind: 'settled'; readonly runs: readonly (readonly [job: number, run: number])[] }
  | { readonly kind: 'virtual'; readonly addresses: readonly string[] }
  | { readonly kind: 'close' }

/** A result, with the delay of its start in milliseconds (NaN: the first start). */
export interface FullResult {
  readonly job: number
  readonly run: number
  readonly result: CheckResult
  readonly delay: number
}

/**
 * Results that differ from the last one of their job in times only: for each the job, the delay, the duration, the number
 * of phases, and the times of these.
 */
export type Repeats = Float64Array

export type Report =
  | { readonly kind: 'ready' }
  /** The self-test has failed: the thread ends. */
  | { readonly kind: 'unfit'; readonly why: string }
  | {
      readonly kind: 'results'
      readonly repeats: Repeats | null
      readonly full: readonly FullResult[]
      /** Jobs whose verdict is left to the check's own code. They do not run any more. */
      readonly deferred: readonly number[]
    }
  | { readonly kind: 'sources'; readonly choices: ReadonlyMap<string, SourceChoice> }
  | {
      readonly kind: 'line'
      readonly level: 'info' | 'warn'
      readonly event: LogEvent
      readonly fields: object
      readonly text: string
    }

/** What a new thread is given. */
export interface EngineStart {
  readonly shared: SharedTimes
  /** Where it notes its descriptors. */
  readonly descriptors: Uint8Array
}

/** The first message to the thread, or the one after its first orders. Null: it is not needed, and ends. */
export interface EngineTerms {
  /** An eventfd that wakes the thread. */
  readonly waker: number
  /** Its turns of local ports, which are those of the core. */
  readonly portTurns: PortTurns
  /** Maximum number of runs in progress. */
  readonly cap: number
  readonly hasSources: boolean
}

/** Numbers in memory that both sides see. */
export interface SharedTimes {
  /** By the place of a job: milliseconds of the steady clock of the machine at the next start; negative: a run is in progress. */
  readonly dues: Float64Array
  /** By `COUNT`. */
  readonly counts: Float64Array
}

/** Places of the counts. `turns` increases while the thread lives. */
export const COUNT = {
  turns: 0,
  jobs: 1,
  running: 2,
  waiting: 3,
  stalls: 4,
  stalledFor: 5,
  sinceStall: 6,
  noVerdicts: 7,
  /** Not 0: the process ends. */
  isEnding: 8,
  /** When the first run began, in milliseconds of the steady clock of the machine; 0: none has. */
  firstRun: 9,
} as const

/** Maximum number of jobs in the thread. Unused pages of the shared memory take none. */
export const MOST_JOBS = 131_072

export function newSharedTimes(): SharedTimes {
  const bytes = Float64Array.BYTES_PER_ELEMENT
  return {
    dues: new Float64Array(new SharedArrayBuffer(MOST_JOBS * bytes)),
    counts: new Float64Array(new SharedArrayBuffer(16 * bytes)),
  }
}

/** Milliseconds of the clock that all threads share (CLOCK_MONOTONIC). */
export function machineNow(): number {
  return machineTime(performance.now())
}

/** The same for a time of `performance.now()` of this thread. */
export function machineTime(ms: number): number {
  return OFFSET + ms
}

/** Inverse of `machineTime`. */
export function ownTime(ms: number): number {
  return ms - OFFSET
}

const [seconds, nanoseconds] = process.hrtime()
const OFFSET = seconds * 1000 + nanoseconds / 1e6 - performance.now()
