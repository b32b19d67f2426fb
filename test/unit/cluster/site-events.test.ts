import assert from 'node:assert/strict'
import { eventOf } from '../../../src/cluster/site-events.js'

const EVENT = { id: 1, time: '2026-11-29T04:00:00Z', level: 'warn', event: 'real.down', msg: 'x', host: 'a' }

describe('site-events: entries of a newer lvsd', () => {
  it('are shown with their further fields', () => {
    const more = { ...EVENT, zone: 'b' }
    assert.deepEqual(eventOf(['1-0', ['schema', '2', 'event', JSON.stringify(more)]]), more)
  })

  it('are of the level info where theirs is unknown', () => {
    for (const level of ['notice', 'toString'])
      assert.equal(eventOf(['1-0', ['event', JSON.stringify({ ...EVENT, level })]])?.level, 'info')
  })

  it('are left out where they are no events', () => {
    const texts = ['2', 'null', '[]', 'no JSON', JSON.stringify({ ...EVENT, host: 1 })]
    for (const text of texts) assert.equal(eventOf(['1-0', ['event', text]]), null, text)
    for (const entry of [null, ['1-0'], ['1-0', []], ['1-0', ['schema', '2']]])
      assert.equal(eventOf(entry), null, JSON.stringify(entry))
  })
})
