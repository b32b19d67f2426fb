/** A log that records its lines for tests. */
import { pino } from 'pino'
import type { LogEvent } from '../../src/core/log-events.js'
import { type Log, logOver } from '../../src/system/log.js'

export interface Line extends Record<string, unknown> {
  readonly event: LogEvent
  readonly msg: string
}

export function recordingLog(level = 'debug'): { log: Log; lines: Line[] } {
  const lines: Line[] = []
  const logger = pino({ level, base: null }, { write: line => void lines.push(JSON.parse(line)) })
  return { log: logOver(logger), lines }
}
