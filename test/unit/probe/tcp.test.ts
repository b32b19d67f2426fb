import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { ProbeSpec } from '../../../src/check/probe-spec.js'
import { runOnce } from '../../../src/check/run.js'
import { startProbe } from '../../../src/probe/start-probe.js'
import { prepareTcp } from '../../../src/probe/tcp.js'
import { onCleanup } from '../../support/after-each.js'
import { closeNative, ENGINES, type RunProbe } from '../../support/native-probe.js'
import * as servers from '../../support/servers.js'
import { address } from '../../support/tables.js'
import { until } from '../../support/until.js'

type TcpProbe = Extract<ProbeSpec, { kind: 'tcp' }>
type Server = Pick<servers.Listening, 'host' | 'port'>

const CONNECT = { send: new Uint8Array(), judge: { kind: 'connected' } } as const
const HTTP = {
  send: Buffer.from('GET / HTTP/1.0\r\n\r\n'),
  judge: { kind: 'http', method: 'GET', status: [[200, 299]], match: null, limit: 100_000 },
} as const
const PONG = {
  send: Buffer.from('PING\r\n'),
  judge: { kind: 'match', match: { kind: 'text', text: 'PONG' }, limit: 1000 },
} as const

function probe({ host, port }: Server, over: Partial<TcpProbe>): TcpProbe {
  const to = address(host)
  return { kind: 'tcp', address: to, port, end: false, reset: false, ...CONNECT, ...over }
}

for (const { engine, run } of ENGINES)
  describe(`tcp: a probe over TCP ${engine}`, () => {
    after(closeNative)
    suite(run)
  })

function suite(runProbe: RunProbe): void {
  /** Reason and phase of one run. */
  async function outcome(server: Server, over: Partial<TcpProbe>, timeout = 1000) {
    const { reason, phase } = await runProbe(probe(server, over), timeout)
    return [reason, phase]
  }

  const cases: readonly [
    what: string,
    server: () => Promise<Server>,
    over: Partial<TcpProbe>,
    expected: readonly [reason: string | null, phase: string],
    timeout?: number,
  ][] = [
    ['a connection', () => servers.silentServer(), CONNECT, [null, 'connect']],
    ['a connection over IPv4', () => servers.silentServer('127.0.0.1'), CONNECT, [null, 'connect']],
    [
      'an HTTP answer',
      () => servers.httpServer((_, response) => response.end('hello')),
      HTTP,
      [null, 'body'],
    ],
    ['the expected text', () => servers.saying('+PONG\r\n'), PONG, [null, 'body']],
    [
      'a port that refuses',
      async () => ({ host: '::1', port: await servers.refusedPort() }),
      CONNECT,
      ['refused', 'connect'],
    ],
    [
      'a port that refuses over IPv4',
      async () => ({ host: '127.0.0.1', port: await servers.refusedPort('127.0.0.1') }),
      HTTP,
      ['refused', 'connect'],
    ],
    [
      'an interface that is not there',
      async () => ({ host: 'fe80::1%gone0', port: 80 }),
      CONNECT,
      ['no-verdict', 'connect'],
    ],
    ['a silent server', () => servers.silentServer(), HTTP, ['timeout', 'first byte'], 60],
    ['a server that hangs up at once', () => servers.hangUpServer(), HTTP, ['closed', 'first byte']],
    ['a server that resets', () => servers.resetServer(), HTTP, ['reset', 'first byte']],
    [
      'headers byte by byte',
      () => servers.drippingServer('HTTP/1.0 200 OK\r\n', 10),
      HTTP,
      ['timeout', 'headers'],
      120,
    ],
    [
      'a body byte by byte',
      () => servers.drippingServer(`HTTP/1.0 200 OK\r\n\r\n${'x'.repeat(500)}`, 2),
      HTTP,
      ['timeout', 'body'],
      300,
    ],
    ['headers without end', () => servers.endlessHeaders(), HTTP, ['too-big', 'headers']],
    ['a body without end', () => servers.endlessBody(), HTTP, ['too-big', 'body']],
    ['garbage', () => servers.garbageServer(), HTTP, ['garbage', 'first byte']],
    [
      'half an answer',
      () => servers.saying('HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
      HTTP,
      ['truncated', 'body'],
    ],
    ['another text', () => servers.saying('-NOPE\r\n'), PONG, ['unexpected', 'body']],
  ]

  for (const [what, server, over, expected, timeout] of cases)
    it(`is ${expected[0] ?? 'up'} on ${what}`, async () => {
      assert.deepEqual(await outcome(await server(), over, timeout), expected)
    })

  it('times its phases in order', async () => {
    const server = await servers.httpServer((_, response) => response.end('hello'))
    const { phases, ms } = await runProbe(probe(server, HTTP), 1000)
    assert.deepEqual(
      phases.map(({ phase }) => phase).filter(phase => phase !== 'headers'),
      ['connect', 'first byte', 'body'],
    )
    const times = [0, ...phases.map(phase => phase.ms), ms]
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    )
  })

  it('ends within the deadline whatever the server does, and close to it', async () => {
    const { ms } = await runProbe(probe(await servers.silentServer(), HTTP), 100)
    assert.ok(ms >= 95 && ms < 1000)
  })

  it('hangs up when it has its answer, and when it gives up', async () => {
    const closed: string[] = []
    const server = await servers.tcpServer(socket => {
      socket.once('data', () => socket.write('PONG'))
      socket.on('end', () => closed.push('closed'))
      socket.resume()
    })
    await runProbe(probe(server, PONG), 1000)
    await runProbe(probe(server, { ...PONG, send: new Uint8Array() }), 50)
    await until(() => closed.length === 2)
  })

  it('closes its half when asked to', async () => {
    const server = await servers.tcpServer(socket => {
      socket.resume()
      socket.on('end', () => socket.end('PONG'))
    })
    assert.equal((await runProbe(probe(server, { ...PONG, end: true }), 1000)).ok, true)
  })

  it('ends with a reset when asked to, else in an orderly way', async () => {
    const ends: string[] = []
    const server = createServer(socket => watchEnd(socket, ends)).listen(0, '::1')
    onCleanup(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const reset of [true, false]) await runProbe(probe({ host: '::1', port }, { ...PONG, reset }), 1000)
    await until(() => ends.length === 2)
    assert.deepEqual(ends, ['ECONNRESET', 'orderly'])
  })

  it('has nothing to reset where there is no connection, or none any more', async () => {
    const port = await servers.refusedPort()
    assert.deepEqual(await outcome({ host: '::1', port }, { reset: true }), ['refused', 'connect'])
    assert.deepEqual(await outcome(await servers.resetServer(), { ...HTTP, reset: true }), [
      'reset',
      'first byte',
    ])
    assert.deepEqual(await outcome(await servers.silentServer(), { ...HTTP, reset: true }, 30), [
      'timeout',
      'first byte',
    ])
  })

  it('tells the answers of one server apart, whether they are new or were given before', async () => {
    const bodies = ['OK', 'OK', 'ok', 'OK', 'OK, now longer', 'OK', 'nothing', 'OK']
    const server = await servers.httpServer((_, response) => response.end(bodies[asked++]))
    let asked = 0
    const judge = { ...HTTP.judge, match: { kind: 'text', text: 'OK' } } as const
    const seen: [boolean | null, string, string][] = []
    for (const _ of bodies) {
      const { ok, detail, phases } = await runProbe(probe(server, { ...HTTP, judge }), 1000)
      seen.push([ok, detail.replace(/:.*/, ''), phases.map(({ phase }) => phase).join()])
    }
    const phases = 'connect,first byte,body'
    const passed = (bytes: number) => [true, `200 OK, found "OK" in ${bytes} bytes`, phases]
    const missed = (bytes: number) => [false, `200 OK, but no "OK" in ${bytes} bytes`, phases]
    const wanted = bodies.map(body => (body.includes('OK') ? passed : missed)(body.length))
    assert.deepEqual(seen, wanted)
  })

  it('reads many answers at the same time without mixing them up', async () => {
    const server = await servers.tcpServer(socket => {
      socket.once('data', data => {
        const half = data.length >> 1
        socket.write(data.subarray(0, half))
        setTimeout(() => socket.end(data.subarray(half)), 5)
      })
    })
    const runs = Array.from({ length: 50 }, (_, i) => {
      const text = `this is number ${i} of fifty`
      const judge = { kind: 'match', match: { kind: 'text', text }, limit: 1000 } as const
      return runProbe(probe(server, { send: Buffer.from(text), judge }), 3000)
    })
    assert.deepEqual([...new Set((await Promise.all(runs)).map(({ reason }) => reason))], [null])
  })
}

describe('tcp: the pace of a probe over TCP', () => {
  it('reads a server that sends single bytes rarely, and misses none of them', async () => {
    const bytes = 3000
    const server = await servers.tcpServer(socket => {
      socket.setNoDelay(true)
      const send = (left: number) => {
        socket.write(left === 0 ? 'END' : '.')
        if (left > 0 && !socket.destroyed) setImmediate(send, left - 1)
      }
      send(bytes)
    })
    const judge = { kind: 'match', match: { kind: 'text', text: 'END' }, limit: 65_536 } as const
    const prepared = prepareTcp(probe(server, { judge }))
    let reads = 0
    const hear = () => {
      const hearing = prepared.hear()
      const push = hearing.push.bind(hearing)
      hearing.push = piece => {
        reads++
        return push(piece)
      }
      return hearing
    }
    const { detail } = await runOnce(startProbe, { ...prepared, hear }, 20_000)
    assert.equal(detail, `found "END" in ${bytes + 3} bytes`)
    assert(reads < bytes / 2, `${reads} reads of ${bytes} bytes`)
  })
})

function watchEnd(socket: Socket, ends: string[]): void {
  socket.once('data', () => socket.write('PONG'))
  socket.once('error', error => ends.push((error as NodeJS.ErrnoException).code ?? ''))
  socket.once('end', () => ends.push('orderly'))
}
