import assert from 'node:assert/strict'
import type { Change } from '../../../src/core/model.js'
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
    assert.deepEqual(written.of(SERVICE, REAL), { at: 10, weight: 5 })
    written.note([{ op: 'set-real', id, was: entry, real: { ...entry, weight: 0 } }], 20)
    assert.deepEqual(written.of(SERVICE, REAL), { at: 20, weight: 0 })
    written.note([remove], 30)
    assert.deepEqual(written.of(SERVICE, REAL), { at: 30, weight: null })
    written.note([add], 40)
    assert.deepEqual(written.of(SERVICE, REAL), { at: 40, weight: 5 })
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
    assert.deepEqual(written.of(SERVICE, '[fd00::2]:80'), { at: 2, weight: null })
  })
})
