/** Statistics of the scheduler. */

export interface ScheduleStats {
  /** What runs the checks that are data. */
  readonly engine: 'portable' | 'native'
  readonly jobs: number
  readonly running: number
  /** Delays of recent starts in milliseconds. */
  readonly lateness: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Number of stalls, in which lvsd itself was stopped or starved, and their total duration in milliseconds. */
  readonly stalls: number
  readonly stalledFor: number
  /** Milliseconds since the last stall ended; null if there was none. */
  readonly sinceStall: number | null
  /** Number of runs without a verdict since the start, for any reason. Each server reports its own reason. */
  readonly noVerdicts: number
}

/** What is counted: without the delays, which take longer, and without what runs the checks. */
export type ScheduleCounts = Omit<ScheduleStats, 'lateness' | 'engine'>
