import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Family } from '../../../../src/core/address.js'
import { SocketPool } from '../../../../src/probe/engine/socket-pool.js'
import { closeDescriptor, EAGAIN, fixedMemory } from '../../../../src/system/numeric-calls.js'
import {
  connectSocket,
  localPort,
  openStream,
  pendingError,
  receiveBytes,
  sendBytes,
  socketAddress,
} from '../../../../src/system/sockets.js'
import { onCleanup } from '../../../support/after-each.js'
import { address } from '../../../support/tables.js'
import { until } from '../../../support/until.js'

const LOOPBACK = { ipv4: '127.0.0.1', ipv6: '::1' } as const
const ECONNREFUSED = -111

function pool(): SocketPool {
  const made = new SocketPool()
  onCleanup(() => made.close())
  return made
}

interface Heard {
  readonly port: number
  readonly sockets: Socket[]
  /** How connections have ended, in their order. */
  readonly ends: string[]
}

/** A server that answers each request, and then ends the connection or keeps it. */
async function answering(text: string, ends: 'ends' | 'keeps', family: Family = 'ipv6'): Promise<Heard> {
  const heard: Heard = { port: 0, sockets: [], ends: [] }
  const server = createServer({ allowHalfOpen: true }, socket => {
    heard.sockets.push(socket)
    socket.on('error', (error: NodeJS.ErrnoException) => void heard.ends.push(`${error.code}`))
    socket.on('end', () => void heard.ends.push('end'))
    socket.on('data', () => (ends === 'ends' ? socket.end(text) : socket.write(text)))
  }).listen(0, LOOPBACK[family])
  onCleanup(() => {
    for (const socket of heard.sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  return Object.assign(heard, { port: (server.address() as AddressInfo).port })
}

/** Asks, reads at most `bytes`, and returns the socket and its local port. */
async function exchange(sockets: SocketPool, port: number, bytes = 100, family: Family = 'ipv6') {
  const fd = sockets.take(family)
  connectSocket(fd, socketAddress(address(LOOPBACK[family]), port))
  await until(() => sendBytes(fd, request()) > 0)
  const into = fixedMemory(bytes)
  await until(() => receiveBytes(fd, into) > 0)
  return { fd, from: localPort(fd), read: into.bytes.toString('latin1').replace(/\0+$/, '') }
}

function request() {
  const memory = fixedMemory(4)
  memory.bytes.write('PING')
  return memory
}

/** Waits until the other end has closed, and gives the socket back. */
async function givenBack(sockets: SocketPool, fd: number, family: Family = 'ipv6'): Promise<void> {
  const into = fixedMemory(1)
  await until(() => receiveBytes(fd, into) !== EAGAIN)
  sockets.end(family, fd)
}

function isOpen(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
  } catch {
    return false
  }
}

describe('engine: the pool of sockets', () => {
  for (const family of ['ipv6', 'ipv4'] as const)
    it(`uses a socket again whose server has ended, from another port (${family})`, async () => {
      const sockets = pool()
      const { port, ends } = await answering('PONG', 'ends', family)
      const seen = new Set<number>()
      const first = await exchange(sockets, port, 100, family)
      seen.add(first.from)
      for (let i = 1; i <= 5; i++) {
        await givenBack(sockets, first.fd, family)
        // The server hears the end as if the socket were closed.
        await until(() => ends.length === i)
        const next = await exchange(sockets, port, 100, family)
        assert.deepEqual([next.fd, next.read], [first.fd, 'PONG'])
        seen.add(next.from)
      }
      assert.deepEqual(ends, ['end', 'end', 'end', 'end', 'end'])
      assert.ok(seen.size > 1, 'the kernel chooses the port of each connection')
      sockets.end(family, first.fd)
    })

  it('closes a socket whose server keeps the connection, which hears its end', async () => {
    const sockets = pool()
    const { port, ends } = await answering('PONG', 'keeps')
    const { fd } = await exchange(sockets, port)
    sockets.end('ipv6', fd)
    assert.equal(isOpen(fd), false)
    await until(() => ends.length === 1)
    assert.deepEqual(ends, ['end'])
  })

  it('closes a socket from which not everything has been read', async () => {
    const sockets = pool()
    const { port } = await answering('PONG and more', 'ends')
    const { fd, read } = await exchange(sockets, port, 4)
    assert.equal(read, 'PONG')
    sockets.end('ipv6', fd)
    assert.equal(isOpen(fd), false)
  })

  it('resets a connection and uses its socket again', async () => {
    const sockets = pool()
    const { port, ends } = await answering('PONG', 'keeps')
    const first = await exchange(sockets, port)
    sockets.reset('ipv6', first.fd)
    await until(() => ends.length === 1)
    assert.deepEqual(ends, ['ECONNRESET'])
    const next = await exchange(sockets, port)
    assert.deepEqual([next.fd, next.read], [first.fd, 'PONG'])
    sockets.reset('ipv6', next.fd)
  })

  it('leaves nothing of the last connection: no error, no end, no data', async () => {
    const sockets = pool()
    const { port } = await answering('PONG', 'ends')
    const first = await exchange(sockets, port)
    await givenBack(sockets, first.fd)
    const refusing = openStream('ipv6')
    onCleanup(() => void closeDescriptor(refusing))
    connectSocket(refusing, socketAddress(address('::1'), port))
    const free = localPort(refusing)
    const fd = sockets.take('ipv6')
    assert.equal(fd, first.fd)
    // The port of a client, on which nobody listens.
    connectSocket(fd, socketAddress(address('::1'), free))
    assert.equal(sendBytes(fd, request()), ECONNREFUSED)
    sockets.reset('ipv6', fd)
    const keeping = await answering('PONG', 'keeps')
    const last = await exchange(sockets, keeping.port)
    assert.deepEqual([last.fd, last.read], [first.fd, 'PONG'])
    assert.equal(receiveBytes(last.fd, fixedMemory(1)), EAGAIN)
    assert.equal(pendingError(last.fd), 0)
    sockets.reset('ipv6', last.fd)
  })

  it('opens another socket in place of one that cannot be used again', async () => {
    const sockets = pool()
    const { port } = await answering('PONG', 'ends')
    const first = await exchange(sockets, port)
    await givenBack(sockets, first.fd)
    closeDescriptor(first.fd)
    const next = await exchange(sockets, port)
    assert.equal(next.read, 'PONG')
    closeDescriptor(next.fd)
  })

  it('closes its free sockets with itself', async () => {
    const sockets = new SocketPool()
    const { port } = await answering('PONG', 'ends')
    const { fd } = await exchange(sockets, port)
    await givenBack(sockets, fd)
    assert.equal(isOpen(fd), true)
    sockets.close()
    assert.equal(isOpen(fd), false)
  })
})
