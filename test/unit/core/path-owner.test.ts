import assert from 'node:assert/strict'
import fc from 'fast-check'
import { keyOfService, type Table, type TableService } from '../../../src/core/model.js'
import {
  leftServices,
  OWNERS,
  ownerOfTimeout,
  takenByOthers,
  timeoutOfOwner,
} from '../../../src/core/path-owner.js'
import { markedServices, pathOf } from '../../../src/core/service-path.js'
import { real, service, tableReal } from '../../support/tables.js'

const RANGE = { from: 100, count: 8 }
const NOBODY = { range: RANGE, known: new Set<string>(), running: new Set<number>() }

/** As lvsd makes it. */
function marked(mark: number, owner?: number, forwarding: 'gate' | 'masq' = 'gate'): TableService {
  const web = service('web', { reals: [real('fd00:1::a', { forwarding })] })
  const path = web.reals[0] && pathOf(web, web.reals[0])
  assert.ok(path)
  const [made] = markedServices(new Map([[path.key, path]]), new Map([[path.key, mark]]), owner).values()
  assert.ok(made)
  return made
}

const tableOf = (...services: readonly TableService[]): Table =>
  new Map(services.map(each => [keyOfService(each.id), each]))
const marksOf = (ids: readonly { readonly fwmark: number }[]) => ids.map(({ fwmark }) => fwmark)

const other = tableReal('fd00:1::b', { forwarding: 'gate', weight: 1 })
const anyChange = fc.constantFrom<(made: TableService) => TableService>(
  made => ({ ...made, scheduler: 'wrr' }),
  made => ({ ...made, schedulerFlags: ['flag-1'] }),
  made => ({ ...made, persistence: { timeout: 300, prefix: 128, engine: null } }),
  made => ({ ...made, onePacket: !made.onePacket }),
  made => ({ ...made, reals: new Map([...made.reals, ['other', other]]) }),
  ...[{ weight: 2 }, { upper: 9 }, { lower: 3 }].map(change => (made: TableService) => ({
    ...made,
    reals: new Map([...made.reals].map(([key, each]) => [key, { ...each, ...change }])),
  })),
)

describe('core: whose a marked service is', () => {
  it('is in a timeout that no persistence has, and that the kernel keeps at 1,000 ticks a second', () => {
    fc.assert(
      fc.property(fc.nat(OWNERS - 1), owner => {
        const timeout = timeoutOfOwner(owner)
        assert.equal(ownerOfTimeout(timeout), owner)
        assert.ok(timeout > 31 * 86_400 && timeout * 1000 < 2 ** 32)
      }),
    )
    assert.equal(timeoutOfOwner(undefined), 0)
    for (const timeout of [0, 300, 31 * 86_400, timeoutOfOwner(OWNERS - 1) + 1, 2 ** 32 - 1])
      assert.equal(ownerOfTimeout(timeout), undefined)
  })

  it('makes it certainly left only if it is signed, of the form and the marks of lvsd, and nobody has it', () => {
    for (const forwarding of ['gate', 'masq'] as const) {
      const table = tableOf(marked(100, 7, forwarding))
      assert.deepEqual(marksOf(leftServices(table, NOBODY).certain), [100])
    }
    const empty = { ...marked(101, 7), reals: new Map() }
    assert.deepEqual(
      marksOf(leftServices(tableOf(empty), NOBODY).certain),
      [101],
      'killed between two changes',
    )
    const nothing = { certain: [], possible: [] }
    const table = tableOf(marked(100, 7))
    assert.deepEqual(leftServices(table, { ...NOBODY, running: new Set([7]) }), nothing)
    assert.deepEqual(leftServices(table, { ...NOBODY, known: new Set(table.keys()) }), nothing)
  })

  it('is doubtful without a signature, or on a mark of none: that is told and not touched', () => {
    const { certain, possible } = leftServices(
      tableOf(marked(100), marked(99, 7), marked(108, 7), marked(50)),
      NOBODY,
    )
    assert.deepEqual(certain, [])
    assert.deepEqual(marksOf(possible), [100, 99, 108])
  })

  it('is that of another lvsd if this one knows the service, and another that runs has signed it', () => {
    const numbers = fc.nat(4)
    const services = fc.dictionary(
      fc.constantFrom('100', '101', '102', '103'),
      fc.option(numbers, { nil: undefined }),
    )
    fc.assert(
      fc.property(services, numbers, fc.uniqueArray(numbers), (signed, own, others) => {
        const table = tableOf(...Object.entries(signed).map(([mark, owner]) => marked(Number(mark), owner)))
        const known = new Set([...table.keys()].filter((_, i) => i !== 0))
        const taken = takenByOthers(table, { known, running: new Set([...others, own]), own })
        const expected = [...table].filter(
          ([key, { owner }]) =>
            owner !== undefined && known.has(key) && owner !== own && others.includes(owner),
        )
        assert.deepEqual(
          taken.map(id => keyOfService(id)),
          expected.map(([key]) => key),
        )
      }),
    )
  })

  it('is not asked of a service that differs in anything from those of lvsd', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 107 }),
        fc.option(fc.nat(9)),
        anyChange,
        (mark, owner, change) => {
          const changed = change(marked(mark, owner ?? undefined))
          assert.deepEqual(leftServices(tableOf(changed), NOBODY), { certain: [], possible: [] })
        },
      ),
    )
  })
})
