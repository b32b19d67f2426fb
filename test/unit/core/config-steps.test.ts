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

function areAllDifferent(values: readonly string[]): boolean {
  return new Set(values).size === values.length
}

describe('config-steps: leads from one configuration to another', () => {
  it('ends with the next one, through configurations of services as before or as next, each with its own name and address', () => {
    fc.assert(
      fc.property(some, some, fc.integer({ min: 1, max: 12 }), (before, next, most) => {
        const [from, to] = [config(before), config(next)]
        const steps: readonly Config[] = [...stepsTo(from, to, most)]
        assert.equal(steps.at(-1), to)
        let last: Pick<Config, 'services'> = from
        for (const step of steps.slice(0, -1)) {
          assert.ok(areAllDifferent(step.services.map(({ name }) => name)))
          assert.ok(areAllDifferent(step.services.map(({ virtual }) => keyAsWritten(virtual))))
          assert.ok(step.services.every(one => before.includes(one as never) || next.includes(one as never)))
          // A service that stays, or that others may be a part of, is in each step.
          for (const { name } of before)
            if (next.some(one => one.name === name)) assert.ok(step.services.some(one => one.name === name))
          const changed = [...differing(step, last), ...differing(last, step)]
          assert.ok(changed.length > 0)
          assert.ok(differing(step, last).every(one => next.includes(one as never)))
          const sizes = new Map<string, number>()
          for (const { name, reals } of changed) sizes.set(name, Math.max(sizes.get(name) ?? 0, reals.length))
          const size = [...sizes.values()].reduce((sum, one) => sum + one, 0)
          assert.ok(size <= most || [...sizes.values()].filter(one => one > 0).length <= 1, `${size}`)
          last = step
        }
      }),
    )
  })

  it('keeps the order of what stays until the last step', () => {
    fc.assert(
      fc.property(some, some, (before, next) => {
        const names = (services: readonly Service[]) => services.map(({ name }) => name)
        for (const { services } of [...stepsTo(config(before), config(next), 1)].slice(0, -1)) {
          const now = names(services)
          const stay = names(before).filter(name => now.includes(name))
          assert.deepEqual(now.slice(0, stay.length), stay)
        }
      }),
    )
  })

  it('lets thousands of servers come and go in several steps', () => {
    const all = Array.from({ length: 9 }, (_, i) => web(i))
    const [half, whole] = [config(all.slice(0, 3)), config(all)]
    const counts = (from: Config, to: Config) => [...stepsTo(from, to, 6)].map(step => step.services.length)
    assert.deepEqual(counts(half, whole), [5, 7, 9])
    assert.deepEqual(counts(whole, half), [7, 5, 3])
  })

  it('lets a service keep its address until another has it, under any name', () => {
    const [a, b] = [web(0), web(1)]
    const renamed = { ...b, name: 'other' }
    for (const [from, to] of [
      [
        [a, b],
        [{ ...a }, renamed],
      ],
      [
        [a, renamed],
        [{ ...a }, b],
      ],
    ] as const)
      for (const { services } of stepsTo(config(from), config(to), 1))
        assert.deepEqual(
          services.map(({ virtual }) => keyAsWritten(virtual)),
          [a, b].map(({ virtual }) => keyAsWritten(virtual)),
        )
  })

  it('lets no service come or go before the last step where an address is a name, which may be the same address', () => {
    const virtual = { ...web(5).virtual, host: 'www.example' } as Service['virtual']
    const named = { ...web(5), id: null, virtual }
    const [from, to] = [config([web(0), web(1), named]), config([web(0), web(2), named])]
    assert.deepEqual([...stepsTo(from, to, 1)], [to])
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
