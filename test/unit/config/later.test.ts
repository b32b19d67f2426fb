import assert from 'node:assert/strict'
import { z } from '../../../src/check/option-types.js'
import { formOf, later, mapping } from '../../../src/config/schema/forms.js'

function counted() {
  let times = 0
  const shape = later(() => {
    times++
    return { port: z.int().default(80), name: z.string() }
  })
  return { shape, times: () => times }
}

describe('schema: a shape that is made later', () => {
  it('is not made by a mapping of it, nor by the form of that', () => {
    const { shape, times } = counted()
    const type = mapping('a place', 'a mapping', shape).optional().describe('A place.')
    assert.equal(formOf(type)?.kind, 'mapping')
    assert.equal(times(), 0)
  })

  it('is made once, and has the same keys and types as one that is made at once', () => {
    const { shape, times } = counted()
    assert.deepEqual(Object.keys(shape), ['port', 'name'])
    assert.ok('port' in shape && Object.hasOwn(shape, 'name') && !('host' in shape))
    assert.equal(shape.port, { ...shape }.port)
    assert.deepEqual(Object.entries(shape).length, 2)
    assert.equal(times(), 1)
  })

  it('checks values as any other', () => {
    const type = mapping('a place', 'a mapping', counted().shape)
    assert.deepEqual(type.parse({ name: 'a' }), { port: 80, name: 'a' })
    assert.equal(type.safeParse({ name: 'a', host: 'b' }).success, false)
  })
})
