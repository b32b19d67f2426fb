import assert from 'node:assert/strict'
import { diff } from '../../../src/core/diff.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { serviceId, table, tableReal, tableService } from '../../support/tables.js'

const WEB = serviceId('2001:db8::80')
const A = tableReal('fd00:1::a')
const B = tableReal('fd00:1::b', { weight: 2 })

async function stage(reals = [A, B]) {
  const time = { now: 0 }
  const kernel = memoryKernel(undefined, { rate: 3, now: () => time.now })
  const put = async (next = reals) => {
    const wanted = table(tableService(WEB, next))
    const { table: held } = await kernel.dump()
    await kernel.apply(diff(wanted, held, new Set(held.keys())))
  }
  await put()
  const dumped = async () => {
    const { reals: counters } = await kernel.dump()
    return [...counters].map(([key, { active }]) => [key.split(' ').at(-1), active])
  }
  return { kernel, time, put, dumped }
}

describe('active counts', () => {
  it('are those of a dump, by real server', async () => {
    const { kernel, time, dumped } = await stage()
    for (const seconds of [0, 20, 100]) {
      time.now = 1000 * seconds
      const { reals, counts } = kernel.active(WEB)
      assert.deepEqual(
        reals.map((key, i) => [key, counts[i]]),
        await dumped(),
      )
      assert.equal(
        counts.some(count => count > 0),
        seconds > 0,
      )
    }
  })

  it('are the same object while nothing changes, with the same keys while the real servers are the same', async () => {
    const { kernel, time, put } = await stage()
    const first = kernel.active(WEB)
    assert.equal(kernel.active(WEB), first)
    time.now = 20_000
    const later = kernel.active(WEB)
    assert.notEqual(later, first)
    assert.equal(later.reals, first.reals)
    await put([A])
    assert.deepEqual(kernel.active(WEB).reals, ['[fd00:1::a]:80'])
  })

  it('have the counters of a dump beside them', async () => {
    const { kernel, time } = await stage()
    time.now = 20_000
    const { reals, flowOf } = kernel.active(WEB)
    const { reals: counted } = await kernel.dump()
    const expected = [...counted.values()].map(c => [c.connections, c.inPackets, c.outPackets])
    assert.deepEqual(
      reals.map((_, i) => Object.values(flowOf(i))),
      expected,
    )
    assert.ok(expected.flat().some(count => count > 0))
  })

  it('are none for a service that does not exist', () => {
    assert.deepEqual(memoryKernel().active(WEB).reals, [])
  })
})
