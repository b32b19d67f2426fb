/** What the kernel reports about interfaces, routes and neighbours. */
import assert from 'node:assert/strict'
import { constants, readFileSync } from 'node:fs'
import { EVERYTHING, openPathEvents, readPathEvent } from '../../../src/netlink/path-events.js'
import { openNetlink } from '../../../src/system/datagram-sockets.js'
import { close } from '../../../src/system/libc.js'

/** A message with an empty body, unless it is given. */
function message(type: number, body = ''): string {
  const bytes = Buffer.from(body, 'hex')
  const header = Buffer.alloc(16)
  header.writeUInt32LE(16 + bytes.length, 0)
  header.writeUInt16LE(type, 4)
  return header.toString('hex') + body
}

/** struct ndmsg: family 10, interface 2, state; NDA_DST fe80::1. */
const neighbour = (state: string) =>
  `0a000000 02000000 ${state}0000 1400 0100 fe80000000000000 0000000000000001`.replaceAll(' ', '')

const read = (...messages: string[]) => {
  const { links, routes, failed } = readPathEvent(Buffer.from(messages.join(''), 'hex'))
  return { links, routes, failed: failed.map(({ address, link }) => `${address.text} ${link}`) }
}

describe('netlink: path events', () => {
  it('tells interfaces, routes and neighbours that were not found', () => {
    const nothing = { links: false, routes: false, failed: [] }
    assert.deepEqual(read(message(16)), { ...nothing, links: true })
    assert.deepEqual(read(message(17)), { ...nothing, links: true })
    assert.deepEqual(read(message(24), message(25)), { ...nothing, routes: true })
    assert.deepEqual(read(message(28, neighbour('2000'))), { ...nothing, failed: ['fe80::1 2'] })
    // NUD_REACHABLE, and the removal of a neighbour
    assert.deepEqual(read(message(28, neighbour('0200')), message(29, neighbour('2000'))), nothing)
    // Addresses are not asked for.
    assert.deepEqual(read(message(20)), nothing)
  })

  it('tells which interfaces, the hardware addresses of neighbours, and that addresses have changed', () => {
    const event = (...messages: string[]) => readPathEvent(Buffer.from(messages.join(''), 'hex'))
    assert.deepEqual(event(message(16, '0000000007000000')).linkIndexes, [7])
    assert.deepEqual(event(message(16)).linkIndexes, [])
    // NUD_STALE; NDA_LLADDR
    const { found, failed } = event(
      message(28, `${neighbour('0400')}0a000200020000000001 0000`.replace(' ', '')),
    )
    assert.deepEqual(
      found.map(({ address, link, hardware }) => [address.text, link, hardware]),
      [['fe80::1', 2, '020000000001']],
    )
    assert.deepEqual(failed, [])
    assert.equal(event(message(21)).addresses, true)
    assert.equal(event(message(24)).addresses, false)
  })

  it('takes a malformed report for a change of everything', () => {
    assert.equal(readPathEvent(Buffer.from('00', 'hex')), EVERYTHING)
    assert.deepEqual(read(message(28, '0a00')).failed, [])
  })

  it('come on a socket that does not block, because libuv reads until nothing is left', () => {
    const fd = openNetlink(65_536, 'route', 1)
    try {
      const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? ''
      assert.equal(parseInt(flags, 8) & constants.O_NONBLOCK, constants.O_NONBLOCK)
    } finally {
      close(fd)
    }
  })

  it('opens a socket of the kernel, and closes it', () => {
    openPathEvents({ routes: true, onEvent: () => {} }).close()
  })
})
