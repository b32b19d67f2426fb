import assert from 'node:assert/strict'
import fc from 'fast-check'
import { diff } from '../../../src/core/diff.js'
import { keyOfService } from '../../../src/core/model.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { anyTable, serviceId, table, tableReal, tableService } from '../../support/tables.js'

const NONE = new Set<string>()
const WEB = serviceId('2001:db8::80')
const MAIL = serviceId('2001:db8::25', 25)
const A = tableReal('fd00:1::a')
const B = tableReal('fd00:1::b', { weight: 2 })

/** A memory table with two services, of which another program changes one. */
async function stage() {
  const kernel = memoryKernel()
  await kernel.apply(diff(table(tableService(WEB, [A, B]), tableService(MAIL, [B])), new Map(), NONE))
  const { table: first } = await kernel.look()
  const again = async () => {
    const { table: next } = await kernel.look()
    return [WEB, MAIL].map(keyOfService).map(key => next.get(key) === first.get(key))
  }
  return { kernel, again }
}

describe('table look: what has changed since the last reading', () => {
  it('is the table that a dump reads, whatever was there before', async () => {
    await fc.assert(
      fc.asyncProperty(anyTable, anyTable, async (before, after) => {
        const kernel = memoryKernel()
        for (const [from, to] of [
          [new Map(), before],
          [before, after],
        ] as const) {
          await kernel.apply(diff(to, from, new Set(from.keys())))
          const { table: seen } = await kernel.look()
          assert.deepEqual(seen, (await kernel.dump()).table)
          assert.deepEqual((await kernel.look()).table, seen)
        }
      }),
    )
  })

  it('costs what it takes to wake up and to read', async () => {
    const { kernel } = await stage()
    assert.ok((await kernel.look()).cost > 0.13)
  })

  it('lets the event loop run while a service with twelve thousand servers is decoded', async () => {
    const reals = Array.from({ length: 12_000 }, (_, i) => tableReal(`fd00:2::${(i + 1).toString(16)}`))
    const kernel = memoryKernel()
    await kernel.apply(diff(table(tableService(WEB, reals)), new Map(), NONE))
    let turns = 0
    const count = () => {
      turns++
      next = setImmediate(count)
    }
    let next = setImmediate(count)
    const members = await kernel.reals(WEB)
    clearImmediate(next)
    assert.equal(members.size, reals.length)
    assert.ok(turns > 0)
  })

  it('returns the same services while nothing changes', async () => {
    const { again } = await stage()
    assert.deepEqual(await again(), [true, true])
  })

  const changes: Record<string, Parameters<ReturnType<typeof memoryKernel>['apply']>[0]> = {
    'a weight': [{ op: 'set-real', id: WEB, real: { ...B, weight: 9 }, was: B }],
    'a real server less': [{ op: 'delete-real', id: WEB, was: A }],
    'a real server more': [{ op: 'add-real', id: WEB, real: tableReal('fd00:1::c') }],
  }
  for (const [what, change] of Object.entries(changes))
    it(`returns another object for the service with ${what}, and only for that`, async () => {
      const { kernel, again } = await stage()
      await kernel.byHand.apply(change)
      assert.deepEqual(await again(), [false, true])
    })

  it('notices a deleted service, and one that has other attributes', async () => {
    const { kernel, again } = await stage()
    const [service] = [...(await kernel.dump()).table.values()]
    assert.ok(service)
    const web = (await kernel.dump()).table.get(keyOfService(WEB))
    assert.ok(web)
    await kernel.byHand.apply([
      { op: 'set-service', id: WEB, service: { ...web, scheduler: 'rr' }, was: web },
      { op: 'delete-service', id: MAIL, was: service },
    ])
    assert.deepEqual(await again(), [false, false])
    const { table: seen } = await kernel.look()
    assert.deepEqual(
      [...seen.values()].map(({ scheduler }) => scheduler),
      ['rr'],
    )
  })

  it('reads the services alone: as they are, and none of their real servers', async () => {
    const { kernel } = await stage()
    const names = () => [...kernel.lookAtServices().services.keys()].sort()
    const { services, cost } = kernel.lookAtServices()
    assert.ok(cost > 0.13)
    assert.deepEqual(names(), [WEB, MAIL].map(keyOfService).sort())
    await kernel.byHand.apply([{ op: 'delete-real', id: WEB, was: A }])
    assert.equal(kernel.lookAtServices().services, services)
    await kernel.byHand.apply([{ op: 'delete-service', id: MAIL, was: tableService(MAIL, [B]) }])
    assert.deepEqual(names(), [keyOfService(WEB)])
    const { table: seen } = await kernel.look()
    assert.deepEqual(seen, (await kernel.dump()).table)
  })

  it('does not notice counters', async () => {
    let time = 0
    const now = () => {
      time += 1000
      return time
    }
    const kernel = memoryKernel(undefined, { rate: 100_000, now })
    await kernel.apply(diff(table(tableService(WEB, [A, B])), new Map(), NONE))
    const dumped = async () => JSON.stringify([...(await kernel.dump()).reals])
    const before = [(await kernel.look()).table.get(keyOfService(WEB)), await dumped()]
    const after = [(await kernel.look()).table.get(keyOfService(WEB)), await dumped()]
    assert.notEqual(after[1], before[1])
    assert.equal(after[0], before[0])
  })
})
