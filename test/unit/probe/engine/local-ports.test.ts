import assert from 'node:assert/strict'
import { LocalPorts } from '../../../../src/probe/engine/local-ports.js'
import { prepareNative } from '../../../../src/probe/engine/prepared.js'
import { closeDescriptor } from '../../../../src/system/numeric-calls.js'
import {
  bindSocket,
  listenSocket,
  localPort,
  openStream,
  socketAddress,
} from '../../../../src/system/sockets.js'
import { onCleanup } from '../../../support/after-each.js'
import { address } from '../../../support/tables.js'

const LOOPBACK = address('::1')

function socket(): number {
  const fd = openStream('ipv6')
  onCleanup(() => void closeDescriptor(fd))
  return fd
}

/** Returns the port of a new socket. */
function bound(ports: LocalPorts): number {
  const fd = socket()
  assert.equal(ports.bind(fd, socketAddress(LOOPBACK, 0)), 0)
  return localPort(fd)
}

/** Returns the port of a socket that is closed again. */
function boundAndClosed(ports: LocalPorts): number {
  const fd = openStream('ipv6')
  ports.bind(fd, socketAddress(LOOPBACK, 0))
  const port = localPort(fd)
  closeDescriptor(fd)
  return port
}

/** Returns a port that a socket listens on. */
function taken(): number {
  const fd = socket()
  assert.equal(bindSocket(fd, socketAddress(LOOPBACK, 0)), 0)
  assert.equal(listenSocket(fd), 0)
  return localPort(fd)
}

describe('local-ports: ports of probes with a mark', () => {
  it('come in turn, so that one comes again after all others', () => {
    const range = { first: 20_011, last: 20_019 }
    const ports = new LocalPorts(() => range)
    const seen = Array.from({ length: 30 }, () => boundAndClosed(ports))
    for (let i = 9; i < seen.length; i++) assert.equal(seen[i], seen[i - 9])
    assert.equal(new Set(seen).size, 9)
  })

  it('pass over one in use', () => {
    const first = taken()
    // Other programs may have some of them.
    const last = first + 20
    const ports = new LocalPorts(() => ({ first, last }))
    const seen = Array.from({ length: 40 }, () => boundAndClosed(ports))
    assert.deepEqual(
      seen.filter(port => port <= first || port > last),
      [],
    )
  })

  it('are left to the kernel where all are in use', () => {
    const first = taken()
    assert.notEqual(bound(new LocalPorts(() => ({ first, last: first }))), first)
  })

  it('are not gone through where the address is not one of this machine', () => {
    let turns = 0
    const ports = new LocalPorts(() => {
      turns++
      return { first: 20_000, last: 20_000 }
    })
    const EADDRNOTAVAIL = -99
    assert.equal(ports.bind(socket(), socketAddress(address('2001:db8::1'), 0)), EADDRNOTAVAIL)
    assert.equal(turns, 1)
  })

  it('are shared by the probes with a mark to one virtual address, over TCP and UDP, and no others have them', () => {
    const shared = { address: LOOPBACK, source: null, send: new Uint8Array() }
    const tcp = { ...shared, kind: 'tcp', judge: { kind: 'connected' }, end: false, reset: true } as const
    const portsOf = (mark: number | undefined, port = 80) => {
      const prepared = prepareNative({ ...tcp, port, ...(mark && { mark }) } as never)
      return prepared.kind === 'icmp' ? null : prepared.ports
    }
    assert.ok(portsOf(5))
    assert.equal(portsOf(6), portsOf(5))
    assert.notEqual(portsOf(5, 81), portsOf(5))
    assert.equal(portsOf(undefined), null)
  })
})
