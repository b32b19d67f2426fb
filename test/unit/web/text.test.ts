import assert from 'node:assert/strict'
import { dayText, fullTime, tableText, timeText } from '../../../src/web/text.js'
import { onCleanup } from '../../support/after-each.js'

const AT = '2026-11-28T14:03:05.000Z'

describe('text of the page: times', () => {
  const zones: [zone: string, full: string][] = [
    ['UTC', '2026-11-28 14:03:05 UTC'],
    ['Asia/Tokyo', '2026-11-28 23:03:05 +09:00'],
    ['America/St_Johns', '2026-11-28 10:33:05 -03:30'],
  ]
  for (const [zone, full] of zones)
    it(`are those of the reader, and whole ones name the zone: ${zone}`, () => {
      const { TZ } = process.env
      onCleanup(() => {
        if (TZ === undefined) delete process.env.TZ
        else process.env.TZ = TZ
      })
      process.env.TZ = zone
      assert.equal(fullTime(AT), full)
      assert.equal(dayText(AT), `${full.slice(0, 10)}, ${full.slice(20)}`)
      assert.equal(timeText(AT, Date.parse('2026-12-24T12:00:00Z')), full.slice(0, 19))
    })
})

describe('text of the page: the table', () => {
  it('does not take each lvsd with its table in memory for a demo', () => {
    assert.equal(tableText('memory'), 'in memory: no packet goes by it')
    assert.equal(tableText('netlink'), "the kernel's IPVS table")
  })
})
