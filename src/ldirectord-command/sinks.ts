/** Where the log of ldirectord goes, and in which form: its file, syslog, or the terminal. */
import { appendFileSync } from 'node:fs'
import { ctime } from '../events/monitor-file.js'
import { sendToUnix } from '../system/libc.js'
import { type LineFile, openLineFile } from '../system/line-writer.js'
import type { LogLine } from '../system/log.js'
import { openWriter } from '../system/writer-thread.js'

export interface Sink {
  write(line: LogLine): void
  /** For the last words of a process that ends at once. */
  writeNow(line: LogLine): void
  /** Resolves when everything is written or given up. */
  close(): Promise<void>
}

/** `[Sun Nov 22 01:58:54 2026|ldirectord.cf|23200] message`: opened for each writing, so logrotate needs no signal. */
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

/** Messages on standard error, for `-d`. */
export function debugSink(print: (text: string) => void): Sink {
  return direct(({ level, text }) => print(marked(level, text)))
}

/** `[Sun Nov 22 01:58:54 2026] message` on standard output, for `supervised = yes`. */
export function supervisedSink(print: (text: string) => void): Sink {
  return direct(({ level, time, text }) => print(`[${ctime(time)}] ${marked(level, text)}`))
}

/** One that keeps nothing back. */
function direct(write: (line: LogLine) => void): Sink {
  return { write, writeNow: write, close: async () => {} }
}

/** Of <syslog.h>, and as the perl module names them. */
const FACILITIES: readonly (string | null)[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...[null, null, null, null],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
]
const DAEMON = 3
const SEVERITIES = { error: 3, warn: 4, info: 6, debug: 7 } as const

/** Datagrams for the local syslog daemon; those that it does not take are lost, and nobody waits. */
export function syslogSink(facility: string, socket = '/dev/log'): Sink {
  return direct(line => {
    try {
      sendToUnix(socket, syslogLine(line, facility, process.pid))
    } catch {
      // There is no syslog daemon, or it is busy: a log never stops lvsd.
    }
  })
}

/** `<134>Nov 22 01:58:54 ldirectord[23200]: message` (RFC 3164). */
export function syslogLine({ level, time, text }: LogLine, facility: string, pid: number): string {
  const known = FACILITIES.indexOf(facility.toLowerCase().replace(/^log_/, ''))
  const priority = (known < 0 ? DAEMON : known) * 8 + SEVERITIES[level]
  return `<${priority}>${ctime(time).slice(4, 19)} ldirectord[${pid}]: ${text}`
}

function marked(level: LogLine['level'], text: string): string {
  return level === 'error' || level === 'warn' ? `${level === 'warn' ? 'warning' : level}: ${text}` : text
}
