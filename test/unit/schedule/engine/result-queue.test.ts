import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { FullResult } from '../../../../src/schedule/engine/protocol.js'
import { MOST_IN_A_TURN, REPEATS_FOR_ONE, ResultQueue } from '../../../../src/schedule/engine/result-queue.js'
import { onCleanup } from '../../../support/after-each.js'
import { passed } from '../../../support/tables.js'

const full = (from: number, count: number): readonly FullResult[] =>
  Array.from({ length: count }, (_, i) => ({ job: from + i, run: 1, result: passed(), delay: 0 }))

/** Results without news of these jobs, each with the time of one phase. */
const repeats = (...jobs: readonly number[]) => Float64Array.from(jobs.flatMap(job => [job, 0, 1, 1, 1]))

/** What was taken, and in which turn. */
function rig() {
  let turn = 0
  const turns = new Map<number, number>()
  const order: (number | string)[] = []
  const queue = new ResultQueue(({ repeats, full: some, deferred }) => {
    for (let at = 0; repeats && at < repeats.length; at += 4 + (repeats[at + 3] ?? 0))
      order.push(`repeats ${repeats[at]}`)
    for (const { job } of some) order.push(job)
    for (const job of deferred) order.push(`deferred ${job}`)
    turns.set(turn, (turns.get(turn) ?? 0) + some.length)
  })
  let next = globalThis.setImmediate(function count() {
    turn++
    next = globalThis.setImmediate(count)
  })
  onCleanup(() => clearImmediate(next))
  const wait = async (count: number) => {
    for (let i = 0; i < count; i++) await setImmediate()
  }
  return { queue, order, turns, wait }
}

describe('result-queue', () => {
  it('takes few results at once', () => {
    const { queue, order } = rig()
    queue.add({ repeats: repeats(7), full: full(1, 3), deferred: [9] })
    assert.deepEqual(order, ['repeats 7', 1, 2, 3, 'deferred 9'])
  })

  it('holds no memory of numbers that are taken', () => {
    const { queue } = rig()
    const numbers = repeats(7)
    queue.add({ repeats: numbers, full: [], deferred: [] })
    assert.equal(numbers.byteLength, 0)
  })

  it('takes many in several turns, in their order with what comes later', async () => {
    const { queue, order, turns, wait } = rig()
    queue.add({ repeats: repeats(7), full: full(1, 150), deferred: [9] })
    queue.add({ repeats: repeats(8), full: full(151, 10), deferred: [] })
    assert.equal(order.length, MOST_IN_A_TURN)
    await wait(5)
    const jobs = Array.from({ length: 160 }, (_, i) => i + 1)
    assert.deepEqual(order, [
      'repeats 7',
      ...jobs.slice(0, 150),
      'deferred 9',
      'repeats 8',
      ...jobs.slice(150),
    ])
    assert.ok(
      [...turns.values()].every(count => count <= MOST_IN_A_TURN),
      `${[...turns]}`,
    )
  })

  it('takes no more than that in a turn in which a message comes and immediates run', async () => {
    const { queue, order, wait } = rig()
    queue.add({ repeats: null, full: full(1, 200), deferred: [] })
    await wait(1)
    assert.equal(order.length, MOST_IN_A_TURN)
    await wait(1)
    assert.equal(order.length, 2 * MOST_IN_A_TURN)
    await wait(3)
    assert.equal(order.length, 200)
  })

  it('takes no more than that of several messages in one turn', async () => {
    const { queue, order, wait } = rig()
    for (let i = 0; i < 10; i++) queue.add({ repeats: null, full: full(i * 20, 20), deferred: [] })
    assert.equal(order.length, MOST_IN_A_TURN)
    await wait(5)
    assert.equal(order.length, 200)
  })

  it('takes thousands without news in several turns, before what may be news', async () => {
    const { queue, order, wait } = rig()
    const most = MOST_IN_A_TURN * REPEATS_FOR_ONE
    const jobs = Array.from({ length: 2.5 * most }, (_, i) => i)
    const numbers = repeats(...jobs)
    queue.add({ repeats: numbers, full: full(9000, 1), deferred: [9] })
    assert.equal(order.length, most)
    assert.equal(numbers.length, 5 * jobs.length)
    await wait(5)
    assert.deepEqual(order, [...jobs.map(job => `repeats ${job}`), 9000, 'deferred 9'])
    assert.equal(numbers.byteLength, 0)
  })

  it('takes none after the end', async () => {
    const { queue, order, wait } = rig()
    queue.add({ repeats: null, full: full(1, 100), deferred: [] })
    queue.clear()
    await wait(3)
    assert.equal(order.length, MOST_IN_A_TURN)
  })
})
