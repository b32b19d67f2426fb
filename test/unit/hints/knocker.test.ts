import assert from 'node:assert/strict'
import { parseAddress } from '../../../src/core/address.js'
import { type Hint, KNOCK_EVERY, KNOCKS_PER_SECOND } from '../../../src/core/hints.js'
import type { CheckResult } from '../../../src/core/model.js'
import type { AskedEndpoint } from '../../../src/hints/endpoints.js'
import { Knocker } from '../../../src/hints/knocker.js'
import type { TcpEvents } from '../../../src/hints/tcp.js'
import { endpointsFrom } from '../../support/endpoints.js'
import { FakeClock } from '../../support/fake-clock.js'

const address = parseAddress('2001:db8::1') as NonNullable<ReturnType<typeof parseAddress>>
const resultOf = (
  ok: boolean | null,
  reason: CheckResult['reason'] = null,
  phase: CheckResult['phase'] = 'connect',
): CheckResult => ({ ok, reason, detail: '', phase, ms: 1, phases: [] })
const REFUSED = resultOf(false, 'refused')

function rig(count = 1) {
  const clock = new FakeClock()
  const hints: (Hint & { ids: readonly string[] })[] = []
  const knocks: (TcpEvents & { port: number; at: number; dropped: boolean[] })[] = []
  const knocker = new Knocker({
    clock,
    tcp: {
      connect: ({ port }, _source, on) => {
        const made = { ...on, port, at: clock.now(), dropped: [] as boolean[] }
        knocks.push(made)
        return { drop: (isReset = false) => void made.dropped.push(isReset) }
      },
    },
    sourceOf: () => null,
    onHint: (ids, hint) => void hints.push({ ids, ...hint }),
  })
  const endpoints = Array.from(
    { length: count },
    (_, i): AskedEndpoint => ({ key: `${i}`, address, port: i + 1, source: undefined, ids: [`job ${i}`] }),
  )
  knocker.follow(endpointsFrom(endpoints))
  return { clock, hints, knocks, knocker }
}

describe('knocker: a server that refuses', () => {
  it('is knocked on every 200 ms, until a check finds something else', () => {
    const { clock, knocks, knocker } = rig()
    const begun = clock.now()
    knocker.result('job 0', REFUSED)
    clock.wind(1000)
    assert.deepEqual(
      knocks.map(({ at }) => at - begun),
      [200, 400, 600, 800, 1000],
    )
    assert.equal(knocker.isKnocking('job 0'), true)
    for (const { ended } of knocks) ended('ECONNREFUSED')
    knocker.result('job 0', resultOf(null, 'no-verdict'))
    assert.equal(knocker.isKnocking('job 0'), true)
    knocker.result('job 0', resultOf(false, 'timeout', 'body'))
    clock.wind(10_000)
    assert.equal(knocks.length, 5)
    assert.equal(clock.alarms, 0)
  })

  it('is knocked on too if it is silent, until it accepts connections and answers none', () => {
    const { clock, knocks, knocker } = rig()
    knocker.result('job 0', resultOf(false, 'timeout'))
    clock.wind(400)
    assert.equal(knocks.length, 2)
    knocks[1]?.opened()
    knocker.result('job 0', resultOf(false, 'timeout', 'body'))
    clock.wind(10_000)
    assert.equal(knocks.length, 2)
  })

  it('is a hint as soon as it accepts, and the connection is reset', () => {
    const { clock, hints, knocks, knocker } = rig()
    knocker.result('job 0', REFUSED)
    clock.wind(200)
    knocks[0]?.opened()
    assert.deepEqual(hints, [
      { ids: ['job 0'], kind: 'knock', detail: 'the server accepts connections again', isRecovery: true },
    ])
    assert.deepEqual(knocks[0]?.dropped, [true])
    knocker.result('job 0', resultOf(true))
    clock.wind(10_000)
    assert.equal(knocks.length, 1)
  })

  it('has one knock on its way: one that hangs is dropped at the next turn', () => {
    const { clock, knocks, knocker } = rig()
    knocker.result('job 0', REFUSED)
    clock.wind(400)
    assert.deepEqual(
      knocks.map(({ dropped }) => dropped),
      [[true], []],
    )
  })

  it('is looked up as soon as a connection fails, not before', () => {
    const { knocker } = rig()
    let asked = 0
    const of = () => {
      asked++
      return undefined
    }
    knocker.follow({ of, like: of })
    knocker.result('job 0', resultOf(true))
    knocker.result('job 0', resultOf(false, 'unexpected'))
    assert.equal(knocker.isKnocking('job 0'), false)
    assert.equal(asked, 0)
    knocker.result('job 0', REFUSED)
    assert.equal(asked, 1)
  })

  it('is a hint for the jobs that ask it now, after a reload', () => {
    const { clock, hints, knocks, knocker } = rig()
    knocker.result('job 0', REFUSED)
    clock.wind(200)
    const ids = ['job A', 'job B']
    knocker.follow(endpointsFrom([{ key: '0', address, port: 1, source: undefined, ids }]))
    knocks[0]?.opened()
    assert.deepEqual(hints[0]?.ids, ['job A', 'job B'])
    clock.wind(200)
    knocks[1]?.opened()
    assert.deepEqual(hints[1]?.ids, ['job A', 'job B'])
  })

  it('is left alone where knocking is off, and after a close', () => {
    const { clock, knocks, knocker } = rig()
    knocker.result('job 0', REFUSED)
    knocker.follow(endpointsFrom([]))
    knocker.result('job 0', REFUSED)
    clock.wind(10_000)
    assert.equal(knocks.length, 0)
    const other = rig()
    other.knocker.result('job 0', REFUSED)
    other.knocker.close()
    other.clock.wind(10_000)
    assert.equal(other.knocks.length, 0)
  })
})

describe('knocker: many servers that refuse', () => {
  it('have their turns within the limit of the director', () => {
    const { clock, knocks, knocker } = rig(200)
    for (let i = 0; i < 200; i++) knocker.result(`job ${i}`, REFUSED)
    // The first turn is that of one server alone.
    clock.wind(KNOCK_EVERY)
    const before = knocks.length
    clock.wind(4000)
    assert.equal(knocks.length - before, 4 * KNOCKS_PER_SECOND)
    assert.ok(new Set(knocks.map(({ port }) => port)).size >= 199)
  })
})
