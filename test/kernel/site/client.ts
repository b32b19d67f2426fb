/** Clients of the site: a single page, a long download, a steady rate of requests. */
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { onCleanup } from '../../support/after-each.js'

export interface Page {
  readonly status: number
  readonly body: string
}

/** Time limit in milliseconds. It detects dropped packets, and is long because a guest with little CPU time is slow. */
const PATIENCE = 10_000

/** Fetches a page on a new connection. Rejects if it is not complete within `timeout` ms. */
export function fetchPage(host: string, path = '/', { port = 80, timeout = PATIENCE } = {}): Promise<Page> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeout)
    const request = get({ host, port, path, agent: false, signal }, (response: IncomingMessage) => {
      let body = ''
      response.setEncoding('latin1').on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
}

/**
 * Fetches what ends with `last`, and resets the connection then: the kernel forgets it after 10 s, while a connection
 * that is closed takes two minutes. Resolves to the body.
 */
export function fetchAndReset(host: string, path: string, last: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(80, host)
    let text = ''
    socket.on('error', reject).on('close', () => reject(new Error(`closed after: ${text}`)))
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
      const body = text.indexOf('\r\n\r\n') + 4
      if (body < 4 || !text.endsWith(last) || text.length === body) return
      // Now: a client that waits for the server's end closes.
      socket.resetAndDestroy()
      if (text.startsWith('HTTP/1.1 200')) resolve(text.slice(body))
      else reject(new Error(text))
    })
    socket.write(`GET ${path} HTTP/1.0\r\n\r\n`)
  })
}

export interface Download {
  /** Name of the server. */
  readonly from: string
  /** Resolves to the number of lines after the first one. Rejects if the download is truncated or a line is missing. */
  readonly whole: Promise<number>
  abort(): void
}

/** Begins a download. Resolves when the first line has arrived. */
export function beginDownload(host: string, path: string): Promise<Download> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port: 80, path, agent: false }, response => {
      let text = ''
      const whole = new Promise<number>((done, broken) => {
        response.on('error', broken).on('end', () => done(linesOf(text)))
      })
      whole.catch(() => {})
      response.setEncoding('latin1').on('data', chunk => {
        text += chunk
        if (text.includes('\n'))
          resolve({ from: text.split('\n')[0] ?? '', whole, abort: () => request.destroy() })
      })
    })
    request.on('error', reject)
  })
}

function linesOf(text: string): number {
  const lines = text.trimEnd().split('\n').slice(1)
  if (lines.pop() !== 'end') throw new Error('the download broke off')
  const wrong = lines.findIndex((line, i) => line !== String(i))
  if (wrong >= 0) throw new Error(`line ${wrong} of the download is ${lines[wrong]}`)
  return lines.length
}

export interface Tally {
  readonly sent: number
  /** Number of complete answers with status 200, by name of the server. */
  readonly answered: Readonly<Record<string, number>>
  readonly failures: readonly { readonly at: number; readonly why: string }[]
}

export interface SteadyClient {
  /** Number of requests that have failed so far. */
  readonly failed: number
  /** Stops sending requests. Resolves when the pending ones have ended. */
  stop(): Promise<Tally>
}

/** Requests a page `rate` times per second, without waiting for the answers; at most `limit` requests. */
export function steadyClient(
  host: string,
  { port = 80, rate = 50, limit = 3000, fetch = (): Promise<Page> => fetchPage(host, '/', { port }) } = {},
): SteadyClient {
  const answered: Record<string, number> = {}
  const failures: { at: number; why: string }[] = []
  const open = new Set<Promise<void>>()
  let sent = 0
  const startedAt = performance.now()

  const ask = async () => {
    const at = performance.now()
    try {
      const { status, body } = await fetch()
      if (status === 200) answered[body.trim()] = (answered[body.trim()] ?? 0) + 1
      else failures.push({ at, why: `status ${status}` })
    } catch (error) {
      failures.push({ at, why: (error as NodeJS.ErrnoException).code ?? (error as Error).name })
    }
  }

  // All requests that are due: late timers are compensated, so the rate is constant.
  const timer = setInterval(() => {
    const due = Math.min(limit, Math.floor(((performance.now() - startedAt) * rate) / 1000))
    for (; sent < due; sent++) {
      const asked = ask().finally(() => open.delete(asked))
      open.add(asked)
    }
  }, 1000 / rate)
  onCleanup(() => clearInterval(timer))

  return {
    get failed() {
      return failures.length
    },
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      return { sent, answered, failures }
    },
  }
}
