/** Writes ldirectord's monitorfile: one line for each result of a check. A write error is logged and stops nothing. */

import { monitorWords } from '../config/ldirectord/kinds.js'
import { bracketed } from '../core/address.js'
import type { CheckResult, Config } from '../core/model.js'
import type { Subscriber } from '../health/jobs.js'
import { type LineFile, openLineFile } from '../system/line-writer.js'
import type { Log } from '../system/log.js'
import { openWriter, type Writer } from '../system/writer-thread.js'
import type { EventListener } from './event-bus.js'

export type MonitorFile = LineFile

/** Writes the monitorfiles of all services. */
export class MonitorFiles implements EventListener {
  /** Undefined while no service has a monitorfile, so that no `result` events are emitted for it. */
  result: EventListener['result']
  readonly #log: Log
  readonly #files = new Map<string, MonitorFile>()
  readonly #writer = openWriter()

  constructor(log: Log) {
    this.#log = log
  }

  config({ services }: Config): void {
    const isWanted = services.some(({ monitorfile }) => monitorfile !== null)
    this.result = isWanted ? this.#write : undefined
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map(file => file.idle()))
  }

  #write(subscribers: readonly Subscriber[], result: CheckResult): void {
    for (const subscriber of subscribers) {
      const path = subscriber.service.monitorfile
      const line = path && monitorLine(subscriber, result, new Date(), process.pid)
      if (path && line) this.#fileAt(path).write(line)
    }
  }

  #fileAt(path: string): MonitorFile {
    const file = this.#files.get(path) ?? openMonitorFile(path, this.#writer, this.#log)
    this.#files.set(path, file)
    return file
  }
}

/** Opens a monitorfile. All monitorfiles share one `writer`. */
export function openMonitorFile(path: string, writer: Writer, log: Log): MonitorFile {
  return openLineFile(path, writer, error =>
    log.error(
      'monitorfile.failed',
      { file: path, error: error.message },
      'the monitorfile cannot be written',
    ),
  )
}

/**
 * Returns a line as ldirectord writes it: `[Sun Nov 22 01:58:54 2026] [23200] negotiate http tcp 10.0.0.1 80 5 masq /
 * [up] 200 OK`. Null for kinds of check that ldirectord does not have. An IPv6 address keeps its colons, which ldirectord
 * replaces by spaces.
 */
export function monitorLine(
  { service, real, use }: Subscriber,
  result: CheckResult,
  now: Date,
  pid: number,
): string | null {
  const check = monitorWords(use)
  if (!check) return null
  const { request, receive, virtualhost } = use.options as Readonly<Record<string, unknown>>
  const { weight, forwarding } = real.attributes
  const protocol = service.virtual.kind === 'fwmark' ? 'fwm' : service.virtual.protocol
  const where = [protocol, bracketed(real.host), real.port, ...given(virtualhost), ...given(use.port)]
  const asked = String(request ?? '').replace(/^\/?/, '/')
  const words = [...check, ...where, weight, forwarding, asked, receive ?? '']
  const state = result.ok === null ? 'unknown' : result.ok ? 'up' : 'down'
  return `[${ctime(now)}] [${pid}] ${words.join(' ')} [${state}] ${escaped(result.detail)}\n`
}

function given(value: unknown): readonly unknown[] {
  return value === null || value === undefined || value === '' ? [] : [value]
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Formats `Sun Nov 22 01:58:54 2026`: local time, day padded with a space, as ctime(3) does. */
export function ctime(now: Date): string {
  const clock = [now.getHours(), now.getMinutes(), now.getSeconds()].map(part =>
    String(part).padStart(2, '0'),
  )
  const date = `${DAYS[now.getDay()]} ${MONTHS[now.getMonth()]} ${String(now.getDate()).padStart(2)}`
  return `${date} ${clock.join(':')} ${now.getFullYear()}`
}

function escaped(text: string): string {
  const codes: Readonly<Record<string, string>> = { '%': '%25', '|': '%7C', '\r': '%0D', '\n': '%0A' }
  return text.replace(/[%|\r\n]/g, letter => codes[letter] ?? letter)
}
