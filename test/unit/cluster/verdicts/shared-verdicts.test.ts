/** What a director asks, and what it says to the others: after reloads, and with others that come and go. */
import assert from 'node:assert/strict'
import { SharedVerdicts } from '../../../../src/cluster/verdicts/shared-verdicts.js'
import type { Question, Said, Vote } from '../../../../src/cluster/verdicts/verdict-types.js'
import type { CheckResult } from '../../../../src/core/model.js'
import { failed, passed } from '../../../support/tables.js'

const SETTINGS = { observers: 1, agree: 'majority', heartbeat: 1000 } as const
const INTERVAL = 2000
const TIMEOUT = 500
/** Milliseconds after which a verdict without a result is withdrawn. */
const LIMIT = INTERVAL + TIMEOUT + SETTINGS.heartbeat
const UP: Vote = { state: 'up', found: null }
const DOWN: Vote = { state: 'down', found: null }

const question = (job: string, key = job): Question => ({
  ...{ job, key, interval: INTERVAL, timeout: TIMEOUT, services: ['web'] },
})

interface Others {
  knows?(): boolean
  isSame?(config: string, service: string): boolean
}

function director({ knows = () => true, isSame = () => true }: Others = {}) {
  let now = 100_000
  const placed: string[][] = []
  const heardOf: string[][] = []
  const shared: SharedVerdicts = new SharedVerdicts({
    self: { id: 'self', host: 'self', instance: 'i' },
    config: () => 'c',
    isAble: () => true,
    isSame,
    knows,
    now: () => now,
    onAsk: jobs => placed.push([...jobs]),
    onVotes: jobs => heardOf.push([...jobs]),
    onSay: () => {},
    onOutlier: () => {},
  })
  const beats = new Map<string, number>()
  return {
    shared,
    placed,
    heardOf,
    wait(ms: number) {
      now += ms
      shared.look()
    },
    /** Another director says this. */
    hear(id: string, votes: readonly (readonly [string, Vote])[] = [], part: Partial<Said> = {}) {
      const version = (beats.get(id) ?? 0) + 1
      beats.set(id, version)
      const head = {
        id,
        host: id,
        instance: id,
        version,
        heartbeat: null,
        oldest: null,
        isAble: true,
        config: 'c',
      }
      const all: Said = { ...head, base: null, votes, gone: [], ...part }
      if (!shared.heard(all)) shared.loaded(all)
    },
    say(job: string, result: CheckResult = passed()) {
      shared.say(job, result.ok ? 'up' : 'down', result, true)
    },
  }
}

/** A question that the other director asks, and this one hears of only. */
function heardOnly(
  made: ReturnType<typeof director>,
  other = 'other',
  more: readonly Question[] = [],
): string {
  const all = Array.from({ length: 20 }, (_, i) => question(`job ${i}`, `key-${i}`))
  made.shared.follow(SETTINGS, [...all, ...more])
  made.hear(
    other,
    all.map(({ key }) => [key, UP] as const),
  )
  const found = all.find(({ job }) => made.shared.planOf(job) === null)
  assert.ok(found)
  return found.job
}

describe('SharedVerdicts', () => {
  it('has a question asked again that is no longer shared', () => {
    const made = director()
    const job = heardOnly(made)
    made.placed.length = 0
    made.shared.follow(SETTINGS, [question('another')])
    assert.equal(made.shared.planOf(job), undefined)
    assert.ok(made.placed.flat().includes(job))
  })

  it('withdraws what it has said of a question that gets another job, as by another password', () => {
    const made = director()
    made.shared.follow(SETTINGS, [question('password=a', 'k')])
    made.say('password=a')
    const said = made.shared.toSay()
    assert.deepEqual(
      said.votes.map(([key]) => key),
      ['k'],
    )
    made.shared.told(said)
    made.shared.follow(SETTINGS, [question('password=b', 'k')])
    assert.deepEqual(made.shared.toSay().gone, ['k'])
  })

  it('tells everything anew after sharing was off', () => {
    const made = director()
    made.shared.follow(SETTINGS, [question('job', 'k')])
    made.say('job')
    const said = made.shared.toSay()
    made.shared.told(said)
    made.shared.follow(null, [])
    made.shared.follow(SETTINGS, [question('job', 'k')])
    assert.notEqual(made.shared.toSay().base, said.version)
  })

  it('places a job that was not shared before, and one whose question has changed', () => {
    const made = director()
    const job = heardOnly(made)
    made.shared.follow(SETTINGS, [question('another')])
    made.placed.length = 0
    const key = job.replace('job ', 'key-')
    made.shared.follow(SETTINGS, [question(job, key), question('another')])
    assert.equal(made.shared.planOf(job), null)
    assert.ok(made.placed.flat().includes(job), 'shared again')
    // It asked under another name of the question; now it hears only.
    made.shared.follow(SETTINGS, [question(job, 'changed')])
    assert.ok(made.shared.planOf(job))
    made.placed.length = 0
    made.shared.follow(SETTINGS, [question(job, key)])
    assert.equal(made.shared.planOf(job), null)
    assert.ok(made.placed.flat().includes(job), 'changed')
  })

  it('does not wait for ever for observers that come and go', () => {
    const made = director()
    const settings = { ...SETTINGS, observers: 2 }
    made.shared.follow(settings, [question('job', 'k')])
    made.say('job')
    made.say('job', failed())
    // The other one is never there long enough to say something.
    let state: string | null = 'up'
    for (let at = 0; at < 2 * LIMIT; at += 1500) {
      made.hear('other')
      made.say('job', failed())
      if (at === 0) assert.equal(made.shared.agreed('job', 'up'), 'up')
      made.wait(SETTINGS.heartbeat + 100)
      made.hear('other')
      state = made.shared.agreed('job', 'up')
      made.wait(400)
    }
    assert.equal(state, 'down')
  })

  it('takes the heartbeat of the other director for its time', () => {
    const made = director()
    const job = heardOnly(made)
    const beat = { base: 1, version: 2, heartbeat: 5000 }
    made.hear('other', [], beat)
    made.wait(5000)
    assert.equal(made.shared.planOf(job), null)
    made.wait(1)
    assert.ok(made.shared.planOf(job))
  })

  it('knows how many verdicts each director has, and how old the oldest is', () => {
    const made = director()
    const shares = () =>
      made.shared.snapshot()?.shares.map(({ host, verdicts, oldest }) => [host, verdicts, oldest])
    made.shared.follow({ ...SETTINGS, observers: 2 }, [question('a'), question('b')])
    assert.deepEqual(shares(), [['self', 0, null]])
    made.say('a')
    made.wait(300)
    made.say('b')
    made.hear('other', [['a', UP]], { oldest: 40 })
    made.wait(200)
    assert.deepEqual(shares(), [
      ['self', 2, 500],
      ['other', 1, 240],
    ])
    assert.equal(made.shared.toSay().oldest, 500)
    made.say('a')
    assert.deepEqual(shares()?.[0], ['self', 2, 200])
  })

  it('forgets what it cannot read: it asks by itself', () => {
    const made = director()
    const job = heardOnly(made)
    made.shared.mayHaveMissed()
    // Signs of life, but its verdicts cannot be read.
    for (let at = 0; at < 3 * SETTINGS.heartbeat; at += 250) {
      const head = {
        id: 'other',
        host: 'other',
        instance: 'other',
        heartbeat: null,
        oldest: null,
        isAble: true,
        config: 'c',
      }
      made.shared.heard({ ...head, version: 7, base: 7, votes: [], gone: [] })
      made.wait(250)
    }
    assert.ok(made.shared.planOf(job))
  })

  it('chooses observers anew when the services of another director become known or unknown', () => {
    let isKnown = true
    const made = director({ knows: () => isKnown, isSame: (_, service) => isKnown && service === 'web' })
    const first = { ...question('first'), services: ['differs'] }
    const all = Array.from({ length: 20 }, (_, i) => question(`job ${i}`, `key-${i}`))
    made.shared.follow(SETTINGS, [first, ...all])
    const votes = all.map(({ key }) => [key, UP] as const)
    made.hear('other', votes, { config: 'd' })
    const job = all.find(each => made.shared.planOf(each.job) === null)?.job
    assert.ok(job)
    isKnown = false
    made.wait(250)
    assert.ok(made.shared.planOf(job))
  })

  it('takes a changed verdict of a director that has as many as there may be', () => {
    const made = director()
    made.shared.follow({ ...SETTINGS, observers: 2 }, [question('job', 'k')])
    const many = Array.from({ length: 29_999 }, (_, i) => [`x${i}`, UP] as const)
    made.hear('other', [['k', UP], ...many])
    const head = {
      id: 'other',
      host: 'other',
      instance: 'other',
      heartbeat: null,
      oldest: null,
      isAble: true,
      config: 'c',
    }
    assert.ok(made.shared.heard({ ...head, version: 2, base: 1, votes: [['k', DOWN]], gone: [] }))
    assert.deepEqual(
      made.shared.viewOf('job').map(({ state }) => state),
      ['down'],
    )
  })

  it('tells directors apart whose hosts have the same name', () => {
    const made = director()
    made.shared.follow({ ...SETTINGS, observers: 3 }, [question('job', 'k')])
    made.hear('0123456789abcdef', [['k', UP]], { host: 'vm' })
    made.hear('fedcba9876543210', [['k', UP]], { host: 'vm' })
    made.hear('other', [['k', UP]])
    const hosts = ['vm (012345)', 'vm (fedcba)', 'other']
    assert.deepEqual(
      made.shared.viewOf('job').map(({ host }) => host),
      hosts,
    )
    assert.equal(made.shared.found('job', 'up').detail, `the check passes; asked by ${hosts.join(', ')}`)
  })
})
