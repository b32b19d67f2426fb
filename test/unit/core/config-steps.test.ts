import assert from 'node:assert/strict'
import fc from 'fast-check'
import { stepsTo } from '../../../src/core/config-steps.js'
import { type Config, keyAsWritten, type ResolvedService, type Service } from '../../../src/core/model.js'
import { config, real, service, serviceId } from '../../support/tables.js'

const web = (
  i: number,
  {
    reals = 3,
    port = 80,
    ...parts
  }: { reals?: number; port?: number } & Partial<Omit<ResolvedService, 'reals'>> = {},
) =>
  service(`web${i}`, {
    id: serviceId(`2001:db8::${i + 1}`, port),
    reals: Array.from({ length: reals }, (_, j) => real(`fd00:${i + 1}::${j + 1}`)),
    ...parts,
  })

const some = fc
  .uniqueArray(
    fc.record({
      i: fc.nat(9),
      reals: fc.nat(6),
      port: fc.constantFrom(80, 80, 80, 81),
      part: fc.constantFrom(false, false, false, true),
    }),
    { selector: ({ i }) => i, maxLength: 10 },
  )
  .map(all =>
    all.map(({ i, part, ...parts }) =>
      web(i, { ...parts, ...(part && { part: { of: 'web', first: 'web0' } }) }),
    ),
  )

function differing(
  { services }: Pick<Config, 'services'>,
  from: Pick<Config, 'services'>,
): readonly Service[] {
  return services.filter(one => !from.services.includes(one))
}

describe('config-steps: leads from one configuration to another', () => {
  it('ends with the next one, through configurations in which each service stands once, as before or as next', () => {
    fc.assert(
      fc.property(some, some, fc.integer({ min: 1, max: 12 }), (before, next, most) => {
        const [from, to] = [config(before), config(next)]
        const steps: readonly Config[] = [...stepsTo(from, to, most)]
        assert.equal(steps.at(-1), to)
        let last: Pick<Config, 'services'> = from
        for (const step of steps.slice(0, -1)) {
          assert.deepEqual(
            step.services.map(one => [one.name, keyAsWritten(one.virtual)]),
            before.map(one => [one.name, keyAsWritten(one.virtual)]),
          )
          assert.ok(step.services.every(one => before.includes(one as never) || next.includes(one as never)))
          const changed = differing(step, last)
          assert.ok(changed.length > 0 && changed.every(one => next.includes(one as never)))
          const size = changed.reduce(
            (sum, one) =>
              sum +
              Math.max(one.reals.length, before.find(({ name }) => name === one.name)?.reals.length ?? 0),
            0,
          )
          assert.ok(size <= most || changed.filter(({ reals }) => reals.length > 0).length <= 1, `${size}`)
          last = step
        }
      }),
    )
  })

  it('is one step if little changes, or nothing was there before', () => {
    const many = config(Array.from({ length: 9 }, (_, i) => web(i)))
    const other = config([web(0), ...many.services.slice(1)])
    assert.deepEqual([...stepsTo(many, other, 5)], [other])
    assert.deepEqual([...stepsTo(null, many, 5)], [many])
  })

  it('is several steps if every service changes', () => {
    const all = (quiescent: boolean) => config(Array.from({ length: 9 }, (_, i) => web(i, { quiescent })))
    const [before, next] = [all(false), all(true)]
    const counts = [...stepsTo(before, next, 6)].map(
      step => step.services.filter(one => next.services.includes(one as never)).length,
    )
    assert.deepEqual(counts, [2, 4, 6, 8, 9])
  })
})
