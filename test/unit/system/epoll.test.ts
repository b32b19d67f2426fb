import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { parseAddress } from '../../../src/core/address.js'
import {
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  Epoll,
  openWaker,
  takeWakes,
  wake,
} from '../../../src/system/epoll.js'
import {
  callError,
  closeDescriptor,
  EAGAIN,
  EINPROGRESS,
  fixedCopy,
  fixedMemory,
} from '../../../src/system/numeric-calls.js'
import {
  bindSocket,
  connectSocket,
  endSending,
  interfaceIndex,
  isConnectedToItself,
  keepAlive,
  openDatagram,
  openStream,
  pendingError,
  receiveBytes,
  resetSocket,
  sendBytes,
  sendBytesTo,
  socketAddress,
} from '../../../src/system/sockets.js'
import { onCleanup } from '../../support/after-each.js'
import { until } from '../../support/until.js'

const addressOf = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>

function opened(): Epoll {
  const epoll = new Epoll()
  onCleanup(() => epoll.close())
  return epoll
}

async function listener(host: string, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    onCleanup(() => socket.destroy())
    serve(socket)
  }).listen(0, host)
  await once(server, 'listening')
  onCleanup(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Waits for an event of this tag, and lets Node's event loop run meanwhile. */
async function nextFlags(epoll: Epoll, tag: number, wanted: number): Promise<number> {
  let flags = 0
  await until(() => {
    const count = epoll.wait(0)
    for (let i = 0; i < count; i++) if (epoll.tag(i) === tag) flags |= epoll.flags(i)
    return (flags & wanted) === wanted
  })
  return flags
}

describe('epoll', () => {
  for (const host of ['::1', '127.0.0.1'])
    it(`exchanges bytes over TCP with ${host}`, async () => {
      const port = await listener(host, socket => {
        socket.on('data', data => socket.end(`answer to ${data}`))
      })
      const epoll = opened()
      const fd = openStream(addressOf(host).family)
      assert.equal(connectSocket(fd, socketAddress(addressOf(host), port)), EINPROGRESS)
      assert.equal(epoll.add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 7, 9), 0)
      await nextFlags(epoll, 7, EPOLLOUT)
      assert.equal(pendingError(fd), 0)
      assert.equal(isConnectedToItself(fd), false)
      assert.equal(keepAlive(fd), 0)
      const into = fixedMemory(100)
      assert.equal(receiveBytes(fd, into), EAGAIN)
      const data = fixedCopy(Buffer.from('xxping'))
      assert.ok(data)
      assert.equal(sendBytes(fd, data, 2), 4)
      await nextFlags(epoll, 7, EPOLLIN | EPOLLRDHUP)
      assert.equal(receiveBytes(fd, into), 14)
      assert.equal(into.bytes.toString('latin1', 0, 14), 'answer to ping')
      assert.equal(receiveBytes(fd, into), 0)
      assert.equal(closeDescriptor(fd), 0)
      assert.equal(callError(closeDescriptor(fd), 'close').code, 'EBADF')
    })

  it('reports a refused connection', async () => {
    const port = await listener('::1', () => {})
    const epoll = opened()
    const fd = openStream('ipv6')
    onCleanup(() => void closeDescriptor(fd))
    // The port of a socket that is bound and does not listen refuses, and nothing else can take it.
    const held = openStream('ipv6')
    onCleanup(() => void closeDescriptor(held))
    assert.equal(
      callError(bindSocket(held, socketAddress(addressOf('::1'), port)), 'bind').code,
      'EADDRINUSE',
    )
    const unused = await unusedPort(held)
    connectSocket(fd, socketAddress(addressOf('::1'), unused))
    epoll.add(fd, EPOLLIN | EPOLLOUT | EPOLLET, 1)
    await nextFlags(epoll, 1, EPOLLHUP)
    assert.equal(callError(pendingError(fd), 'connect').code, 'ECONNREFUSED')
    assert.equal(pendingError(fd), 0)
  })

  it('closes with a reset', async () => {
    let code = ''
    const port = await listener('::1', socket =>
      socket.on('error', error => (code = (error as NodeJS.ErrnoException).code ?? '')).resume(),
    )
    const epoll = opened()
    const fd = openStream('ipv6')
    connectSocket(fd, socketAddress(addressOf('::1'), port))
    epoll.add(fd, EPOLLOUT | EPOLLET, 1)
    await nextFlags(epoll, 1, EPOLLOUT)
    assert.equal(resetSocket(fd), 0)
    await until(() => code === 'ECONNRESET')
  })

  it('ends sending while it still reads', async () => {
    const port = await listener('::1', socket => socket.resume())
    const epoll = opened()
    const fd = openStream('ipv6')
    onCleanup(() => void closeDescriptor(fd))
    connectSocket(fd, socketAddress(addressOf('::1'), port))
    epoll.add(fd, EPOLLIN | EPOLLOUT | EPOLLET, 1)
    await nextFlags(epoll, 1, EPOLLOUT)
    assert.equal(endSending(fd), 0)
    const data = fixedCopy(Buffer.from('x'))
    assert.ok(data)
    assert.equal(callError(sendBytes(fd, data), 'send').code, 'EPIPE')
    await nextFlags(epoll, 1, EPOLLIN)
    assert.equal(receiveBytes(fd, fixedMemory(1)), 0)
  })

  it('sends datagrams to an address', async () => {
    const epoll = opened()
    const [from, to] = [openDatagram('ipv6'), openDatagram('ipv6')]
    onCleanup(() => void [closeDescriptor(from), closeDescriptor(to)])
    const port = await unusedPort(to)
    epoll.add(to, EPOLLIN | EPOLLET, 5)
    const data = fixedCopy(Buffer.from('ping'))
    assert.ok(data)
    assert.equal(sendBytesTo(from, data, socketAddress(addressOf('::1'), port)), 4)
    await nextFlags(epoll, 5, EPOLLIN)
    assert.equal(receiveBytes(to, fixedMemory(10)), 4)
  })

  it('knows a TCP connection to itself', () => {
    const fd = openStream('ipv4')
    onCleanup(() => void closeDescriptor(fd))
    const local = socketAddress(addressOf('127.0.0.1'), 0)
    // Simultaneous open: a socket that is bound to a port connects to this port.
    let connected = -1
    for (let port = 61_001; port < 61_100 && connected !== 0; port++) {
      local.bytes.writeUInt16BE(port, 2)
      if (bindSocket(fd, local) === 0) connected = connectSocket(fd, local)
    }
    assert.ok(connected === 0 || connected === EINPROGRESS)
    assert.equal(isConnectedToItself(fd), true)
  })

  it('wakes a wait, and tells the generation of a descriptor', () => {
    const epoll = opened()
    const waker = openWaker()
    onCleanup(() => void closeDescriptor(waker))
    epoll.add(waker, EPOLLIN, 3, 0xffff_fffe)
    assert.equal(epoll.wait(0), 0)
    assert.equal(wake(waker), 8)
    assert.equal(wake(waker), 8)
    assert.equal(epoll.wait(1000), 1)
    assert.deepEqual([epoll.tag(0), epoll.generation(0)], [3, 0xffff_fffe])
    assert.equal(takeWakes(waker), 8)
    assert.equal(takeWakes(waker), EAGAIN)
    assert.equal(epoll.remove(waker), 0)
    wake(waker)
    assert.equal(epoll.wait(0), 0)
  })

  it('knows the index of an interface', () => {
    assert.equal(interfaceIndex('lo'), Number(readFileSync('/sys/class/net/lo/ifindex', 'utf8')))
    assert.equal(interfaceIndex('7'), 7)
    assert.equal(interfaceIndex('none-such'), 0)
    assert.equal(socketAddress(addressOf('fe80::1%lo'), 80).bytes.readUInt32LE(24), interfaceIndex('lo'))
  })
})

/** Binds the socket to a free port of ::1, and returns it. */
async function unusedPort(fd: number): Promise<number> {
  const server = createServer().listen(0, '::1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  assert.equal(bindSocket(fd, socketAddress(addressOf('::1'), port)), 0)
  return port
}
