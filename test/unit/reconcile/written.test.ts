import assert from 'node:assert/strict'
import type { Change, TableService } from '../../../src/core/model.js'
import { WrittenEntries } from '../../../src/reconcile/written.js'
import { serviceId, tableReal } from '../../support/tables.js'

const id = serviceId('2001:db8::80')
const SERVICE = 'tcp [2001:db8::80]:80'
const REAL = '[fd00::1]:80'
const entry = tableReal('fd00::1', { weight: 5 })
const add: Change = { op: 'add-real', id, real: entry }
const remove: Change = { op: 'delete-real', id, was: entry }

describe('written: what lvsd last wrote to the table', () => {
  it('is the last write of each entry: its weight, or that it was removed', () => {
    const written = new WrittenEntries()
    assert.equal(written.of(SERVICE, REAL), null)
    written.note([add], 10)
    assert.deepEqual(written.of(SERVICE, REAL), { at: 10, weight: 5, isEarlier: false })
    written.note([{ op: 'set-real', id, was: entry, real: { ...entry, weight: 0 } }], 20)
    assert.deepEqual(written.of(SERVICE, REAL), { at: 20, weight: 0, isEarlier: false })
    written.note([remove], 30)
    assert.deepEqual(written.of(SERVICE, REAL), { at: 30, weight: null, isEarlier: false })
    written.note([add], 40)
    assert.deepEqual(written.of(SERVICE, REAL), { at: 40, weight: 5, isEarlier: false })
  })

  it('goes with the service', () => {
    const written = new WrittenEntries()
    written.note([add], 10)
    written.note([{ op: 'delete-service', id, was: { id, reals: new Map() } as never }], 20)
    assert.equal(written.of(SERVICE, REAL), null)
  })

  it('forgets the oldest removed entries', () => {
    const written = new WrittenEntries()
    for (let i = 1; i <= 1001; i++)
      written.note([{ op: 'delete-real', id, was: tableReal(`fd00::${i.toString(16)}`) }], i)
    assert.equal(written.of(SERVICE, REAL), null)
    assert.deepEqual(written.of(SERVICE, '[fd00::2]:80'), { at: 2, weight: null, isEarlier: false })
  })

  describe('after a restart', () => {
    const other = '[fd00::2]:80'
    const entries = (weight: number) => new Map([[REAL, { ...entry, weight }]])
    /** The next run, 100 ms after the last one, which finds this table. */
    const restarted = (found: ReadonlyMap<string, typeof entry> | null) => {
      const first = new WrittenEntries()
      first.note([add, { op: 'delete-real', id, was: tableReal('fd00::2') }], 10)
      const next = new WrittenEntries()
      const section = next.memory(() => 5000)
      for (const value of first.memory(() => 40).snapshot())
        section.restore(JSON.parse(JSON.stringify(value)), 100)
      next.settle(new Map(found ? [[SERVICE, { reals: found } as TableService]] : []))
      return next
    }

    it('is what the earlier run wrote, with its age, where the kernel still holds that', () => {
      const next = restarted(entries(5))
      assert.deepEqual(next.of(SERVICE, REAL), { at: 4870, weight: 5, isEarlier: true })
      assert.deepEqual(next.of(SERVICE, other), { at: 4870, weight: null, isEarlier: true })
      next.note([remove], 5001)
      assert.deepEqual(next.of(SERVICE, REAL), { at: 5001, weight: null, isEarlier: false })
    })

    it('is not known where the table contradicts it', () => {
      assert.equal(restarted(entries(4)).of(SERVICE, REAL), null)
      assert.equal(restarted(new Map()).of(SERVICE, REAL), null)
      assert.equal(restarted(new Map([[other, entry]])).of(SERVICE, other), null)
      assert.equal(restarted(null).of(SERVICE, other), null)
    })

    it('leaves out what is not a write', () => {
      const { restore } = new WrittenEntries().memory(() => 0)
      for (const value of [null, {}, ['a', 'b', 'c', 1], [1, 'b', 2, 3]])
        assert.throws(() => restore(value, 0))
    })
  })
})
