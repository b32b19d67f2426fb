import assert from 'node:assert/strict'
import fc from 'fast-check'
import { arranged } from '../../../src/web/arrange.js'

interface Item {
  readonly name: string
  readonly rank: number
}

const arrangement = { textOf: ({ name }: Item) => name, rankOf: ({ rank }: Item) => rank }
const items = fc.array(fc.record({ name: fc.string(), rank: fc.nat(5) }))

describe('a list of the page', () => {
  it('has the lowest rank first, else the order that it was given', () =>
    fc.assert(
      fc.property(items, list =>
        assert.deepEqual(
          arranged(list, '', arrangement),
          list.toSorted((a, b) => a.rank - b.rank),
        ),
      ),
    ))

  it('has what matches each word of the filter, without regard to case', () => {
    const list = ['web down 503', 'WEB up', 'mail down'].map(name => ({ name, rank: 0 }))
    const shown = (filter: string) => arranged(list, filter, arrangement).map(({ name }) => name)
    assert.deepEqual(shown('web'), ['web down 503', 'WEB up'])
    assert.deepEqual(shown(' Down  WEB '), ['web down 503'])
    assert.deepEqual(shown('nothing'), [])
  })
})
