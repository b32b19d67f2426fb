import assert from 'node:assert/strict'
import fc from 'fast-check'
import { configChanges } from '../../../src/core/config-changes.js'
import type { Config } from '../../../src/core/model.js'
import { sharedWith, unsharedIn } from '../../../src/core/shared-config.js'
import { config, real, service, serviceId, use } from '../../support/tables.js'

const anyReal = fc
  .record({
    host: fc.constantFrom('fd00:1::a', 'fd00:1::b', 'fd00:1::c'),
    weight: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ host, weight }) => real(host, { weight, checks: [use('on', { request: `${weight % 2}` })] }))
const anyService = fc
  .record({
    name: fc.constantFrom('web', 'mail', 'dns'),
    port: fc.constantFrom(80, 81, 82),
    quiescent: fc.boolean(),
    reals: fc.uniqueArray(anyReal, { selector: ({ host }) => host }),
  })
  .map(({ name, port, ...own }) => service(name, { id: serviceId('2001:db8::80', port), ...own }))
const anyConfig = fc
  .uniqueArray(anyService, { comparator: (a, b) => a.name === b.name || portOf(a) === portOf(b) })
  .map(services => config(services) as Config)

function portOf({ virtual }: Config['services'][number]): number {
  return virtual.kind === 'address' ? virtual.port : 0
}

describe('shared-config: a configuration of the objects of the one before', () => {
  it('is equal to the new one, and frozen', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (before, after) => {
        const shared = sharedWith(before, after)
        assert.deepEqual(shared, after)
        assert.ok(Object.isFrozen(shared) && Object.isFrozen(shared.services))
      }),
    )
  })

  it('has each equal service and real server as the same object', () => {
    fc.assert(
      fc.property(anyConfig, before => {
        const copy = structuredClone(before)
        const shared = sharedWith(before, copy)
        assert.deepEqual(unsharedIn(shared, before), [])
        const [first, ...others] = copy.services
        if (!first) return
        const changed = sharedWith(before, {
          ...copy,
          services: [{ ...first, quiescent: !first.quiescent }, ...others],
        })
        assert.deepEqual(unsharedIn(changed, before), [changed.services[0]])
        for (const [i, one] of (changed.services[0]?.reals ?? []).entries())
          assert.equal(one, before.services[0]?.reals[i])
      }),
    )
  })

  it('tells the same changes as two configurations without a common object', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (before, after) => {
        assert.deepEqual(configChanges(before, sharedWith(before, after)), configChanges(before, after))
      }),
    )
  })

  it('does not take a value of a class, which may differ where it does not show, for an equal one', () => {
    const withOption = (value: unknown) =>
      config([service('web', { reals: [real('fd00:1::a', { checks: [use('on', { value })] })] })])
    const before = withOption(/a/)
    const after = withOption(/b/)
    assert.equal(sharedWith(before, after).services[0]?.reals[0], after.services[0]?.reals[0])
  })
})
