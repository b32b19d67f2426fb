import assert from 'node:assert/strict'
import { type Flow, nextRefusals, type Refusals, refusingOf } from '../../../src/core/refusals.js'

const flow = (connections: number, received = connections, sent = connections): Flow => ({
  connections,
  received,
  sent,
})
/** Looks, each 50 ms after the one before. */
const seen = (...flows: readonly Flow[]): Refusals =>
  flows.reduce<Refusals | undefined>(
    (known, one, i) => nextRefusals(known, one, 50 * i),
    undefined,
  ) as Refusals

describe('refusals: connections of a server', () => {
  it('are refused while each is one packet and one answer', () => {
    const { count, since } = seen(flow(7, 40, 35), flow(7, 40, 35), flow(8, 41, 36), flow(10, 43, 38))
    assert.deepEqual([count, since], [3, 100])
  })

  it('are not refused once another packet has come or gone', () => {
    for (const [received, sent] of [
      [2, 1],
      [1, 2],
      [3, 2],
      [1, 0],
      [2, 0],
    ])
      assert.equal(seen(flow(0), flow(1), flow(1, received, sent)).count, 0)
    assert.equal(seen(flow(0), flow(0, 1, 1)).count, 0)
  })

  it('are counted anew after a packet of an older connection', () => {
    assert.equal(seen(flow(0), flow(1), flow(1, 2, 2), flow(3, 4, 4)).count, 2)
  })

  it('are counted over the end of 32 bits, and anew from counters that were set back', () => {
    assert.equal(seen(flow(-1, -2, 5), flow(1, 0, 7)).count, 2)
    assert.equal(seen(flow(0), flow(5), flow(2)).count, 0)
  })

  it('are forgotten after two seconds', () => {
    let known = seen(flow(0), flow(1))
    known = nextRefusals(known, flow(1), 2050)
    assert.equal(known.count, 1)
    known = nextRefusals(known, flow(1), 2051)
    assert.deepEqual([known.count, known.since], [0, undefined])
  })

  it('are a sign, where those of the neighbours go on', () => {
    const refused = seen(flow(0), flow(1))
    const fine = seen(flow(0), flow(1), flow(1, 4, 3))
    const found = (...all: readonly Refusals[]) =>
      refusingOf(all).map(({ place, since, count }) => `${place} ${since} ${count}`)
    assert.deepEqual(found(fine, refused), ['1 sure 1'])
    assert.deepEqual(found(refused), ['0 sure 1'])
    assert.deepEqual(found(refused, refused, refused), [])
    assert.deepEqual(found(fine, fine), [])
  })
})
