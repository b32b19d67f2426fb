import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  LONGEST_MESSAGE,
  type SentSaid,
  saidOf,
  textOf,
} from '../../../../src/cluster/verdicts/verdict-text.js'

const SAID: SentSaid = {
  id: 'a1',
  host: 'berlin-1',
  instance: 'f00',
  version: 3,
  base: 2,
  heartbeat: 5000,
  oldest: 1234,
  isAble: true,
  config: 'c0ffee',
  votes: [
    ['k1', { state: 'up', found: null }],
    ['k2', { state: 'down', found: { reason: 'refused', phase: 'connect', detail: 'connection refused' } }],
    ['k3', { state: 'own', found: null }],
  ],
  gone: ['k4'],
  at: 1_700_000_000_000,
}

describe('verdict-text', () => {
  it('is read as it was written', () => {
    assert.deepEqual(saidOf(textOf(SAID), false), SAID)
  })

  it('is no text of an observer where a newer lvsd wrote it; further fields are left out', () => {
    const value = JSON.parse(textOf(SAID))
    assert.equal(saidOf(JSON.stringify({ ...value, schema: 2, votes: [{ key: 'k1' }] }), true), null)
    assert.deepEqual(saidOf(JSON.stringify({ ...value, more: [1] }), true), SAID)
  })

  it('has no age of the oldest verdict where an older lvsd wrote it', () => {
    const value = JSON.parse(textOf(SAID))
    for (const oldest of [undefined, 'x', -1, null])
      assert.deepEqual(saidOf(JSON.stringify({ ...value, oldest }), true), { ...SAID, oldest: null })
  })

  it('has no heartbeat where an older lvsd wrote it, or where it is none that may be', () => {
    const value = JSON.parse(textOf(SAID))
    for (const heartbeat of [undefined, 'x', -1, 1e9])
      assert.deepEqual(saidOf(JSON.stringify({ ...value, heartbeat }), true), { ...SAID, heartbeat: null })
  })

  it('takes control characters out of what people will read, and shortens it', () => {
    const detail = `\u001b[31m${'x'.repeat(500)}`
    const found = { reason: 'refused', phase: null, detail }
    const read = saidOf(textOf({ ...SAID, host: 'a\nb', votes: [['k', { state: 'down', found }]] }), false)
    assert.equal(read?.host, 'a b')
    const text = read?.votes[0]?.[1].found?.detail ?? ''
    assert.ok(text.length <= 120 && text.startsWith('·[31mx'), text)
  })

  it('is null for whatever no director writes, and never throws', () => {
    const value = JSON.parse(textOf(SAID)) as Record<string, unknown>
    for (const key of Object.keys(value).filter(name => !['heartbeat', 'oldest'].includes(name))) {
      for (const wrong of [undefined, {}, [[]], -1, 'x'.repeat(300), [['k', 'd', '\u0007', null, '']]]) {
        const text = JSON.stringify({ ...value, [key]: wrong })
        // A name may be any short text.
        if (typeof wrong !== 'string' || wrong.length > 256) assert.equal(saidOf(text, false), null, text)
      }
    }
    assert.equal(saidOf(`${textOf(SAID)}${' '.repeat(LONGEST_MESSAGE)}`, false), null)
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => assert.equal(saidOf(text, true), null)),
      { numRuns: 300 },
    )
  })
})
