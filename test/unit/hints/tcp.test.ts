import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { parseAddress } from '../../../src/core/address.js'
import { openTcp, type Tcp, type TcpConnection } from '../../../src/hints/tcp.js'
import { onCleanup } from '../../support/after-each.js'
import { tcpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

const addressOf = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>

function opened(): Tcp {
  const tcp = openTcp()
  onCleanup(() => tcp.close())
  return tcp
}

/** Connects, and notes what happens: `opened`, `FIN` or an errno name. */
function connected(tcp: Tcp, host: string, port: number, source: string | null = null) {
  const events: string[] = []
  const connection = tcp.connect(
    { address: addressOf(host), port },
    source === null ? null : addressOf(source),
    {
      opened: () => events.push('opened'),
      ended: code => events.push(code ?? 'FIN'),
    },
  )
  return { events, connection, drop: (isReset?: boolean) => (connection as TcpConnection).drop(isReset) }
}

async function server(host: '::1' | '127.0.0.1') {
  const sockets: Socket[] = []
  const { port, count } = await tcpServer(socket => sockets.push(socket.resume()), host)
  return { port, count, sockets }
}

async function closedPort(): Promise<number> {
  const listener = createServer().listen(0, '::1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  listener.close()
  await once(listener, 'close')
  return port
}

for (const host of ['::1', '127.0.0.1'] as const)
  describe(`tcp: a connection on which nothing is sent, to ${host}`, () => {
    it('tells that it is established, and that the server closes it', async () => {
      const { port, sockets } = await server(host)
      const { events } = connected(opened(), host, port)
      await until(() => events.length === 1 && sockets.length === 1)
      sockets[0]?.end()
      await until(() => events.length === 2)
      assert.deepEqual(events, ['opened', 'FIN'])
    })

    it('tells a reset', async () => {
      const { port, sockets } = await server(host)
      const { events } = connected(opened(), host, port)
      await until(() => events.length === 1 && sockets.length === 1)
      sockets[0]?.resetAndDestroy()
      await until(() => events.length === 2)
      assert.deepEqual(events, ['opened', 'ECONNRESET'])
    })

    it('comes from the given source', async () => {
      if (host === '::1') return
      const { port, sockets } = await server(host)
      connected(opened(), host, port, '127.0.0.9')
      await until(() => sockets.length === 1)
      assert.equal(sockets[0]?.remoteAddress, '127.0.0.9')
    })

    it('tells the end although the server has sent what nobody reads', async () => {
      const { port, sockets } = await server(host)
      const { events } = connected(opened(), host, port)
      await until(() => sockets.length === 1)
      await new Promise(sent => sockets[0]?.write('220 a greeting\r\n', sent))
      sockets[0]?.end()
      await until(() => events.length === 2)
      assert.deepEqual(events, ['opened', 'FIN'])
    })

    it('tells nothing after it was dropped, and ends for the server', async () => {
      for (const isReset of [false, true]) {
        const { port, sockets } = await server(host)
        const { events, drop } = connected(opened(), host, port)
        await until(() => events.length === 1 && sockets.length === 1)
        const ends: string[] = []
        sockets[0]?.on('end', () => ends.push('FIN')).on('error', ({ message }) => ends.push(message))
        drop(isReset)
        await until(() => ends.length === 1)
        assert.match(ends[0] ?? '', isReset ? /ECONNRESET/ : /^FIN$/)
        sockets[0]?.destroy()
        assert.deepEqual(events, ['opened'])
      }
    })
  })

describe('tcp: a connection that cannot be made', () => {
  it('is refused at once or a moment later', async () => {
    const { events, connection } = connected(opened(), '::1', await closedPort())
    if (typeof connection === 'string') events.push(connection)
    await until(() => events.length === 1)
    assert.deepEqual(events, ['ECONNREFUSED'])
  })

  it('is told at once if the source is none of this machine', () => {
    const { connection } = connected(opened(), '127.0.0.1', 9, '192.0.2.77')
    assert.equal(connection, 'EADDRNOTAVAIL')
  })
})

describe('tcp: many connections', () => {
  it('keep their own events while places are used again', async () => {
    const { port, sockets } = await server('::1')
    const tcp = opened()
    const first = Array.from({ length: 300 }, () => connected(tcp, '::1', port))
    await until(() => first.every(({ events }) => events.length === 1))
    for (const one of first.slice(100)) one.drop()
    const second = Array.from({ length: 200 }, () => connected(tcp, '::1', port))
    await until(() => second.every(({ events }) => events.length === 1))
    await until(() => sockets.length === 500)
    for (const socket of sockets) socket.end()
    await until(() => [...first.slice(0, 100), ...second].every(({ events }) => events.length === 2))
    for (const { events } of [...first.slice(0, 100), ...second]) assert.deepEqual(events, ['opened', 'FIN'])
    for (const { events } of first.slice(100)) assert.deepEqual(events, ['opened'])
  })
})
