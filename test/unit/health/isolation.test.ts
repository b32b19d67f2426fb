/** Isolation by the routes and interfaces of a machine that the test makes up. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Address, parseAddress } from '../../../src/core/address.js'
import { Isolation, type IsolationChange } from '../../../src/health/isolation.js'
import type { Link, Route } from '../../../src/netlink/paths.js'

const address = (text: string) => parseAddress(text) as Address
const [A, B, OWN] = [address('2001:db8:1::1'), address('2001:db8:2::1'), address('2001:db8::5')]

const by = (link: number): Route => ({ kind: 'by', link, source: null, gateway: null })

class Machine {
  time = 1000
  readonly routes = new Map<string, Route>([
    [A.text, by(1)],
    [B.text, by(1)],
    [OWN.text, { kind: 'local' }],
  ])
  readonly links = new Map<number, Link>([
    [1, { name: 'eth1', isWorking: true, losses: 0 }],
    [2, { name: 'eth2', isWorking: true, losses: 0 }],
  ])
  readonly told: IsolationChange[] = []
  readonly failures: string[] = []
  isBroken = false
  readonly isolation = new Isolation({
    paths: {
      routeTo: ({ text }) => {
        if (this.isBroken) throw new Error('no netlink')
        return this.routes.get(text) ?? { kind: 'unreachable', code: 'ENETUNREACH' }
      },
      link: index => this.links.get(index) ?? null,
    },
    now: () => this.time,
    onChange: change => this.told.push(change),
    onFailure: ({ message }) => this.failures.push(message),
  })

  constructor() {
    this.isolation.follow([A, B, OWN])
  }

  set(index: number, isWorking: boolean): void {
    const link = this.links.get(index)
    if (link) this.links.set(index, { ...link, isWorking, losses: link.losses + (isWorking ? 0 : 1) })
  }

  /** A check of 10 ms fails. */
  excuses(server: Address, ms = 10): boolean {
    this.time += ms
    return this.isolation.excuses(server, ms)
  }
}

describe('isolation', () => {
  let machine: Machine
  beforeEach(() => {
    machine = new Machine()
    for (const server of [A, B]) machine.isolation.passed(server)
  })

  it('does not follow from failures, regardless of their number', () => {
    for (let i = 0; i < 50; i++) for (const server of [A, B]) assert.equal(machine.excuses(server), false)
    assert.deepEqual(machine.told, [])
  })

  it('begins when the interface to all servers goes down, is reported once, and ends with a pass', () => {
    machine.set(1, false)
    for (let i = 0; i < 5; i++) for (const server of [A, B]) assert.equal(machine.excuses(server), true)
    const [first] = machine.told
    assert.equal(machine.told.length, 1)
    assert.equal(first?.detail, 'the interface eth1 is down or has no carrier')
    machine.time += 5000
    machine.set(1, true)
    machine.isolation.passed(A)
    assert.deepEqual(
      machine.told.map(({ isIsolated }) => isIsolated),
      [true, false],
    )
    assert.equal(machine.told[1]?.since, first?.since)
    machine.time += 1000
    assert.equal(machine.excuses(B), false)
  })

  it('ends without a pass, at a failure after the interface works again', () => {
    machine.set(1, false)
    assert.equal(machine.excuses(A), true)
    machine.set(1, true)
    machine.time += 1000
    // This run may have begun before the interface worked.
    assert.equal(machine.excuses(A), true)
    assert.equal(machine.isolation.current, null)
    machine.time += 1000
    assert.equal(machine.excuses(A), false)
  })

  it('ignores a failed run that began during it, and one that began before a short loss of the carrier', () => {
    machine.set(1, false)
    assert.equal(machine.excuses(A), true)
    machine.set(1, true)
    machine.time += 500
    machine.isolation.passed(A)
    assert.equal(machine.excuses(B, 300), true)
    machine.time += 1000
    assert.equal(machine.excuses(B, 300), false)
    machine.set(1, false)
    machine.set(1, true)
    assert.equal(machine.excuses(A, 300), true)
    assert.equal(machine.excuses(B, 300), true)
    machine.time += 1000
    assert.equal(machine.excuses(B, 300), false)
    assert.equal(machine.told.length, 2)
  })

  it('needs all paths: servers behind a dead interface fail while another works', () => {
    machine.routes.set(B.text, by(2))
    machine.time += 61_000
    machine.isolation.passed(B)
    machine.set(1, false)
    assert.equal(machine.excuses(A), false)
    machine.set(2, false)
    assert.equal(machine.excuses(A), true)
  })

  it('detects that a default route replaces the route of an interface that is down or missing', () => {
    for (const { text } of [A, B]) machine.routes.set(text, by(2))
    machine.set(1, false)
    assert.equal(machine.excuses(A), true)
    machine.links.delete(1)
    machine.time += 1000
    assert.equal(machine.excuses(A), true)
    machine.isolation.passed(A)
    machine.time += 1000
    assert.equal(machine.excuses(A), false)
  })

  it('is not hidden by a pass from before it that comes late, while another route leads elsewhere', () => {
    machine.time += 61_000
    machine.set(1, false)
    for (const { text } of [A, B]) machine.routes.set(text, by(2))
    machine.time += 500
    machine.isolation.passed(A)
    assert.equal(machine.excuses(B), true)
    machine.isolation.passed(B)
    assert.equal(machine.excuses(A), true)
    // The servers are reached that way indeed.
    machine.time += 1000
    machine.isolation.passed(A)
    machine.time += 1000
    assert.equal(machine.excuses(A), false)
  })

  it('begins if no server has a route, but not if only one has none', () => {
    machine.routes.delete(A.text)
    assert.equal(machine.excuses(A), false)
    machine.routes.delete(B.text)
    assert.equal(machine.excuses(A), true)
    assert.equal(machine.told[0]?.detail, 'this machine has no route to 2001:db8:1::1 (ENETUNREACH)')
  })

  it('never ignores the failure of a server on this machine', () => {
    machine.set(1, false)
    assert.equal(machine.excuses(A), true)
    assert.equal(machine.excuses(OWN), false)
    machine.isolation.passed(OWN)
    assert.notEqual(machine.isolation.current, null)
  })

  it('ends permanently, reported once, if the kernel does not answer', () => {
    machine.set(1, false)
    assert.equal(machine.excuses(A), true)
    machine.isBroken = true
    machine.time += 1000
    for (let i = 0; i < 3; i++) assert.equal(machine.excuses(A), false)
    assert.deepEqual(machine.failures, ['no netlink'])
    assert.equal(machine.isolation.current, null)
  })

  it('ignores no failure while the interfaces work, for any history', () => {
    const server = fc.constantFrom(A, B, OWN)
    const step = fc.record({ server, ok: fc.boolean(), ms: fc.integer({ min: 1, max: 5000 }) })
    fc.assert(
      fc.property(fc.array(step), steps => {
        const calm = new Machine()
        for (const { server, ok, ms } of steps)
          if (ok) calm.isolation.passed(server)
          else assert.equal(calm.excuses(server, ms), false)
        assert.deepEqual(calm.told, [])
      }),
    )
  })
})
