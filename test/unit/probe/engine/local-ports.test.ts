import assert from 'node:assert/strict'
import { once } from 'node:events'
import fc from 'fast-check'
import type { Family } from '../../../../src/core/address.js'
import { LocalPorts, localPortsTo, reservedIn } from '../../../../src/probe/engine/local-ports.js'
import { ownPortTurns, portTurn } from '../../../../src/probe/engine/port-turns.js'
import { prepareNative } from '../../../../src/probe/engine/prepared.js'
import { closeDescriptor } from '../../../../src/system/numeric-calls.js'
import {
  bindSocket,
  listenSocket,
  localPort,
  openStream,
  socketAddress,
} from '../../../../src/system/sockets.js'
import { openThread } from '../../../../src/system/thread.js'
import { onCleanup } from '../../../support/after-each.js'
import { address } from '../../../support/tables.js'

const LOOPBACK = address('::1')
/**
 * An address of this process alone, and ports that the kernel gives to nobody: on others a connection of another test that is still
 * closing has its port for a minute.
 */
const OWN = address(
  `127.${100 + (process.pid & 127)}.${(process.pid >> 7) & 255}.${1 + ((process.pid >> 15) & 127)}`,
)
const own = { first: 21_000, last: 21_050 }
/** Seconds for which the kernel knows a connection over UDP: its timers of 300 s are up to 33 s late. */
const KNOWN_FOR = 333

function from() {
  return socketAddress(LOOPBACK, 0)
}

function socket(family: Family = 'ipv6'): number {
  const fd = openStream(family)
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

function listenOn(port: number): void {
  const fd = socket('ipv4')
  assert.equal(bindSocket(fd, socketAddress(OWN, port)), 0)
  assert.equal(listenSocket(fd), 0)
}

describe('local-ports: ports of probes with a mark', () => {
  it('come in turn, so that one comes again after all others', () => {
    const range = { first: 20_011, last: 20_019 }
    const ports = new LocalPorts({ range: () => range })
    const seen = Array.from({ length: 30 }, () => boundAndClosed(ports))
    for (let i = 9; i < seen.length; i++) assert.equal(seen[i], seen[i - 9])
    assert.equal(new Set(seen).size, 9)
  })

  it('pass over one in use', () => {
    listenOn(own.first)
    const ports = new LocalPorts({ range: () => ({ first: own.first, last: own.first + 20 }) })
    const free = Array.from({ length: 40 }, () => ports.free('ipv4', socketAddress(OWN, 0), 1)[0])
    assert.deepEqual(
      [...new Set(free)].sort(),
      Array.from({ length: 20 }, (_, i) => own.first + 1 + i),
    )
  })

  it('are found free for another process, which can then bind to them', () => {
    const held = own.first + 10
    listenOn(held)
    const ports = new LocalPorts({ range: () => own })
    const free = ports.free('ipv4', socketAddress(OWN, 0), 20)
    assert.equal(new Set(free).size, 20)
    assert.ok(!free.includes(held))
    for (const port of free) assert.equal(bindSocket(socket('ipv4'), socketAddress(OWN, port)), 0)
    assert.deepEqual(ports.free('ipv4', socketAddress(address('192.0.2.1'), 0), 2), [])
  })

  it('are found free once each, where there are fewer than are wanted', () => {
    for (const port of [own.first, own.first + 3]) listenOn(port)
    const ports = new LocalPorts({ range: () => ({ first: own.first, last: own.first + 4 }) })
    const free = ports.free('ipv4', socketAddress(OWN, 0), 20)
    assert.deepEqual(free.map(port => port - own.first).sort(), [1, 2, 4])
  })

  it('are none that the administrator has reserved', () => {
    const port = fc.integer({ min: 20_000, max: 20_039 })
    fc.assert(
      fc.property(fc.uniqueArray(port, { maxLength: 40 }), wanted => {
        const list = wanted.sort((a, b) => a - b)
        const whole = { first: 20_000, last: 20_039 }
        const range = { ...whole, reserved: reservedIn(list.join(), whole) }
        const free = list.length === 40 ? [] : new LocalPorts({ range: () => range }).free('ipv6', from(), 40)
        assert.deepEqual(
          free.filter(one => list.includes(one)),
          [],
        )
        // Each comes once before one comes again; other programs may have some.
        assert.ok(
          new Set(free.slice(0, 40 - list.length)).size >= Math.min(free.length, 40 - list.length) - 1,
        )
      }),
      { numRuns: 50 },
    )
    assert.deepEqual(
      reservedIn('8080,32760-32770,40000,60990-61010,65535', { first: 32_768, last: 60_999 }),
      [
        [32_768, 32_770],
        [40_000, 40_000],
        [60_990, 60_999],
      ],
    )
    assert.deepEqual(reservedIn('', { first: 32_768, last: 60_999 }), [])
  })

  it('are left to the kernel where all are reserved', () => {
    const range = { first: 20_000, last: 20_001, reserved: [[20_000, 20_001]] as const }
    const port = bound(new LocalPorts({ range: () => range }))
    assert.ok(port > 20_001, `${port}`)
    assert.deepEqual(new LocalPorts({ range: () => range }).free('ipv6', from(), 2), [])
  })

  it('are left to the kernel where all are in use', () => {
    const first = taken()
    assert.notEqual(bound(new LocalPorts({ range: () => ({ first, last: first }) })), first)
  })

  it('are not gone through where the address is not one of this machine', () => {
    let turns = 0
    const ports = new LocalPorts({
      range: () => {
        turns++
        return { first: 20_000, last: 20_000 }
      },
    })
    const EADDRNOTAVAIL = -99
    assert.equal(ports.bind(socket(), socketAddress(address('2001:db8::1'), 0)), EADDRNOTAVAIL)
    assert.equal(turns, 1)
  })

  it('are none of those that an earlier run of lvsd has used in the last minutes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.array(fc.double({ min: 0.01, max: 20, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 59 }),
        (start, pauses, restartAt) => {
          // One port a second at most, of 360 in a lap of 360 seconds.
          const range = { first: 20_000, last: 20_359 }
          let now = start
          const lastUse = new Map<number, number>()
          let ports = new LocalPorts({ range: () => range, now: () => now })
          pauses.forEach((pause, i) => {
            now += 1 + pause
            if (i === restartAt) ports = new LocalPorts({ range: () => range, now: () => now })
            const port = boundAndClosed(ports)
            const used = lastUse.get(port)
            assert.ok(used === undefined || now - used > KNOWN_FOR, `${port} comes again too early`)
            lastUse.set(port, now)
          })
        },
      ),
      { numRuns: 30 },
    )
  })

  it('are none that the kernel still knows of, where the interval of the checks divides five minutes', () => {
    const range = { first: 20_000, last: 20_999 }
    for (const every of [1, 5, 10, 60]) {
      let now = 12_345
      const ports = new LocalPorts({ range: () => range, now: () => now })
      const lastUse = new Map<number, number>()
      for (; now < 12_345 + 1000; now += every) {
        const port = boundAndClosed(ports)
        assert.ok(
          now - (lastUse.get(port) ?? 0) > KNOWN_FOR,
          `${port} comes again too early, every ${every} s`,
        )
        lastUse.set(port, now)
      }
    }
  })

  it('are far from those of other virtual addresses at the same time', () => {
    const source = socketAddress(OWN, 0)
    const ports = Array.from(
      { length: 50 },
      (_, i) => localPortsTo(socketAddress(OWN, i + 1)).free('ipv4', source, 1)[0],
    )
    assert.ok(new Set(ports).size > 45, `${ports}`)
  })

  it('are taken by two threads in one turn', async () => {
    const key = 'one virtual address'
    const turn = portTurn(ownPortTurns(), key)
    const before = turn(0)
    const thread = openThread(new URL('./turning-thread.ts', import.meta.url), {
      workerData: { turns: ownPortTurns(), key, count: 500 },
    })
    const answer = once(thread, 'message')
    const mine = Array.from({ length: 500 }, () => turn(0))
    const [theirs] = (await answer) as [number[]]
    await once(thread, 'exit')
    assert.deepEqual(
      [...mine, ...theirs].sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => before + 1 + i),
    )
    assert.notEqual(portTurn(ownPortTurns(), 'another one')(0), before + 1001)
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
