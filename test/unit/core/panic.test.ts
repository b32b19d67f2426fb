import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { HealthState } from '../../../src/core/model.js'
import { neededFalls, type Panic, type SavedPanic, ServicePanic } from '../../../src/core/panic.js'

const POLICY: Panic = { share: 50, within: 10_000, for: 900_000 }

/** A service of `size` servers that are up, each with its number as its weight. */
class Site {
  now = 1000
  panic = new ServicePanic()
  readonly overridden = new Set<string>()
  readonly size: number
  policy: Panic | null = POLICY

  constructor(size: number) {
    this.size = size
    for (let i = 1; i <= size; i++) this.see(i, 'up')
  }

  see(server: number, state: HealthState, isInService = true): void {
    const key = String(server)
    this.panic.see(
      key,
      {
        state,
        isOverridden: this.overridden.has(key),
        isInService: () => isInService,
        weight: () => server,
      },
      this.now,
    )
    this.look()
  }

  look(): void {
    this.panic.look(this.size - this.overridden.size, this.policy, this.now)
  }

  pass(ms: number): void {
    this.now += ms
    this.look()
  }

  override(server: number, isOn: boolean, state: HealthState): void {
    if (isOn) this.overridden.add(String(server))
    else this.overridden.delete(String(server))
    this.see(server, state)
  }

  get held(): string {
    return [...this.panic.held].map(([key, { weight }]) => `${key}=${weight}`).join(' ')
  }
}

describe('core: panic', () => {
  it('needs a share of the servers, and at least two', () => {
    const cases = [
      [0, 50, Number.POSITIVE_INFINITY],
      [1, 50, Number.POSITIVE_INFINITY],
      [2, 50, 2],
      [3, 50, 2],
      [4, 50, 2],
      [5, 50, 3],
      [30, 10, 3],
      [4, 75, 3],
      [10, 100, 10],
    ] as const
    for (const [servers, share, expected] of cases) assert.equal(neededFalls(servers, { share }), expected)
  })

  it('holds those that fell in the burst, with their weights, and not the one that was down before', () => {
    const site = new Site(6)
    site.see(1, 'down')
    site.pass(10_001)
    for (const server of [2, 3]) site.see(server, 'down')
    assert.equal(site.held, '')
    site.see(4, 'down')
    assert.equal(site.held, '2=2 3=3 4=4')
    site.see(5, 'down')
    assert.equal(site.held, '2=2 3=3 4=4 5=5')
  })

  it('ends when fewer are down than needed; the rest fail as usual', () => {
    const site = new Site(4)
    for (const server of [1, 2, 3]) site.see(server, 'down')
    site.pass(60_000)
    site.see(1, 'up')
    assert.equal(site.held, '2=2 3=3')
    site.see(2, 'up')
    assert.deepEqual([site.held, site.panic.since], ['', null])
  })

  it('ends after `for`, and the same servers do not count again', () => {
    const site = new Site(4)
    for (const server of [1, 2, 3]) site.see(server, 'down')
    site.pass(POLICY.for - 1)
    assert.notEqual(site.panic.since, null)
    site.pass(1)
    assert.equal(site.panic.since, null)
    site.see(4, 'down')
    assert.equal(site.panic.since, null)
  })

  it('is not for servers that fall one after the other, nor for a service of one', () => {
    const slow = new Site(4)
    for (const server of [1, 2, 3, 4]) {
      slow.see(server, 'down')
      slow.pass(10_001)
    }
    assert.equal(slow.panic.since, null)
    const single = new Site(1)
    single.see(1, 'down')
    assert.equal(single.panic.since, null)
  })

  it('leaves a server to the operator who overrides it', () => {
    const site = new Site(4)
    for (const server of [1, 2, 3]) site.see(server, 'down')
    site.override(1, true, 'down')
    assert.equal(site.held, '2=2 3=3')
    site.override(1, false, 'down')
    assert.equal(site.held, '2=2 3=3')
  })

  it('counts after a start those that the kernel had, and goes on after a restart', () => {
    const site = new Site(4)
    site.panic = new ServicePanic()
    site.see(4, 'down', false)
    for (const server of [1, 2]) site.see(server, 'down')
    assert.equal(site.held, '1=1 2=2')
    const saved = JSON.parse(JSON.stringify(site.panic.save(site.now))) as SavedPanic
    site.panic = new ServicePanic()
    site.now = 5_000_000
    site.panic.restore(saved, site.now)
    for (const server of [1, 2]) site.see(server, 'down')
    assert.equal(site.held, '1=1 2=2')
    site.pass(POLICY.for)
    assert.equal(site.panic.since, null)
  })

  it('ends with its setting', () => {
    const site = new Site(4)
    for (const server of [1, 2, 3]) site.see(server, 'down')
    site.policy = null
    site.look()
    assert.equal(site.panic.since, null)
  })

  it('follows from the history: who is held, for how long, and not without enough of them', () => {
    const step = fc.oneof(
      fc.record({
        server: fc.integer({ min: 1, max: 5 }),
        state: fc.constantFrom<HealthState>('up', 'down', 'unknown'),
      }),
      fc.record({ server: fc.integer({ min: 1, max: 5 }), isOn: fc.boolean() }),
      fc.record({ ms: fc.integer({ min: 0, max: 20_000 }) }),
      fc.record({ restart: fc.constant(true) }),
    )
    const steps = fc.array(step, { maxLength: 80 })
    fc.assert(
      fc.property(steps, fc.constantFrom(30, 50, 100), (history, share) => {
        const site = new Site(5)
        site.policy = { share, within: 10_000, for: 60_000 }
        const states = new Map<number, HealthState>([1, 2, 3, 4, 5].map(n => [n, 'up']))
        const fellAt = new Map<number, number>()
        for (const one of history) {
          if ('ms' in one) site.pass(one.ms)
          else if ('restart' in one) {
            const saved = site.panic.save(site.now)
            site.panic = new ServicePanic()
            site.panic.restore(saved, site.now)
            site.look()
          } else if ('isOn' in one) site.override(one.server, one.isOn, states.get(one.server) ?? 'up')
          else {
            if (one.state === 'down' && states.get(one.server) !== 'down') fellAt.set(one.server, site.now)
            states.set(one.server, one.state)
            site.see(one.server, one.state)
          }
          const held = [...site.panic.held.keys()]
          const { since } = site.panic
          const needed = neededFalls(5 - site.overridden.size, site.policy)
          // Nobody is held without a panic, and a panic has as many as needed.
          if (since === null) assert.deepEqual(held, [])
          else {
            assert.ok(held.length >= needed)
            assert.ok(site.now < since + 60_000)
          }
          for (const key of held) {
            assert.notEqual(states.get(Number(key)), 'up')
            assert.ok(!site.overridden.has(key))
            // Who fell long before the panic is not held.
            assert.ok((fellAt.get(Number(key)) ?? 0) >= (since ?? 0) - 10_000)
          }
        }
      }),
    )
  })
})
