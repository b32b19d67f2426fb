import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { openNetlink, openUdpSocket, sendToUnix } from '../../../src/system/datagram-sockets.js'
import {
  close,
  errorName,
  lockFile,
  peerOf,
  receive,
  replaceDescriptor,
  SystemError,
  send,
} from '../../../src/system/libc.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'

const failure = (code: string, syscall: string) => (error: unknown) =>
  error instanceof SystemError && error.code === code && error.syscall === syscall

describe('libc', () => {
  it('names errors as the system does', () => {
    assert.deepEqual([1, 2, 11, 17, 105].map(errorName), ['EPERM', 'ENOENT', 'EAGAIN', 'EEXIST', 'ENOBUFS'])
  })

  it('knows who connected to a Unix socket', async () => {
    const path = join(temporaryFolder(), 'socket')
    const server = createServer().listen(path)
    onCleanup(() => server.close())
    const client = connect(path)
    onCleanup(() => client.destroy())
    const [accepted] = (await once(server, 'connection')) as [Socket]
    const { fd } = (accepted as unknown as { _handle: { fd: number } })._handle
    assert.deepEqual(peerOf(fd), { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() })
    assert.throws(() => peerOf(-1), failure('EBADF', 'getsockopt'))
  })

  it('waits for nothing', () => {
    const fd = openNetlink(1 << 16)
    onCleanup(() => close(fd))
    assert.equal(receive(fd, Buffer.alloc(100)), null)
  })

  it('throws what a system call answers, with its name', () => {
    assert.throws(() => send(-1, Buffer.alloc(1)), failure('EBADF', 'send'))
    assert.throws(() => receive(-1, Buffer.alloc(1)), failure('EBADF', 'recv'))
    assert.throws(() => sendToUnix('/nowhere/at/all', 'READY=1'), failure('ENOENT', 'sendto'))
    assert.throws(() => sendToUnix('@lvsd-nobody-listens', 'READY=1'), failure('ECONNREFUSED', 'sendto'))
    assert.throws(() => sendToUnix(`/${'x'.repeat(200)}`, 'READY=1'), failure('ENAMETOOLONG', 'sendto'))
  })

  it('puts a socket in the place of one that Node has adopted', async () => {
    const standIn = openUdpSocket('ipv6')
    const socket = createSocket('udp6')
    onCleanup(() => socket.close())
    socket.bind({ fd: standIn })
    replaceDescriptor(openUdpSocket('ipv6'), standIn)
    // The new socket gets its port with the first that it sends.
    await new Promise(resolve => socket.send('knock', 9, '::1', resolve))
    const heard = once(socket, 'message')
    socket.send('hello', socket.address().port, '::1')
    const [message] = await heard
    assert.equal(String(message), 'hello')
  })

  it('gives a lock to one open file at a time', () => {
    const path = temporaryFile('lock', '')
    const [first, second] = [openSync(path, 'r'), openSync(path, 'r')]
    assert.equal(lockFile(first), true)
    assert.equal(lockFile(second), false)
    closeSync(first)
    assert.equal(lockFile(second), true)
    closeSync(second)
    assert.throws(() => lockFile(-1), failure('EBADF', 'flock'))
  })
})
