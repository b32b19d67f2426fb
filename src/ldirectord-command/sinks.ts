/** Destinations and formats of the log of ldirectord: its file, syslog, or the terminal. */
import { appendFileSync } from 'node:fs'
import { ctime } from '../events/monitor-file.js'
import { sendToUnix } from '../system/datagram-sockets.js'
import { type LineFile, openLineFile } from '../system/line-writer.js'
import type { LogLine } from '../system/log.js'
import { openWriter } from '../system/writer-thread.js'

export interface Sink {
  write(line: LogLine): void
  /** Writes synchronously, just before the process ends. */
  writeNow(line: LogLine): void
  /** Resolves when all lines are written or dropped. */
  close(): Promise<void>
}

/**
 * Writes `[Sun Nov 22 01:58:54 2026|ldirectord.cf|23200] message`. The file is opened for each write, so logrotate
 * needs no signal.
 */
export function fileSink(path: string, name: string, spare: Sink): Sink {
  const file: LineFile = openLineFile(path, openWriter(), error =>
    spare.write({ level: 'error', time: new Date(), text: `${path} cannot be written: ${error.message}` }),
  )
  const own = (line: LogLine) => fileLine(line, name, process.pid)
  return {
    write: line => file.write(own(line)),
    writeNow(line) {
      try {
        appendFileSync(path, own(line))
      } catch {
        spare.writeNow(line)
      }
    },
    close: () => file.idle(),
  }
}

export function fileLine({ level, time, text }: LogLine, name: string, pid: number): string {
  return `[${ctime(time)}|${name}|${pid}] ${marked(level, text)}\n`
}

/** Writes messages to standard error, for `-d`. */
export function debugSink(print: (text: string) => void): Sink {
  return direct(({ level, text }) => print(marked(level, text)))
}

/** Writes `[Sun Nov 22 01:58:54 2026] message` to standard output, for `supervised = yes`. */
export function supervisedSink(print: (text: string) => void): Sink {
  return direct(({ level, time, text }) => print(`[${ctime(time)}] ${marked(level, text)}`))
}

/** Returns a sink without a buffer. */
function direct(write: (line: LogLine) => void): Sink {
  return { write, writeNow: write, close: async () => {} }
}

/** Facilities by number, from <syslog.h>, with the names of the Perl module. */
const FACILITIES: readonly (string | null)[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...[null, null, null, null],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
]
const DAEMON = 3
const SEVERITIES = { error: 3, warn: 4, info: 6, debug: 7 } as const

/** Sends datagrams to the local syslog daemon, without waiting. Those that it does not accept are lost. */
export function syslogSink(facility: string, socket = '/dev/log'): Sink {
  return direct(line => {
    try {
      sendToUnix(socket, syslogLine(line, facility, process.pid))
    } catch {
      // There is no syslog daemon, or it is busy. Logging must not stop lvsd.
    }
  })
}

/** Formats `<134>Nov 22 01:58:54 ldirectord[23200]: message` (RFC 3164). */
export function syslogLine({ level, time, text }: LogLine, facility: string, pid: number): string {
  const known = FACILITIES.indexOf(facility.toLowerCase().replace(/^log_/, ''))
  const priority = (known < 0 ? DAEMON : known) * 8 + SEVERITIES[level]
  return `<${priority}>${ctime(time).slice(4, 19)} ldirectord[${pid}]: ${text}`
}

function marked(level: LogLine['level'], text: string): string {
  return level === 'error' || level === 'warn' ? `${level === 'warn' ? 'warning' : level}: ${text}` : text
}
