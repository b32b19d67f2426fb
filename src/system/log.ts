/** The log: JSON lines for machines, readable lines on a terminal. The only file that imports pino. */
import { type Logger, pino } from 'pino'
import type { LogEvent, LogField } from '../core/log-events.js'
import { isoTime } from '../util/time-text.js'
import { openOutput } from './fd-writer.js'
import { withSourceLines } from './source-lines.js'

export interface Log extends Readonly<Record<Level, Say>>, Pick<Logger, 'isLevelEnabled'> {
  /** Resolves when all lines are written or dropped. */
  flush(): void | Promise<void>
}

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Writes a line of the given kind, with fields that this kind has. */
type Say = <Event extends LogEvent, Fields extends object>(
  event: Event,
  fields: Fields & Readonly<Record<Exclude<keyof Fields, LogField<Event>>, never>>,
  message: string,
) => void

/** Returns a log that writes to `logger` and adds the event name to each line. */
export function logOver(logger: Logger, flush: Log['flush'] = () => {}): Log {
  const say =
    (level: Level): Say =>
    (event, fields, message) => {
      // In place of a spread, which V8 makes five times as slow.
      const line: object = Object.assign({ event }, fields)
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

/** The time as pino writes it. */
const timestamp = () => `,"time":"${isoTime(Date.now())}"`

/** Maximum characters queued while standard output accepts none; further lines are dropped. */
const BUFFER_BYTES = 4 << 20

/** Opens a log on standard output. It never blocks: lines are dropped if the disk is full or the reader stops. */
export function openLog(level: Level, isTerminal = process.stdout.isTTY === true): Log {
  const options = {
    ...{ level, base: { pid: process.pid }, timestamp },
    serializers: { err: withStack },
  }
  const output = openOutput(1, BUFFER_BYTES)
  const log = isTerminal
    ? pino(options, { write: line => output.write(readable(line)) })
    : pino({ ...options, formatters: { level: label => ({ level: label }) } }, output)
  return logOver(withNativeJson(log), () => output.flush())
}

const AS_JSON: typeof pino.symbols.asJsonSym = pino.symbols.asJsonSym
const LEVEL_TEXTS: typeof pino.symbols.lsCacheSym = pino.symbols.lsCacheSym
const BASE_TEXT: typeof pino.symbols.chindingsSym = pino.symbols.chindingsSym

/** What pino makes a line of; its symbols are there to have this replaced. */
interface Lines {
  [AS_JSON]: (fields: object, message: string, level: number, time: string) => string
  readonly [LEVEL_TEXTS]: Readonly<Record<number, string>>
  readonly [BASE_TEXT]: string
}

/**
 * Has the lines made by V8 and not by pino, which looks at each character. Before V8 has optimized that, it takes ten times as long:
 * a start has a line for each server. The lines are the same; what JSON does not have, and errors, are left to pino.
 */
export function withNativeJson(logger: Logger): Logger {
  const lines = logger as unknown as Lines
  const byPino = lines[AS_JSON]
  lines[AS_JSON] = (fields, message, level, time) => {
    if ('err' in fields) return byPino.call(logger, fields, message, level, time)
    try {
      const begin = lines[LEVEL_TEXTS][level] + time + lines[BASE_TEXT]
      const written = JSON.stringify(fields)
      const inner = written === '{}' ? '' : `,${written.slice(1, -1)}`
      return `${begin}${inner},"msg":${JSON.stringify(message)}}\n`
    } catch {
      return byPino.call(logger, fields, message, level, time)
    }
  }
  return logger
}

function withStack(error: Error): object {
  const written = pino.stdSerializers.err(error)
  return typeof written?.stack === 'string' ? { ...written, stack: withSourceLines(written.stack) } : written
}

/** A log line for consumers that use their own format. */
export interface LogLine {
  readonly level: Level
  readonly time: Date
  /** The message, followed by the fields as `key=value`. */
  readonly text: string
}

/** Opens a log that passes its lines to `write`. */
export function openLineLog(level: Level, write: (line: LogLine) => void): Log {
  const options = {
    ...{ level, base: null, timestamp },
    serializers: { err: withStack },
  }
  const formatters = { level: (label: string) => ({ level: label }) }
  return logOver(withNativeJson(pino({ ...options, formatters }, { write: json => write(lineOf(json)) })))
}

function lineOf(json: string): LogLine {
  const { level, time, ...rest } = JSON.parse(json) as Record<string, unknown>
  return { level: level as LogLine['level'], time: new Date(String(time)), text: textOf(rest) }
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'WARN ', 50: 'ERROR' }

/** Formats a JSON line for people: `04:05:06.789 WARN  message  key=value …`. */
export function readable(line: string): string {
  const { level, time, msg, pid: _pid, ...rest } = JSON.parse(line) as Record<string, unknown>
  return `${String(time).slice(11, 23)} ${LEVELS[Number(level)] ?? level} ${textOf({ msg, ...rest })}\n`
}

/** Returns `message  key=value …`, without the name and the id of the event. */
function textOf({ msg, event: _event, id: _id, ...rest }: Record<string, unknown>): string {
  return [msg, ...Object.entries(rest).map(([key, value]) => `${key}=${plain(value)}`)].join('  ')
}

function plain(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value) ? value : JSON.stringify(value)
}
