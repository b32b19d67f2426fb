/** Overrides of several directors: none is lost without a word, whatever becomes of Redis and of the directors. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import { entryOf, isOrder } from '../../../../src/cluster/overrides/shared-value.js'
import { SiteOverrides } from '../../../../src/cluster/overrides/site-overrides.js'
import type { MaintenanceWindow } from '../../../../src/core/model.js'
import type { Effect, Override } from '../../../../src/core/override.js'
import { CommandOverrides, type Order, targetOf } from '../../../../src/overrides/command-overrides.js'
import { EarlyEnds } from '../../../../src/overrides/early-ends.js'
import { WindowOverrides } from '../../../../src/overrides/window-overrides.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { temporaryFolder } from '../../../support/folder.js'
import { recordingLog } from '../../../support/logs.js'
import { MemoryOverrideStore, type Reach } from '../../../support/override-store.js'
import { config, real, service } from '../../../support/tables.js'
import { PATIENCE } from '../../../support/until.js'

const ONE = real('fd00:1::1')
const TWO = real('fd00:1::2')
const DAY = 86_400_000
/** Open all day. */
const DAILY: MaintenanceWindow = { at: '0 0 * * *', zone: 'UTC', for: DAY, drain: 0, reals: null, reason: '' }
const WEB = service('web', { reals: [ONE, TWO], windows: [DAILY] })
const SITE = config([WEB])
const TARGETS = [targetOf(WEB, ONE), targetOf(WEB, TWO), targetOf(WEB, null)]
const EFFECTS: readonly Effect[] = [{ kind: 'drain' }, { kind: 'weight', weight: 3 }]

const override = (effect: Effect, who: string, since: number, until: number | null = null): Override => ({
  effect,
  source: 'command',
  who,
  reason: '',
  since,
  until,
})

class Director {
  reach: Reach = 'there'
  /** Milliseconds by which its wall clock is wrong. */
  skew = 0
  commands!: CommandOverrides
  windows!: WindowOverrides
  #ends!: EarlyEnds
  site!: SiteOverrides
  readonly #store: MemoryOverrideStore
  readonly #folder = temporaryFolder()
  readonly #clock: FakeClock
  readonly name: string
  readonly #recorded = recordingLog()
  readonly lines = this.#recorded.lines

  constructor(name: string, store: MemoryOverrideStore, clock: FakeClock) {
    this.name = name
    this.#store = store
    this.#clock = clock
  }

  now = () => this.#clock.now() + this.skew

  async open(): Promise<this> {
    const { log } = this.#recorded
    const clock = { now: this.now, alarm: this.#clock.alarm }
    const path = (what: string) => join(this.#folder, `${what}.json`)
    this.commands = new CommandOverrides({ path: path('overrides'), log, onChange: () => {}, ...clock })
    this.#ends = new EarlyEnds({ path: path('windows'), log, ...clock })
    this.windows = new WindowOverrides({ log, ends: this.#ends, onChange: () => {}, ...clock })
    await this.#ends.load()
    const store = this.#store.view(() => this.reach)
    this.site = new SiteOverrides({
      store,
      commands: this.commands,
      windows: this.windows,
      log,
      director: this.name,
      isOn: () => true,
      path: path('site'),
      clock,
    })
    await this.commands.load()
    await this.site.load()
    this.commands.follow(SITE)
    this.windows.follow(SITE)
    return this
  }

  /** What is opened again reads what this one has written, however long that takes. */
  async close(): Promise<void> {
    await this.site.close(PATIENCE)
    await this.commands.close(PATIENCE)
    this.windows.close()
    await this.#ends.close(PATIENCE)
  }

  async give(target: number, effect: number, who: string, isLocal = false, until: number | null = null) {
    const [wanted, what] = [TARGETS[target], EFFECTS[effect]]
    assert.ok(wanted && what)
    const orders = this.commands.prepared([wanted], override(what, who, this.now(), until))
    const before = this.#known(orders[0]?.id)
    const outcome = await this.site.change(orders, { isLocal, endedBy: null })
    return { outcome, before, id: orders[0]?.id }
  }

  async end(target: number, effect: number, who: string, isLocal = false) {
    const [wanted, what] = [TARGETS[target], EFFECTS[effect]]
    assert.ok(wanted && what)
    const orders = this.commands.having([wanted], [what.kind])
    const before = this.#known(orders[0]?.id)
    const outcome = orders.length > 0 ? await this.site.change(orders, { isLocal, endedBy: who }) : null
    return { outcome, before, id: orders[0]?.id }
  }

  endWindows(who: string, { isLocal = false, one = null as typeof ONE | null } = {}) {
    return this.site.endWindows(this.windows.prepared([{ service: WEB, real: one }], who), { isLocal })
  }

  /** Which servers are in their window. */
  get inWindow(): readonly string[] {
    return [ONE, TWO].filter(one => this.windows.of(WEB, one).length > 0).map(({ host }) => host)
  }

  #known(id: string | undefined): string | null {
    return this.commands.orders.find(order => order.id === id)?.override.who ?? null
  }

  /** Who has given each override that is in force. */
  get inForce(): Record<string, string> {
    return Object.fromEntries(
      this.commands.orders.map(({ id, override: { who } }: Order) => [id, who]).sort(),
    )
  }

  get conflicts() {
    return this.lines
      .filter(({ event }) => event === 'override.conflict')
      .map(({ counts, lost }) => ({ counts, lost }))
  }
}

async function pair() {
  const store = new MemoryOverrideStore()
  const clock = new FakeClock()
  const a = await new Director('a', store, clock).open()
  const b = await new Director('b', store, clock).open()
  return { store, clock, a, b, both: [a, b] }
}

const DRAIN_ONE = 'tcp [2001:db8::80]:80 [fd00:1::1]:80 drain'

describe('SiteOverrides', () => {
  it('are in force on all directors', async () => {
    const { a, b } = await pair()
    assert.equal((await a.give(0, 0, 'anna')).outcome.kind, 'done')
    await b.site.look()
    assert.deepEqual([a.inForce, b.inForce], [{ [DRAIN_ONE]: 'anna' }, { [DRAIN_ONE]: 'anna' }])
    await b.end(0, 0, 'bob')
    await a.site.look()
    assert.deepEqual([a.inForce, b.inForce], [{}, {}])
    assert.equal(a.lines.find(({ event }) => event === 'override.ended-early')?.by, 'bob')
  })

  it('are not overwritten by an operator who has not seen them', async () => {
    const { a, b } = await pair()
    await a.give(0, 1, 'anna')
    const { outcome } = await b.give(0, 1, 'bob')
    assert.ok(outcome.kind === 'changed')
    assert.deepEqual(
      outcome.by.map(value => isOrder(value) && value.override.who),
      ['anna'],
    )
    assert.deepEqual(Object.values(b.inForce), ['anna'])
    assert.equal((await b.give(0, 1, 'bob')).outcome.kind, 'done')
    await a.site.look()
    assert.deepEqual([Object.values(a.inForce), Object.values(b.inForce)], [['bob'], ['bob']])
  })

  it('are refused while Redis is away, unless they are for this director alone, and are merged afterwards', async () => {
    const { a, b } = await pair()
    a.reach = 'away'
    assert.deepEqual((await a.give(0, 0, 'anna')).outcome, { kind: 'away', reason: 'refused' })
    assert.deepEqual(a.inForce, {})
    assert.equal((await a.give(0, 0, 'anna', true)).outcome.kind, 'done')
    assert.deepEqual([Object.values(a.inForce), a.site.pending, b.inForce], [['anna'], 1, {}])
    a.reach = 'there'
    await a.site.look()
    await b.site.look()
    assert.deepEqual([Object.values(b.inForce), a.site.pending, a.conflicts], [['anna'], 0, []])
  })

  it('tell a conflict of two directors that could not hear each other; the later one counts', async () => {
    const { a, b, clock } = await pair()
    a.reach = 'away'
    await a.give(0, 1, 'anna', true)
    clock.wind(1000)
    await b.give(0, 1, 'bob')
    a.reach = 'there'
    await a.site.look()
    assert.deepEqual([Object.values(a.inForce), Object.values(b.inForce)], [['bob'], ['bob']])
    assert.deepEqual(a.conflicts, [{ counts: 'given by bob on b', lost: 'given by anna on a' }])
  })

  it('come back to a store that has lost everything, and not to a director that was away when they ended', async () => {
    const { a, b, store, clock } = await pair()
    await a.give(0, 0, 'anna')
    await b.site.look()
    await b.close()
    await a.end(0, 0, 'anna')
    await a.give(1, 0, 'anna')
    store.flush()
    clock.wind(1000)
    await a.site.look()
    assert.equal(store.entries.size, 2)
    await b.open()
    await b.site.look()
    assert.deepEqual([b.inForce, Object.values(b.inForce)], [a.inForce, ['anna']])
  })

  it("that were given before there was a site are the site's afterwards", async () => {
    const { a, b } = await pair()
    await a.commands.give([targetOf(WEB, ONE)], override({ kind: 'drain' }, 'anna', 0))
    await a.site.look()
    await b.site.look()
    assert.deepEqual(Object.values(b.inForce), ['anna'])
  })

  it('are forgotten by the store a month after their end', async () => {
    const { a, b, store, clock } = await pair()
    await a.give(0, 0, 'anna', false, a.now() + DAY)
    await a.give(1, 0, 'anna')
    await a.end(1, 0, 'anna')
    await b.site.look()
    clock.wind(32 * DAY)
    await a.give(0, 1, 'bob')
    await b.site.look()
    await a.site.look()
    assert.deepEqual(
      [...store.entries.values()].map(({ value }) => isOrder(value) && value.override.who),
      ['bob'],
    )
    assert.deepEqual([a.inForce, Object.values(b.inForce)], [b.inForce, ['bob']])
  })

  it('are ends of windows too: ended on one director, ended on all, also after a loss of all data', async () => {
    const { a, b, store, clock } = await pair()
    assert.deepEqual(b.inWindow, ['fd00:1::1', 'fd00:1::2'])
    assert.equal((await a.endWindows('anna', { one: ONE })).kind, 'done')
    store.flush()
    await a.site.look()
    await b.site.look()
    assert.deepEqual([a.inWindow, b.inWindow], [['fd00:1::2'], ['fd00:1::2']])
    assert.deepEqual(
      b.lines.flatMap(({ event, who }) => (event === 'window.ended-early' ? [who] : [])),
      ['anna'],
    )
    await b.close()
    await b.open()
    assert.deepEqual(b.inWindow, ['fd00:1::2'])
    clock.wind(3 * DAY)
    assert.equal(b.inWindow.length, 2)
    await a.give(0, 0, 'anna')
    for (const director of [b, a, b]) await director.site.look()
    assert.deepEqual([...store.entries.keys()], [DRAIN_ONE])
    assert.deepEqual([a.site.pending, b.site.pending], [0, 0])
  })

  it('are ends of windows that wait for Redis like overrides, and are no conflict', async () => {
    const { a, b } = await pair()
    a.reach = 'away'
    assert.equal((await a.endWindows('anna')).kind, 'away')
    assert.equal(a.inWindow.length, 2)
    assert.equal((await a.endWindows('anna', { isLocal: true })).kind, 'done')
    assert.deepEqual([a.inWindow, a.site.pending, b.inWindow.length], [[], 1, 2])
    await b.endWindows('bob')
    a.reach = 'there'
    await a.site.look()
    await b.site.look()
    assert.deepEqual([b.inWindow, a.site.pending, a.conflicts, b.conflicts], [[], 0, [], []])
  })

  it('are ends of windows from before there was a site; who ends one again is told who has', async () => {
    const { a, b } = await pair()
    await a.windows.end(a.windows.prepared([{ service: WEB, real: null }], 'anna'))
    await a.site.look()
    const outcome = await b.endWindows('bob')
    assert.deepEqual(
      outcome.kind === 'changed' && outcome.by.map(value => 'opening' in value && value.opening.who),
      ['anna'],
    )
    assert.deepEqual(b.inWindow, [])
  })

  /** Puts into the store what a newer lvsd writes. */
  function newer(store: MemoryOverrideStore, id: string, entry: object): void {
    const written = { change: 'n1', past: [], by: 'c', at: 0, value: {}, ...entry }
    const read = entryOf(JSON.stringify(written))
    assert.ok(read)
    assert.deepEqual(JSON.parse(JSON.stringify(read)), written, 'passed on as it was written')
    store.entries.set(id, read)
  }
  const stored = (store: MemoryOverrideStore, id: string) => JSON.parse(JSON.stringify(store.entries.get(id)))
  const target = targetOf(WEB, ONE)

  it('of a newer lvsd keep the fields that this one does not know, also when they end or Redis loses all', async () => {
    const { a, store } = await pair()
    const effect = { kind: 'drain', via: 'x' }
    const value = {
      target,
      override: { ...override({ kind: 'drain' }, 'anna', 0), effect, ticket: 7 },
      endedBy: null,
      approvedBy: 'carl',
    }
    newer(store, DRAIN_ONE, { value, trace: 't' })
    await a.site.look()
    assert.deepEqual(a.inForce, { [DRAIN_ONE]: 'anna' })
    store.flush()
    await a.close()
    await a.open()
    await a.site.look()
    assert.deepEqual([stored(store, DRAIN_ONE).value, stored(store, DRAIN_ONE).trace], [value, 't'])
    await a.end(0, 0, 'bob')
    assert.deepEqual(stored(store, DRAIN_ONE).value, { ...value, endedBy: 'bob' })
    assert.deepEqual(a.inForce, {})
  })

  const unknown: readonly (readonly [string, object])[] = [
    [
      'effect',
      { value: { target, override: override({ kind: 'mirror' } as never, 'anna', 0), endedBy: null } },
    ],
    ['kind of entry', { value: { pool: 'b' } }],
    [
      'schema',
      { schema: 2, value: { target, override: override({ kind: 'drain' }, 'anna', 0), endedBy: null } },
    ],
  ]
  for (const [what, entry] of unknown)
    it(`of a newer lvsd with another ${what} are told once, stay as they are and are not in force`, async () => {
      const { a, b, store, clock } = await pair()
      await a.give(0, 0, 'anna')
      await b.site.look()
      newer(store, DRAIN_ONE, { ...entry, at: -1 })
      const before = stored(store, DRAIN_ONE)
      for (let i = 0; i < 3; i++) {
        await b.give(1, 0, `bob ${i}`)
        await a.site.look()
        await a.site.look()
      }
      await a.close()
      await a.open()
      clock.wind(1000)
      await b.give(1, 0, 'bob')
      await a.site.look()
      assert.deepEqual(stored(store, DRAIN_ONE), before)
      assert.deepEqual(
        [a.site.pending, a.lines.filter(({ event }) => event === 'override.unknown').length],
        [0, 1],
      )
      for (const reach of ['there', 'away'] as const) {
        a.reach = reach
        const { outcome } = await a.give(0, 0, 'anna', true)
        assert.equal(outcome.kind, 'changed')
      }
      a.reach = 'there'
      store.flush()
      await a.site.look()
      assert.equal(store.entries.has(DRAIN_ONE), false, 'a director that knows what it is writes it again')
    })

  it('of a newer lvsd are one event, however many they are', async () => {
    const { a, store } = await pair()
    for (let i = 0; i < 100; i++) newer(store, `${i}${'x'.repeat(1000)}`, { by: '\u001b[31mc' })
    await a.site.look()
    const told = a.lines.filter(({ event }) => event === 'override.unknown')
    assert.deepEqual(
      told.map(({ count, director }) => [count, director]),
      [[100, '·[31mc']],
    )
    assert.ok(String(told[0]?.override).length <= 200)
  })

  type Step =
    | {
        readonly do: 'give' | 'end'
        readonly at: number
        readonly target: number
        readonly effect: number
        readonly isLocal: boolean
      }
    | { readonly do: 'reach'; readonly at: number; readonly reach: Reach }
    | { readonly do: 'look' | 'restart'; readonly at: number }
    | { readonly do: 'flush' }
    | { readonly do: 'wait'; readonly ms: number }
    | { readonly do: 'skew'; readonly at: number; readonly ms: number }

  const at = fc.nat(1)
  const anyStep: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom('give' as const, 'end' as const),
        at,
        target: fc.nat(2),
        effect: fc.nat(1),
        isLocal: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('reach' as const),
        at,
        reach: fc.constantFrom<Reach>('there', 'away', 'answer lost'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('look' as const, 'restart' as const), at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(100_000) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'flush' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('skew' as const),
        at,
        ms: fc.constantFrom(-3_600_000, 0, 3_600_000),
      }),
    },
  )

  /** What an operator asked for. `knew`: whose change was in force there before; null: none. */
  interface Asked {
    readonly who: string
    readonly id: string
    readonly isEnd: boolean
    /** The operator was told that it is done. Else it may be in force all the same: its answer may be lost. */
    readonly isDone: boolean
    readonly knew: string | null
  }

  async function run(steps: readonly Step[]): Promise<void> {
    const { store, clock, both } = await pair()
    const asked: Asked[] = []
    for (const [n, step] of steps.entries()) {
      if (step.do === 'wait') clock.wind(step.ms)
      if (step.do === 'flush') store.flush()
      if (!('at' in step)) continue
      const director = both[step.at]
      assert.ok(director)
      if (step.do === 'reach') director.reach = step.reach
      if (step.do === 'skew') director.skew = step.ms
      if (step.do === 'look') await director.site.look()
      if (step.do === 'restart') {
        await director.close()
        await director.open()
      }
      if (step.do !== 'give' && step.do !== 'end') continue
      const who = `#${n}`
      const { outcome, before, id } = await director[step.do](step.target, step.effect, who, step.isLocal)
      if (outcome && id)
        asked.push({ who, id, isEnd: step.do === 'end', isDone: outcome.kind === 'done', knew: before })
    }
    for (const director of both) director.reach = 'there'
    for (const director of [...both, ...both]) await director.site.look()
    const [a, b] = both
    assert.ok(a && b)
    assert.deepEqual(a.inForce, b.inForce)
    assert.deepEqual([a.site.pending, b.site.pending], [0, 0])
    const conflicts = [...a.conflicts, ...b.conflicts].map(({ lost }) => String(lost))
    for (const { who, id, isEnd, isDone } of asked) {
      if (isEnd || !isDone) continue
      const isCounting = a.inForce[id] === who
      const isKnown = asked.some(later => later.id === id && later.knew === who)
      const isTold = conflicts.some(lost => lost.startsWith(`given by ${who} on `))
      assert.ok(isCounting || isKnown || isTold, `${who} is lost without a word`)
    }
  }

  it('lose none without a word, in any history of two directors', async () => {
    const runs = Number(process.env.SITE_RUNS ?? 150)
    await fc.assert(fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), run), {
      numRuns: runs,
      endOnFailure: false,
    })
  }).timeout(600_000)
})
