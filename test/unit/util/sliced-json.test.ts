import assert from 'node:assert/strict'
import fc from 'fast-check'
import { writingJson } from '../../../src/util/sliced-json.js'
import { runSync } from '../../../src/util/time-slice.js'

const anyDocument = fc.anything({ withDate: true, withNullPrototype: true, withObjectString: true })

describe('sliced-json: a document in steps', () => {
  it('is what JSON.stringify writes', () => {
    fc.assert(
      fc.property(anyDocument, fc.nat(5), (value, levels) => {
        fc.pre(value !== undefined)
        assert.equal(runSync(writingJson(value, levels)).toString(), JSON.stringify(value))
      }),
    )
  })

  it('is encoded in pieces: a letter of several bytes, or of two halves, is whole', () => {
    const document = {
      names: Array.from({ length: 3000 }, (_, i) => `${'x'.repeat(i % 100)}é${'\u{1f600}'.repeat(i % 7)}`),
    }
    assert.deepEqual(JSON.parse(runSync(writingJson(document)).toString()), document)
  })

  it('is written at most 33 real servers at a step', () => {
    const services = Array.from({ length: 3 }, (_, i) => ({
      name: `web${i}`,
      reals: Array.from({ length: 1000 }, (_, j) => ({ name: `[fd00::${j}]:80`, checks: [{ state: 'up' }] })),
    }))
    let steps = 0
    for (const work = writingJson({ services }); !work.next().done; ) steps++
    assert.ok(steps >= 3000 / 33, `${steps}`)
  })
})
