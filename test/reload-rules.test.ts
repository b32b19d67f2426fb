import assert from 'node:assert/strict'
import { removals } from '../src/reload-rules.js'
import { config, real, service, serviceId } from './helpers/tables.js'

const REALS = ['fd00:1::a', 'fd00:1::b', 'fd00:1::c'].map(host => real(host))
const site = (name: string, count: number) => config([service(name, { reals: REALS.slice(0, count) })])

describe('what a configuration takes away', () => {
  it('counts real servers that are gone', () => {
    assert.deepEqual(removals(site('web', 3), site('web', 1)), { removed: 2, before: 3 })
  })

  it('counts all of a service that is gone', () => {
    assert.deepEqual(removals(site('web', 3), config([])), { removed: 3, before: 3 })
  })

  it('does not count a service that only has another name', () => {
    assert.deepEqual(removals(site('web', 3), site('www', 3)), { removed: 0, before: 3 })
  })

  it('counts a service that moves to another address', () => {
    const moved = config([service('web', { id: serviceId('2001:db8::81'), reals: REALS })])
    assert.deepEqual(removals(site('web', 3), moved), { removed: 3, before: 3 })
  })
})
