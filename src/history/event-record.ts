import type { LogEvent } from '../core/log-events.js'

/** The levels of events, from the least to the worst. */
export const LEVELS = { info: 0, warn: 1, error: 2 } as const

export type Level = keyof typeof LEVELS

/** An event as JSON: the fields of its log line, without the process id. */
export interface EventRecord {
  readonly id: number
  /** ISO 8601. */
  readonly time: string
  readonly level: Level
  readonly event: LogEvent
  readonly msg: string
  /** The fields of the kind: service, real, reason and so on. */
  readonly [field: string]: unknown
}
