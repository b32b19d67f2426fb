/** What the scheduler says of itself. */

export interface ScheduleStats {
  readonly jobs: number
  readonly running: number
  /** Starts that were late, milliseconds, of the recent past. */
  readonly lateness: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Times lvsd itself was stopped or starved, and for how long in all, milliseconds. */
  readonly stalls: number
  readonly stalledFor: number
  /** Runs that gave no verdict since the start, whatever the cause; each server says its own. */
  readonly noVerdicts: number
}
