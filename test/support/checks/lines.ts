/** Small servers of line protocols, and the faults of such servers. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { Check } from '../../../src/check/check.js'
import { probe } from '../probe.js'
import {
  drippingServer,
  endlessServer,
  type Listening,
  type Loopback,
  refusedPort,
  silentServer,
  tcpServer,
  tlsServer,
} from '../servers.js'

export interface LineServer extends Listening {
  /** Lines received so far. */
  readonly heard: readonly string[]
}

/**
 * Sends `greeting`, then the `answer` to each line. The connection is closed if `answer` returns null, or after an
 * answer to QUIT or LOGOUT. Lines are given without line ends.
 */
export async function lineServer(
  greeting: string | null,
  answer: (line: string, socket: Socket) => string | null,
  { host = '::1' as Loopback, tls = false } = {},
): Promise<LineServer> {
  const heard: string[] = []
  const talk = (socket: Socket) => {
    let rest = ''
    if (greeting !== null) socket.write(`${greeting}\r\n`)
    socket.on('data', chunk => {
      const lines = `${rest}${chunk}`.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        heard.push(line)
        const said = answer(line, socket)
        if (said) socket.write(`${said}\r\n`)
        if (said === null || (said !== '' && /\b(QUIT|LOGOUT)$/.test(line))) socket.end()
      }
    })
  }
  const server = await (tls ? tlsServer(talk, {}, host) : tcpServer(talk, host))
  return { ...server, heard }
}

/** A server that sends the text at once and closes the connection. */
export function announcing(text: string, host?: Loopback): Promise<Listening> {
  return tcpServer(socket => socket.resume().end(text), host)
}

type Fault = readonly [
  phrase: string,
  reason: string,
  server: (host: Loopback) => Promise<{ host: string; port: number }>,
]

/** Returns the faults of servers that send a greeting first. `half` is the beginning of a greeting. */
export function faultsOf(half: string): readonly Fault[] {
  return [
    ['is not there', 'refused', async host => ({ host, port: await refusedPort(host) })],
    ['stays silent', 'timeout', host => silentServer(host)],
    ['hangs up at once', 'closed', host => announcing('', host)],
    ['resets the connection', 'reset', host => tcpServer(socket => socket.resetAndDestroy(), host)],
    ['dies in mid-answer', 'truncated', host => announcing(half, host)],
    ['drips', 'timeout', host => drippingServer(`${half}, but slowly\r\n`, 20, host)],
    ['speaks another protocol', 'garbage', host => announcing('no protocol at all\r\n', host)],
    ['never stops', 'too-big', host => endlessServer(half, 'more and more', host)],
  ]
}

/** Defines a test for each fault, over IPv6 and IPv4. */
export function itFails(check: Check, half: string, options: Readonly<Record<string, unknown>> = {}): void {
  for (const host of ['::1', '127.0.0.1'] as const)
    for (const [phrase, reason, server] of faultsOf(half))
      it(`is down when a server at ${host} ${phrase}`, async () => {
        const timeout = reason === 'timeout' ? 120 : 3000
        const result = await probe(check, await server(host), options, { timeout })
        assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
        assert.ok(result.ms < 3500)
      })
}

/** Like `itFails`, for checks that begin with TLS. The faults occur within TLS, or during the handshake. */
export function itFailsInTls(check: Check, half: string): void {
  const faults: [phrase: string, reason: string, behaviour: (socket: Socket) => void][] = [
    ['stays silent', 'timeout', socket => socket.resume()],
    ['hangs up at once', 'closed', socket => socket.resume().end()],
    ['dies in mid-answer', 'truncated', socket => socket.resume().end(half)],
    ['speaks another protocol', 'garbage', socket => socket.resume().end('no protocol at all\r\n')],
  ]
  for (const [phrase, reason, behaviour] of faults)
    it(`is down when a server in TLS ${phrase}`, async () => {
      const timeout = reason === 'timeout' ? 150 : 3000
      const result = await probe(check, await tlsServer(behaviour), {}, { timeout })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
    })

  const broken: [
    phrase: string,
    reason: string,
    server: () => Promise<{ host: string; port: number } | number>,
  ][] = [
    ['is not there', 'refused', () => refusedPort()],
    ['never shakes hands', 'timeout', () => silentServer()],
    ['hangs up instead of shaking hands', 'closed', () => announcing('')],
    ['does not speak TLS', 'tls', () => announcing('220 in plain text\r\n')],
  ]
  for (const [phrase, reason, server] of broken)
    it(`is down when the server ${phrase}`, async () => {
      const result = await probe(check, await server(), {}, { timeout: reason === 'timeout' ? 150 : 3000 })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
    })
}
