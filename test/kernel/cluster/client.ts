/** A steady client: requests at a fixed rate, each on a new connection, whatever becomes of the earlier ones. */
import { connect } from 'node:net'
import { onCleanup } from '../../support/after-each.js'

/** Requests per second. */
export const RATE = 50

export interface Request {
  /** `performance.now()` when it began. */
  readonly at: number
  /** Null: answered with 200. Else what failed. */
  readonly failure: string | null
}

export interface Client {
  /** The requests that have ended, in the order of their ends. */
  readonly ended: readonly Request[]
  /** Stops, waits for the open requests, and returns all in the order of their beginnings. */
  stop(): Promise<readonly Request[]>
}

/** Starts a client of http://[host]/. A request fails if it is not answered within `limit` ms. */
export function startClient(host: string, limit: number): Client {
  const ended: Request[] = []
  const open = new Set<Promise<void>>()
  const startedAt = performance.now()
  let sent = 0
  const ask = async () => {
    const at = performance.now()
    ended.push({ at, failure: await fetchOnce(host, limit) })
  }
  // All requests that are due: late timers are made up for.
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * RATE) / 1000)
    for (; sent < due; sent++) {
      const asked = ask().finally(() => open.delete(asked))
      open.add(asked)
    }
  }, 1000 / RATE)
  onCleanup(() => clearInterval(timer))
  return {
    ended,
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      return [...ended].sort((a, b) => a.at - b.at)
    },
  }
}

/** Returns null if the host answers with 200 within `limit` ms, else what failed. */
export function fetchOnce(host: string, limit: number): Promise<string | null> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(80, host)
    const end = (failure: string | null) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(failure)
    }
    const timer = setTimeout(() => end(text === '' ? 'silent' : 'incomplete'), limit)
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
    })
    socket.on('error', error => end((error as NodeJS.ErrnoException).code ?? error.message))
    socket.on('end', () =>
      end(/^HTTP\/1\.1 200 .*\napplication\d\n$/s.test(text) ? null : (text.split('\r\n')[0] ?? '')),
    )
    socket.write('GET / HTTP/1.1\r\nhost: cluster\r\nconnection: close\r\n\r\n')
  })
}

/** Sends commands to a Redis or Sentinel. Returns all that it answers; '' if that is nothing within a second. */
export function askRedis(host: string, port: number, ...commands: readonly string[]): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(port, host)
    socket.setTimeout(1000, () => socket.destroy())
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    socket.write([...commands, 'QUIT', ''].join('\r\n'))
  })
}

export interface Losses {
  readonly sent: number
  /** Requests that began during the fault and failed. */
  readonly during: number
  /** Requests that began after its end and failed. */
  readonly after: number
  /** Milliseconds from the first request that failed to the last one, and one interval. */
  readonly failing: number
  /** The longest time without a request that was answered, in milliseconds; 0 if none failed. */
  readonly silence: number
  /** How often each kind of failure occurred. */
  readonly kinds: Readonly<Record<string, number>>
}

/** Counts what failed. `end`: when the fault ended. */
export function lossesOf(requests: readonly Request[], end: number): Losses {
  const failed = requests.filter(({ failure }) => failure !== null)
  const kinds: Record<string, number> = {}
  for (const { failure } of failed) kinds[String(failure)] = (kinds[String(failure)] ?? 0) + 1
  const during = failed.filter(({ at }) => at < end).length
  const [first, last] = [failed[0], failed.at(-1)]
  return {
    sent: requests.length,
    during,
    after: failed.length - during,
    failing: first && last ? last.at - first.at + 1000 / RATE : 0,
    silence: longestSilence(requests),
    kinds,
  }
}

/** Returns the longest time from a request that failed to the next one that was answered. */
function longestSilence(requests: readonly Request[]): number {
  let [longest, since] = [0, null as number | null]
  for (const { at, failure } of requests) {
    if (failure !== null) since ??= at
    if (since !== null) longest = Math.max(longest, at - since)
    if (failure === null) since = null
  }
  return longest
}
