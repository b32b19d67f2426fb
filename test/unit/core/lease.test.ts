import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  afterAnswer,
  afterConnect,
  type LeaseAnswer,
  type LeaseQuestion,
  type LeaseState,
  leaseHolderOf,
  questionOf,
} from '../../../src/core/lease.js'

const LENGTH = 5000
const EVERY = 500

/** What the script does, and what Redis does with its keys. */
class Redis {
  isAway = false
  #lease: { id: string; token: number; until: number } | null = null
  #token: number | null = null

  put(id: string, question: LeaseQuestion, now: number): LeaseAnswer {
    const isForgotten = this.#token === null
    if (this.#lease && this.#lease.until <= now) this.#lease = null
    const isMine = this.#lease?.id === id
    if (question === 'release') {
      if (isMine) this.#lease = null
    } else if (this.#lease && isMine) this.#lease.until = now + LENGTH
    else if (!this.#lease && (question === 'take' || (question === 'take if remembered' && !isForgotten))) {
      this.#token = (this.#token ?? 0) + 1
      this.#lease = { id, token: this.#token, until: now + LENGTH }
    }
    const { token = 0 } = this.#lease ?? {}
    return { holder: this.#lease && { id: this.#lease.id, host: this.#lease.id, token }, isForgotten }
  }

  flush(): void {
    this.#lease = null
    this.#token = null
  }
}

class Director {
  readonly id: string
  state: LeaseState
  isDead = false
  isCutOff = false
  isAble = true
  #wasAway = true

  constructor(id: string) {
    this.id = id
    this.state = { role: 'standby', waitUntil: null }
  }

  ask(redis: Redis, now: number): void {
    if (this.isDead) return
    if (redis.isAway || this.isCutOff) {
      this.#wasAway = true
      return
    }
    if (this.#wasAway) this.state = afterConnect(this.state, now, LENGTH)
    this.#wasAway = false
    const answer = redis.put(this.id, questionOf(this.state, now, this.isAble), now)
    this.state = afterAnswer(this.state, answer, { own: this.id, now, length: LENGTH })
  }

  restart(): void {
    this.state = { role: 'standby', waitUntil: null }
    this.#wasAway = true
    this.isDead = false
  }
}

class Site {
  readonly redis = new Redis()
  readonly directors = ['a', 'b', 'c'].map(id => new Director(id))
  now = 0

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += EVERY)
      for (const director of this.directors) director.ask(this.redis, this.now)
  }

  get active(): readonly string[] {
    return this.directors.filter(one => !one.isDead && one.state.role === 'active').map(({ id }) => id)
  }
}

type Fault =
  | readonly ['kill' | 'restart' | 'cut' | 'join' | 'unable' | 'able', number]
  | readonly ['away' | 'back' | 'flush', 0]

const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.tuple(fc.constantFrom('kill', 'restart', 'cut', 'join', 'unable', 'able'), fc.nat(2)),
  fc.tuple(fc.constantFrom('away', 'back', 'flush'), fc.constant(0 as const)),
) as fc.Arbitrary<Fault>

function hit(site: Site, [kind, which]: Fault): void {
  const director = site.directors[which] as Director
  if (kind === 'kill') director.isDead = true
  else if (kind === 'restart') director.restart()
  else if (kind === 'cut' || kind === 'join') director.isCutOff = kind === 'cut'
  else if (kind === 'able' || kind === 'unable') director.isAble = kind === 'able'
  else if (kind === 'flush') site.redis.flush()
  else site.redis.isAway = kind === 'away'
}

describe('lease', () => {
  it('makes one director active', () => {
    const site = new Site()
    site.run(3 * LENGTH)
    assert.equal(site.active.length, 1)
  })

  it('gives the role to another one within the length of the lease after a kill', () => {
    const site = new Site()
    site.run(3 * LENGTH)
    const [first] = site.active
    for (const one of site.directors) one.isDead = one.id === first
    site.run(LENGTH + EVERY)
    assert.equal(site.active.length, 1)
    assert.notEqual(site.active[0], first)
  })

  it('leaves the role where it is while Redis is away, and after it has lost its data', () => {
    fc.assert(
      fc.property(
        fc.nat(60_000),
        fc.boolean(),
        fc.array(fc.nat(3000), { minLength: 3, maxLength: 3 }),
        (ms, isFlushed, late) => {
          const site = new Site()
          site.run(3 * LENGTH)
          const before = site.active
          site.redis.isAway = true
          site.run(ms)
          assert.deepEqual(site.active, before)
          site.redis.isAway = false
          if (isFlushed) site.redis.flush()
          // They find Redis again one after the other.
          for (const one of site.directors) one.isCutOff = true
          for (let at = 0; at <= 4000; at += 500) {
            for (const [i, one] of site.directors.entries()) one.isCutOff = at < (late[i] ?? 0)
            site.run(500)
          }
          site.run(2 * LENGTH)
          assert.deepEqual(site.active, before)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('has the same active director after the data is lost in between', () => {
    const site = new Site()
    site.run(3 * LENGTH)
    const before = site.active
    site.redis.flush()
    site.run(2 * LENGTH)
    assert.deepEqual(site.active, before)
  })

  it('moves no role to and fro while no director can serve', () => {
    const site = new Site()
    site.run(3 * LENGTH)
    const before = site.active
    for (const one of site.directors) one.isAble = false
    for (let i = 0; i < 20; i++) {
      site.run(LENGTH)
      assert.deepEqual(site.active, before)
    }
  })

  it('has one active director after any faults, as soon as they are over', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(faults, fc.nat(2 * LENGTH)), { maxLength: 30 }), steps => {
        const site = new Site()
        for (const [fault, ms] of steps) {
          hit(site, fault)
          site.run(ms)
        }
        site.redis.isAway = false
        for (const one of site.directors) {
          one.isCutOff = false
          one.isAble = true
        }
        site.run(4 * LENGTH)
        const living = site.directors.filter(({ isDead }) => !isDead)
        assert.equal(site.active.length, living.length > 0 ? 1 : 0)
      }),
    )
  })

  it('reads the value of the key', () => {
    assert.deepEqual(leaseHolderOf('ab12 7 host.example'), { id: 'ab12', token: 7, host: 'host.example' })
    for (const text of ['', 'ab12', 'ab12 x host', 'ab12 7 two words'])
      assert.equal(leaseHolderOf(text), null)
  })
})
