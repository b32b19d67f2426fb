import assert from 'node:assert/strict'
import { addressFromBytes, bytesOf } from '../../../src/core/address.js'
import type { OwnAddress } from '../../../src/core/check-source.js'
import { NO_CHANGES, type PathChanges } from '../../../src/netlink/path-changes.js'
import type { Route } from '../../../src/netlink/paths.js'
import { CheckSources } from '../../../src/schedule/check-sources.js'
import { type Line, recordingLog } from '../../support/logs.js'
import { address } from '../../support/tables.js'

const VIP = address('fc00::80')
const OWN = address('fc00::1')
const TARGET = address('fc00::11')

/** A machine whose kernel prefers its newest address. */
class Machine {
  now = 1000
  own: OwnAddress[] = [own('fc00::1')]
  changes: PathChanges = NO_CHANGES
  routes = new Map<string, Route>()
  asked = 0
  isBroken = false
  readonly recording = recordingLog()
  readonly sources = new CheckSources({
    paths: {
      routeTo: target => {
        this.asked++
        if (this.isBroken) throw new Error('no netlink')
        return this.routes.get(target.text) ?? this.#byNewest()
      },
      addresses: () => this.own,
    },
    changes: {
      take: () => {
        const { changes } = this
        this.changes = NO_CHANGES
        return changes
      },
      close: () => {},
    },
    log: this.recording.log,
    now: () => this.now,
  })

  constructor() {
    this.sources.follow([{ id: { kind: 'address', protocol: 'tcp', address: VIP, port: 80 } }])
  }

  #byNewest(): Route {
    return { kind: 'by', link: 2, source: this.own.at(-1)?.address ?? null, gateway: null }
  }

  add(text: string): void {
    this.own = [...this.own, own(text)]
    this.changes = { ...this.changes, addresses: new Set([text]) }
    this.now += 20
  }

  remove(text: string): void {
    this.own = this.own.filter(each => each.address.text !== text)
    this.changes = { ...this.changes, addresses: new Set([text]) }
    this.now += 20
  }

  get events(): string[] {
    return this.recording.lines.map(({ event }) => event)
  }
}

function own(text: string): OwnAddress {
  const flags = { isTentative: false, isDeprecated: false, isTemporary: false }
  return { address: address(text), link: 2, prefix: 64, scope: 'global', ...flags }
}

describe('schedule: the sources of checks', () => {
  it('follow a virtual address that comes and goes, and are told once', () => {
    const machine = new Machine()
    const { sources } = machine
    assert.equal(sources.of(TARGET), null)
    for (let i = 0; i < 3; i++) {
      machine.add('fc00::80')
      assert.equal(sources.of(TARGET)?.text, OWN.text)
      assert.deepEqual(
        [...sources.choices()],
        [[TARGET.text, { kind: 'replaced', source: OWN, insteadOf: VIP }]],
      )
      machine.remove('fc00::80')
      assert.equal(sources.of(TARGET), null)
      assert.equal(sources.choices().size, 0)
    }
    assert.equal(sources.moves, 6)
    machine.add('fc00::9')
    sources.of(TARGET)
    assert.equal(sources.moves, 6)
    assert.deepEqual(machine.events, ['check.source-replaced'])
    const { msg, address: instead, source, server } = machine.recording.lines[0] as Line
    assert.equal(
      msg,
      'checks have the source fc00::1, because for fc00::11 the kernel would choose the virtual address fc00::80',
    )
    assert.deepEqual([instead, source, server], ['fc00::80', 'fc00::1', 'fc00::11'])
  })

  it('are left to the kernel, and told, where this machine has only the virtual address', () => {
    const machine = new Machine()
    machine.own = [own('fc00::80')]
    assert.equal(machine.sources.of(TARGET), null)
    assert.deepEqual([...machine.sources.choices()], [[TARGET.text, { kind: 'virtual', source: VIP }]])
    assert.deepEqual(machine.events, ['check.virtual-source'])
  })

  it('are left to the kernel for this machine, without a route, and for a link-local address', () => {
    const machine = new Machine()
    machine.add('fc00::80')
    machine.routes.set(TARGET.text, { kind: 'local' })
    assert.equal(machine.sources.of(TARGET), null)
    const lost = address('2001:db8::1')
    machine.routes.set(lost.text, { kind: 'unreachable', code: 'ENETUNREACH' })
    assert.equal(machine.sources.of(lost), null)
    assert.equal(machine.sources.of(address('fe80::1%eth0')), null)
  })

  it('are asked for once for a target, again after a change, and after a minute', () => {
    const machine = new Machine()
    const targets = Array.from({ length: 2000 }, (_, i) =>
      addressFromBytes(Uint8Array.from([...bytesOf(TARGET).slice(0, 14), i >> 8, i & 255])),
    )
    const askAll = () => {
      const before = machine.asked
      for (const target of targets) machine.sources.of(target)
      return machine.asked - before
    }
    assert.deepEqual([askAll(), askAll()], [2000, 0])
    machine.add('fc00::80')
    assert.equal(askAll(), 2000)
    // Routes may change all the time: they count once in a second.
    const counts = []
    for (let i = 0; i < 20; i++) {
      machine.changes = { ...NO_CHANGES, routes: true }
      machine.now += 20
      counts.push(askAll())
    }
    assert.ok(counts.filter(count => count > 0).length <= 1, `${counts}`)
    machine.now += 1000
    askAll()
    machine.now += 30_000
    assert.equal(askAll(), 0)
    machine.now += 30_000
    assert.equal(askAll(), 2000)
  })

  it('tell from which checks may have begun that are virtual now, without a question', () => {
    const machine = new Machine()
    const { sources } = machine
    const told: boolean[] = []
    sources.passOn((_, mayBeFrom) => told.push(mayBeFrom !== null))
    const follow = (...virtual: string[]) => sources.followAddresses(virtual)
    sources.of(TARGET)
    const { asked } = machine
    const known = follow('fc00::80', 'fc00::1')
    assert.deepEqual(
      [known?.(TARGET, null), known?.(TARGET, OWN), known?.(TARGET, VIP), known?.(address('fc00::12'), null)],
      [true, true, false, true],
    )
    assert.equal(machine.asked, asked)
    machine.own = [own('fc00::80'), own('fc00::2')]
    sources.of(TARGET)
    assert.equal(follow('fc00::80', 'fc00::1', 'fc00::81')?.(TARGET, null), false)
    assert.deepEqual([follow('fc00::80'), follow('fc00::80')], [null, null])
    assert.deepEqual(told, [false, true, true, false])
  })

  it('cost nothing without a virtual address', () => {
    const machine = new Machine()
    machine.sources.follow([])
    assert.equal(machine.sources.of(TARGET), null)
    assert.equal(machine.asked, 0)
  })

  it('are the choice of the kernel once it cannot be asked, which is told once', () => {
    const machine = new Machine()
    machine.isBroken = true
    for (let i = 0; i < 3; i++) assert.equal(machine.sources.of(TARGET), null)
    assert.deepEqual([machine.events, machine.asked], [['check.sources-unknown'], 1])
  })

  it('is chosen for a virtual address through a real server, once, and again after a change', () => {
    const machine = new Machine()
    const towards = () => machine.sources.towards(VIP, TARGET)?.text
    assert.equal(towards(), 'fc00::1')
    assert.equal(towards(), 'fc00::1')
    assert.equal(machine.asked, 1)
    machine.add('fc00::80')
    assert.equal(towards(), 'fc00::1', 'the kernel would choose the virtual address')
    assert.equal(machine.asked, 2)
    machine.remove('fc00::1')
    assert.equal(towards(), undefined, 'there is no other address')
    machine.isBroken = true
    machine.now += 60_000
    assert.equal(towards(), undefined)
    assert.deepEqual(machine.events, ['check.sources-unknown'])
  })
})
