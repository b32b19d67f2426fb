import assert from 'node:assert/strict'
import { comingWindows } from '../../../src/core/coming-windows.js'
import type { MaintenanceWindow } from '../../../src/core/model.js'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-28T17:30Z')
const EVENING: MaintenanceWindow = {
  at: '0 17 * * *',
  zone: 'UTC',
  for: HOUR,
  drain: 0,
  reals: null,
  reason: '',
}
const SUNDAY: MaintenanceWindow = { ...EVENING, at: '0 2 * * sun', reals: ['[fd00::1]:80'] }

describe('coming windows', () => {
  it('are the open ones and the next ones, by their begins, one row for equal windows of several services', () => {
    const services = [
      { name: 'web', windows: [SUNDAY, EVENING] },
      { name: 'mail', windows: [EVENING] },
      { name: 'idle' },
    ]
    const rows = comingWindows(services, NOW, 4).map(({ services, begin, isOpen }) => [
      services.join(),
      new Date(begin).toISOString().slice(0, 13),
      isOpen,
    ])
    assert.deepEqual(rows, [
      ['web,mail', '2026-11-28T17', true],
      ['web', '2026-11-29T02', false],
      ['web,mail', '2026-11-29T17', false],
      ['web,mail', '2026-11-30T17', false],
    ])
  })

  it('are several rows where windows name real servers of their services', () => {
    const services = ['web', 'mail'].map(name => ({ name, windows: [SUNDAY] }))
    const rows = comingWindows(services, NOW, 2)
    assert.deepEqual(
      rows.map(row => row.services),
      [['web'], ['mail']],
    )
  })

  it('are the next of each window, however rare it is, before a second one of any', () => {
    const yearly: MaintenanceWindow = { ...EVENING, at: '0 3 1 6 *' }
    const rows = comingWindows([{ name: 'web', windows: [EVENING, yearly, SUNDAY] }], NOW, 4)
    assert.deepEqual(
      rows.map(({ begin }) => new Date(begin).toISOString().slice(0, 13)),
      ['2026-11-28T17', '2026-11-29T02', '2026-11-29T17', '2027-06-01T03'],
    )
    assert.equal(comingWindows([{ name: 'web', windows: [EVENING, yearly, SUNDAY] }], NOW, 2).length, 2)
  })

  it('are three of a window, however many there is room for', () =>
    assert.equal(comingWindows([{ name: 'web', windows: [EVENING] }], NOW, 10).length, 3))

  it('are none where there are no windows', () =>
    assert.deepEqual(comingWindows([{ name: 'web' }], NOW, 10), []))
})
