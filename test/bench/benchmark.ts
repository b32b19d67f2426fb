/** What a benchmark is and what it tells. */

/** A figure of lvsd beside a peer's, or beside a limit: of what nobody can do better. */
export interface Row {
  readonly figure: string
  readonly unit: string
  readonly ours: readonly number[]
  /** The peer or the limit. */
  readonly beside: string
  /** Empty where the peer was not measured; `note` says why. */
  readonly theirs: readonly number[]
  /** What a reader must know of how it was measured. */
  readonly note?: string
  /** Which of several runs it is of, from 1, where a benchmark makes several after one warm-up. */
  readonly run?: number
}

export interface Run {
  /** Fewer samples and shorter windows: to try the benchmark itself. */
  readonly quick: boolean
  /** An empty folder of this run's own. */
  readonly folder: string
}

export interface Benchmark {
  readonly name: string
  readonly about: string
  /** In the lab where it needs the kernel's table, else on this machine. */
  readonly place: 'lab' | 'here'
  /** Minutes after which a lab is torn down. */
  readonly limit: number
  measure(run: Run): AsyncIterable<Row>
  /** The rows of `measure` without samples, as the environment chooses them. Each benchmark that measures aims has it. */
  figures?(): Iterable<Row>
}

/** How much a counter grew from each reading to the next. */
export function differences(readings: readonly number[]): number[] {
  return readings.slice(1).map((reading, i) => reading - (readings[i] ?? 0))
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
