/** The log: JSON lines for machines, one readable line each on a terminal. The one file that imports pino. */
import { type Logger, pino } from 'pino'
import type { LogEvent, LogField } from '../core/log-events.js'
import type { Settings } from '../core/model.js'
import { openOutput } from './fd-writer.js'

export interface Log extends Readonly<Record<Level, Say>>, Pick<Logger, 'isLevelEnabled'> {
  /** Resolves when what was said is written, or will never be. */
  flush(): void | Promise<void>
}

type Level = 'debug' | 'info' | 'warn' | 'error'

/** A line of this kind, with fields that the kind has. */
type Say = <Event extends LogEvent, Fields extends object>(
  event: Event,
  fields: Fields & Readonly<Record<Exclude<keyof Fields, LogField<Event>>, never>>,
  message: string,
) => void

/** Lines as `logger` writes them, each with the name of its kind. */
export function logOver(logger: Logger, flush: Log['flush'] = () => {}): Log {
  const say =
    (level: Level): Say =>
    (event, fields, message) => {
      const line: object = { event, ...fields }
      logger[level](line, message)
    }
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    isLevelEnabled: level => logger.isLevelEnabled(level),
    flush,
  }
}

/** Lines held back while standard output does not take them; older ones are dropped then, never waited for. */
const BUFFER_BYTES = 4 << 20

/** A log on standard output. Neither a full disk nor a reader that has stopped reading stops lvsd: lines are dropped. */
export function openLog(level: Settings['logLevel'], isTerminal = process.stdout.isTTY === true): Log {
  const options = { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }
  const output = openOutput(1, BUFFER_BYTES)
  const log = isTerminal
    ? pino(options, { write: line => output.write(readable(line)) })
    : pino({ ...options, formatters: { level: label => ({ level: label }) } }, output)
  return logOver(log, () => output.flush())
}

/** A line of the log for those who keep it in a form of their own. */
export interface LogLine {
  readonly level: Level
  readonly time: Date
  /** The message, and behind it the fields: `key=value`. */
  readonly text: string
}

/** A log whose lines are handed to `write`. */
export function openLineLog(level: Settings['logLevel'], write: (line: LogLine) => void): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  const formatters = { level: (label: string) => ({ level: label }) }
  return logOver(pino({ ...options, formatters }, { write: json => write(lineOf(json)) }))
}

function lineOf(json: string): LogLine {
  const { level, time, ...rest } = JSON.parse(json) as Record<string, unknown>
  return { level: level as LogLine['level'], time: new Date(String(time)), text: textOf(rest) }
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'WARN ', 50: 'ERROR' }

/** `04:05:06.789 WARN  message  key=value …` from one JSON line. */
export function readable(line: string): string {
  const { level, time, msg, pid: _pid, ...rest } = JSON.parse(line) as Record<string, unknown>
  return `${String(time).slice(11, 23)} ${LEVELS[Number(level)] ?? level} ${textOf({ msg, ...rest })}\n`
}

/** `message  key=value …`: who reads it needs no name of its kind. */
function textOf({ msg, event: _event, ...rest }: Record<string, unknown>): string {
  return [msg, ...Object.entries(rest).map(([key, value]) => `${key}=${plain(value)}`)].join('  ')
}

function plain(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value) ? value : JSON.stringify(value)
}
