/** ldirectord's monitorfile: a line for each result of a check. A file that cannot be written never stops anything. */
import type { Subscriber } from './jobs.js'
import { type LineFile, openLineFile } from './line-file.js'
import type { Log } from './log.js'
import type { CheckResult } from './model.js'

export type MonitorFile = LineFile

export function openMonitorFile(path: string, log: Log): MonitorFile {
  return openLineFile(path, error =>
    log.error({ file: path, error: error.message }, 'the monitorfile cannot be written'),
  )
}

/** `[Sun Nov 22 01:58:54 2026] [23200] negotiate http tcp 10.0.0.1 80 5 masq /  [up] 200 OK`, as ldirectord has it. */
export function monitorLine(
  { service, real, use }: Subscriber,
  result: CheckResult,
  now: Date,
  pid: number,
): string {
  const { request = '', receive = '' } = use.options as { request?: unknown; receive?: unknown }
  const { weight, forwarding } = real.attributes
  const protocol =
    service.id?.kind === 'fwmark' ? 'fwm' : (service.id?.protocol ?? service.unresolved?.protocol ?? '')
  const host = real.host.includes(':') ? `[${real.host}]` : real.host
  const [type, name] = KINDS_WITHOUT_SERVICE.has(use.kind) ? [use.kind, 'none'] : ['negotiate', use.kind]
  const words = [type, name, protocol, host, real.port, weight, forwarding, request, receive ?? '']
  const state = result.ok === null ? 'unknown' : result.ok ? 'up' : 'down'
  return `[${ctime(now)}] [${pid}] ${words.join(' ')} [${state}] ${escaped(result.detail)}\n`
}

const KINDS_WITHOUT_SERVICE = new Set(['connect', 'ping', 'external', 'external-perl', 'on', 'off'])

/** `Sun Nov 22 01:58:54 2026`, local time, the day padded with a blank as ctime(3) does. */
export function ctime(now: Date): string {
  const [day, month] = [
    now.toLocaleString('en', { weekday: 'short' }),
    now.toLocaleString('en', { month: 'short' }),
  ]
  const clock = [now.getHours(), now.getMinutes(), now.getSeconds()].map(part =>
    String(part).padStart(2, '0'),
  )
  return `${day} ${month} ${String(now.getDate()).padStart(2)} ${clock.join(':')} ${now.getFullYear()}`
}

function escaped(text: string): string {
  const codes: Readonly<Record<string, string>> = { '%': '%25', '|': '%7C', '\r': '%0D', '\n': '%0A' }
  return text.replace(/[%|\r\n]/g, letter => codes[letter] ?? letter)
}
