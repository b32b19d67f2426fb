import assert from 'node:assert/strict'
import fc from 'fast-check'
import { applied, diff, pick } from '../../../src/core/diff.js'
import { type Change, keyOfService, type Table } from '../../../src/core/model.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { anyTable, serviceId, table, tableReal, tableService } from '../../support/tables.js'

const ID = serviceId('2001:db8::80')
const everything = (...tables: Table[]) => new Set(tables.flatMap(entry => [...entry.keys()]))
const ops = (changes: readonly Change[]) => changes.map(change => change.op)

describe('diff: the difference of two tables', () => {
  it('is nothing between a table and itself', () => {
    fc.assert(fc.property(anyTable, one => assert.deepEqual(diff(one, one, everything(one)), [])))
  })

  it('leads from the actual to the desired table', () => {
    fc.assert(
      fc.property(anyTable, anyTable, (wanted, actual) => {
        const changes = diff(wanted, actual, everything(wanted, actual))
        assert.deepEqual(new Map(applied(actual, changes)), new Map(wanted))
      }),
    )
  })

  it('is accepted by the kernel’s rules in its order, from any table to any other', async () => {
    await fc.assert(
      fc.asyncProperty(anyTable, anyTable, async (wanted, actual) => {
        const kernel = memoryKernel()
        await kernel.apply(diff(actual, new Map(), new Set()))
        const outcomes = await kernel.apply(diff(wanted, actual, everything(wanted, actual)))
        assert.deepEqual(
          outcomes.filter(outcome => outcome !== null),
          [],
        )
        assert.deepEqual((await kernel.dump()).table, new Map(wanted))
      }),
      { numRuns: 60 },
    )
  })

  it('leaves services of others alone', () => {
    const foreign = table(tableService(ID, [tableReal('fd00:1::1')]))
    assert.deepEqual(diff(new Map(), foreign, new Set()), [])
    assert.deepEqual(ops(diff(new Map(), foreign, everything(foreign))), ['delete-service'])
  })

  it('never takes traffic from a service before what replaces it is in', () => {
    fc.assert(
      fc.property(anyTable, anyTable, (wanted, actual) => {
        let now = actual
        for (const change of diff(wanted, actual, everything(wanted, actual))) {
          now = applied(now, [change])
          for (const [key, service] of wanted) {
            const serves = (entry: Table) =>
              [...(entry.get(key)?.reals.values() ?? [])].some(r => r.weight > 0)
            if (serves(actual) && serves(wanted))
              assert.ok(serves(now), `${keyOfService(service.id)} is left empty`)
          }
        }
      }),
    )
  })

  it('adds and raises before it lowers and removes', () => {
    const before = table(
      tableService(ID, [tableReal('fd00:1::1'), tableReal('fd00:1::2'), tableReal('fd00:1::3')]),
    )
    const after = table(
      tableService(ID, [
        tableReal('fd00:1::1', { weight: 0 }),
        tableReal('fd00:1::3', { weight: 9 }),
        tableReal('fd00:1::4'),
      ]),
    )
    const changes = diff(after, before, everything(before))
    assert.deepEqual(ops(changes), ['set-real', 'add-real', 'set-real', 'delete-real'])
    assert.deepEqual(
      changes.map(change => ('real' in change ? change.real.weight : null)),
      [9, 1, 0, null],
    )
  })

  it('changes nothing that it was given', () => {
    const before = table(tableService(ID, [tableReal('fd00:1::1')]))
    const copy = structuredClone(before)
    applied(before, diff(new Map(), before, everything(before)))
    applied(before, [{ op: 'delete-real', id: ID, was: tableReal('fd00:1::1') }])
    assert.deepEqual(before, copy)
  })

  it('picks services by identity', () => {
    const both = table(tableService(ID, []), tableService(serviceId('2001:db8::81'), []))
    assert.deepEqual([...pick(both, [ID, serviceId('2001:db8::99')]).keys()], ['tcp [2001:db8::80]:80'])
  })
})
