/** A reload that keeps the objects of what has not changed leads to the same as one with nothing but new objects. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Check } from '../../../src/check/check.js'
import type { Damping } from '../../../src/core/damping.js'
import type { Config, Real, ResolvedConfig, Table } from '../../../src/core/model.js'
import type { Effect, Override } from '../../../src/core/override.js'
import { sharedWith } from '../../../src/core/shared-config.js'
import type { Events } from '../../../src/events/event-bus.js'
import type { JobChanges } from '../../../src/health/health-changes.js'
import { HealthTracker } from '../../../src/health/health-tracker.js'
import { jobsOf } from '../../../src/health/jobs.js'
import { type Resolved, resolveConfig } from '../../../src/names/resolve-config.js'
import { runSync } from '../../../src/util/time-slice.js'
import { FakeClock } from '../../support/fake-clock.js'
import { config, failed, passed, real, service, serviceId, use } from '../../support/tables.js'

const ask = (name: string, more: Partial<Check> = {}): Check => {
  return { name, summary: '', options: () => ({}), run: async () => passed(), ...more }
}
const ON = ask('on')
const OWN = ask('own', { perService: true })
/** What users' files say of the kind `own`, one after another. */
const CHECKS = [OWN, ask('own'), ask('own', { perService: true, defaultPort: 79 })].map(
  own => new Map([ON, own].map(check => [check.name, check])),
)
const HOSTS = ['fd00:1::1', 'fd00:1::2', 'fd00:1::3', 'www1', 'www2']
const DAMPING = { changes: 2, within: 60_000, hold: 20_000 }
const NAMES = ['web', 'mail', 'dns']

const anyReal = fc
  .record({
    host: fc.constantFrom(...HOSTS),
    weight: fc.constantFrom(0, 1, 9),
    kinds: fc.constantFrom(['on'], ['own'], ['on', 'own'], []),
    interval: fc.constantFrom(1000, 5000),
    fall: fc.constantFrom(1, 2),
  })
  .map(({ host, weight, kinds, ...policy }) =>
    real(host, { weight, checks: kinds.map(kind => use(kind, {}, policy)) }),
  )

const anyService = fc
  .record({
    name: fc.constantFrom(...NAMES),
    port: fc.constantFrom(80, 81, 82),
    quiescent: fc.boolean(),
    slowStart: fc.constantFrom(null, null, { for: 10_000, from: 10 }),
    damping: fc.constantFrom(null, null, DAMPING),
    panic: fc.constantFrom(null, null, { share: 60, within: 10_000, for: 30_000 }),
    onDown: fc.constantFrom(null, null, { dead: 'quiesce', sick: 'quiesce', after: 15_000 } as const),
    fallback: fc.constantFrom(null, real('fd00:1::f')),
    reals: fc.uniqueArray(anyReal, { selector: ({ host }) => host, maxLength: 4 }),
  })
  .map(({ name, port, ...own }) => service(name, { id: serviceId('2001:db8::80', port), ...own }))

const anyConfig = fc
  .uniqueArray(anyService, { comparator: (a, b) => a.name === b.name || portOf(a) === portOf(b) })
  .map(services => config(services) as Config)

const anyEffect = fc.constantFrom<Effect | null>(
  null,
  null,
  { kind: 'force-down' },
  { kind: 'force-up' },
  { kind: 'disable' },
  { kind: 'weight', weight: 5 },
)

const anyEvent = fc.oneof(
  fc.record({ kind: fc.constant('result' as const), job: fc.nat(20), ok: fc.boolean() }),
  fc.record({ kind: fc.constant('result' as const), job: fc.nat(20), ok: fc.boolean() }),
  fc.record({ kind: fc.constant('flap' as const), job: fc.nat(20) }),
  fc.record({ kind: fc.constant('wind' as const), ms: fc.constantFrom(500, 5000, 20_000) }),
  fc.record({ kind: fc.constant('override' as const), host: fc.constantFrom(...HOSTS), effect: anyEffect }),
  fc.record({ kind: fc.constant('name' as const), host: fc.constantFrom('www1', 'www2'), last: fc.nat(3) }),
)
/** What happens while a configuration is prepared, and when: each after so many further steps of the preparation. */
const meanwhile = fc.array(fc.record({ steps: fc.constantFrom(1, 5, 1000), event: anyEvent }), {
  maxLength: 4,
})
type Meanwhile = typeof meanwhile extends fc.Arbitrary<infer M> ? M : never

const anyStep = fc.oneof(
  fc.record({ kind: fc.constant('reload' as const), config: anyConfig, meanwhile }),
  fc.record({ kind: fc.constant('same' as const), drop: fc.nat(3), meanwhile }),
  fc.record({ kind: fc.constant('every' as const), interval: fc.constantFrom(1000, 5000, 9000), meanwhile }),
  fc.record({
    kind: fc.constant('weigh' as const),
    host: fc.constantFrom(...HOSTS),
    weight: fc.nat(2),
    meanwhile,
  }),
  fc.record({ kind: fc.constant('damp' as const), isDamped: fc.boolean(), meanwhile }),
  fc.record({ kind: fc.constant('kinds' as const), which: fc.nat(CHECKS.length - 1) }),
  anyEvent,
  anyEvent,
)
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

function portOf({ virtual }: Config['services'][number]): number {
  return virtual.kind === 'address' ? virtual.port : 0
}

/** A director without checks and sockets; what it wants is at once in its table. */
class Life {
  readonly #isByParts: boolean
  readonly #clock = new FakeClock()
  readonly #told: unknown[] = []
  readonly #names = new Map<string, string>()
  readonly #overrides = new Map<string, Effect>()
  readonly health: HealthTracker
  #table: Table = new Map()
  #read: Config = config([])
  #resolved: Resolved | null = null
  checks = CHECKS[0]
  config: ResolvedConfig = config([])
  #changes: JobChanges | null = null

  constructor(isByParts: boolean) {
    this.#isByParts = isByParts
    const emit = (event: keyof Events, ...details: unknown[]) => void this.#told.push([event, plain(details)])
    this.health = new HealthTracker({
      log: { warn: () => {} },
      events: { emit, hears: () => false },
      table: () => this.#table,
      onDirty: () => {},
      recheck: () => {},
      now: this.#clock.now,
      wall: this.#clock.now,
      alarm: this.#clock.alarm,
    })
  }

  take(step: Step): void {
    if (step.kind === 'reload') this.#reload(step.config, step.meanwhile)
    else if (step.kind === 'same') {
      const services = this.#read.services.filter((_, i) => i !== step.drop)
      this.#reload({ ...this.#read, services }, step.meanwhile)
    } else if (step.kind === 'every') this.#reload(withInterval(this.#read, step.interval), step.meanwhile)
    else if (step.kind === 'weigh')
      this.#reload(withWeight(this.#read, step.host, step.weight), step.meanwhile)
    else if (step.kind === 'damp')
      this.#reload(withDamping(this.#read, step.isDamped ? DAMPING : null), step.meanwhile)
    else if (step.kind === 'wind') this.#wind(step.ms)
    else if (step.kind === 'result') this.#result(step.job, step.ok)
    else if (step.kind === 'flap') for (const ok of [true, false, true]) this.#result(step.job, ok)
    else if (step.kind === 'kinds') {
      this.checks = CHECKS[step.which]
      this.#place()
    } else if (step.kind === 'name') {
      this.#names.set(`${step.host} ipv6`, `fd00:2::${step.last + 1}`)
      this.#place()
    } else {
      if (step.effect) this.#overrides.set(step.host, step.effect)
      else this.#overrides.delete(step.host)
      this.#override()
    }
    this.#table = this.health.desired(this.#table, null).table
  }

  /** What is due at one time has no order. */
  #wind(ms: number): void {
    const from = this.#told.length
    this.#clock.wind(ms)
    this.#told.push(...sorted(this.#told.splice(from)))
  }

  #result(n: number, ok: boolean): void {
    const ids = [...this.health.store.jobs.keys()]
    const id = ids[n % Math.max(1, ids.length)]
    if (id !== undefined) this.health.result(id, ok ? passed() : failed())
  }

  /** In parts what happens meanwhile comes between the steps of the preparation, else before the reload. */
  #reload(next: Config, meanwhile: Meanwhile): void {
    const copy = structuredClone(next)
    if (!this.#isByParts) {
      for (const { event } of meanwhile) this.take(event)
      this.#read = copy
      this.#place()
      return
    }
    const read = sharedWith(this.#read, copy)
    const prepared = { read, config: this.#resolve(read, this.#resolved) }
    const work = this.health.store.preparing(prepared.config, this.checks ?? new Map())
    for (const { steps, event } of meanwhile) {
      for (let i = 0; i < steps; i++) work.next()
      this.take(event)
    }
    runSync(work)
    this.#read = read
    this.#place(prepared)
  }

  #resolve(read: Config, before: Resolved | null): ResolvedConfig {
    return resolveConfig(read, this.#names, before).config
  }

  /** `prepared`: the configuration as it was prepared; absent: it was not. */
  #place(prepared?: Resolved): void {
    const read = this.#isByParts ? this.#read : structuredClone(this.#read)
    const before = this.#isByParts ? (prepared ?? this.#resolved) : null
    this.config = this.#resolve(read, before)
    this.#resolved = { read, config: this.config }
    const kinds = this.checks ?? new Map()
    if (this.#isByParts && !prepared) runSync(this.health.store.preparing(this.config, kinds))
    this.#changes = this.health.applyConfig(this.config, kinds, new Map())
    this.#override()
    this.health.availability.follow(this.config.services)
  }

  #override(): void {
    const given = this.config.services.flatMap(({ reals }) =>
      reals.flatMap(one => {
        const effect = this.#overrides.get(one.host)
        return effect ? [[one, overrideOf(effect)] as const] : []
      }),
    )
    this.health.override(new Map(given))
  }

  /** All that can be seen of it. */
  seen() {
    const { services } = this.config
    const { added = [], removed = [], rescheduled, newlySubscribed } = this.#changes ?? {}
    return {
      told: this.#told,
      table: this.#table,
      jobs: [...this.health.store.jobs.keys()],
      subscribers: [...this.health.store.allSubscribers()].map(({ jobId, service: { name } }) => [
        jobId,
        name,
      ]),
      added: added.map(({ id }) => id),
      removed: removed.map(({ id }) => id),
      rescheduled,
      newlySubscribed,
      health: plain(this.health.snapshot(services, this.#table).services, 'share'),
      rules: sorted(this.health.ruleMemory().snapshot()),
      down: sorted(this.health.downMemory().snapshot()),
    }
  }

  close(): void {
    this.health.close()
  }
}

function leadsToTheSame(first: Config, steps: readonly Step[]): void {
  const [byParts, afresh] = [new Life(true), new Life(false)]
  for (const step of [{ kind: 'reload' as const, config: first, meanwhile: [] }, ...steps]) {
    byParts.take(step)
    afresh.take(step)
    assert.deepEqual(byParts.seen(), afresh.seen())
  }
  byParts.close()
  afresh.close()
}

/** Each check of each server with this interval. */
function withInterval(read: Config, interval: number): Config {
  return withReals(read, one => ({
    ...one,
    checks: one.checks.map(each => ({ ...each, policy: { ...each.policy, interval } })),
  }))
}

/** The servers of this host with this weight: the others of their services stay. */
function withWeight(read: Config, host: string, weight: number): Config {
  return withReals(read, one =>
    one.host === host ? { ...one, attributes: { ...one.attributes, weight } } : one,
  )
}

/** The real servers stay. */
function withDamping(read: Config, damping: Damping | null): Config {
  return { ...read, services: read.services.map(one => ({ ...one, damping })) }
}

function withReals(read: Config, change: (one: Real) => Real): Config {
  return { ...read, services: read.services.map(one => ({ ...one, reals: one.reals.map(change) })) }
}

function overrideOf(effect: Effect): Override {
  return { effect, source: 'command', who: 'anna', reason: '', since: 0, until: null }
}

/** The order in which they are kept says nothing. */
function sorted(saved: Iterable<unknown>): readonly string[] {
  return [...saved].map(one => JSON.stringify(one)).sort()
}

/** Without this key: the share of a slow start is of the last look at it, which is due when the weight that follows changes. */
function plain(value: unknown, left?: string): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === left ? undefined : inner)))
}

describe('a reload by parts', () => {
  it('leads to the same as a reload with new objects alone: table, jobs, health, rules, events', () => {
    fc.assert(fc.property(anyConfig, fc.array(anyStep, { maxLength: 25 }), leadsToTheSame), { numRuns: 200 })
  })

  it('leads to the same where damping is removed from a held server and set again', () => {
    const web = (damping: Damping | null, checks: Real['checks']) =>
      config([service('web', { damping, reals: [real('fd00:1::3', { checks })] })]) as Config
    leadsToTheSame(web(DAMPING, [use('on')]), [
      { kind: 'flap', job: 0 },
      { kind: 'result', job: 0, ok: false },
      { kind: 'reload', config: web(null, [use('on')]), meanwhile: [] },
      // The same configuration again, with the same objects or new ones.
      { kind: 'name', host: 'www1', last: 0 },
      { kind: 'reload', config: web(DAMPING, []), meanwhile: [] },
    ])
  })

  it('looks again at servers whose check has changed in the file of its kind', () => {
    const site = config([service('web', { reals: [real('fd00:1::1', { checks: [use('own')] })] })]) as Config
    const steps: Step[] = [
      { kind: 'reload', config: site, meanwhile: [] },
      { kind: 'result', job: 0, ok: true },
      { kind: 'wind', ms: 500 },
      { kind: 'kinds', which: 1 },
    ]
    const life = new Life(true)
    for (const step of steps) life.take(step)
    const [web] = life.config.services
    const standing = web?.reals[0] && life.health.store.standingOf(web.reals[0])
    assert.equal(standing?.state, 'unknown')
    life.close()
  })

  it('has the jobs of a start with the new configuration', () => {
    fc.assert(
      fc.property(fc.array(anyConfig, { minLength: 1, maxLength: 5 }), configs => {
        const life = new Life(true)
        for (const next of configs) life.take({ kind: 'reload', config: next, meanwhile: [] })
        const fresh = jobsOf(structuredClone(life.config), life.checks ?? new Map())
        assert.deepEqual([...life.health.store.jobs], [...fresh.jobs])
        life.close()
      }),
    )
  })
})
