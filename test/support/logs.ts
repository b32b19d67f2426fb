/** A log whose lines a test can read. */
import { pino } from 'pino'
import type { Log } from '../../src/system/log.js'

export interface Line extends Record<string, unknown> {
  readonly msg: string
}

export function recordingLog(level = 'debug'): { log: Log; lines: Line[] } {
  const lines: Line[] = []
  return { log: pino({ level, base: null }, { write: line => void lines.push(JSON.parse(line)) }), lines }
}
