import assert from 'node:assert/strict'
import { intervalBy, ROLE_WORDS, roleOf, SLOW_FACTOR, tableMode } from '../../../src/core/role.js'

describe('role', () => {
  it('decides what is done to the table', () => {
    assert.deepEqual(
      (['same', 'keep', 'empty'] as const).map(table => [
        tableMode('active', table),
        tableMode('standby', table),
      ]),
      [
        ['reconcile', 'reconcile'],
        ['reconcile', 'keep'],
        ['reconcile', 'empty'],
      ],
    )
  })

  it('decides the interval of checks', () => {
    assert.deepEqual(
      (['on', 'slow', 'off'] as const).map(checks => [
        intervalBy('active', checks, 1000),
        intervalBy('standby', checks, 1000),
      ]),
      [
        [1000, 1000],
        [1000, 1000 * SLOW_FACTOR],
        [1000, null],
      ],
    )
  })

  it('knows the words of lvsd, VRRP and Pacemaker, in any case', () => {
    assert.deepEqual(
      ['active', 'MASTER', ' Promoted\n', 'BACKUP', 'Fault', 'STOP', 'Unpromoted', 'slave'].map(roleOf),
      ['active', 'active', 'active', 'standby', 'standby', 'standby', 'standby', 'standby'],
    )
    assert.deepEqual(['', 'actve', 'master backup'].map(roleOf), [null, null, null])
    assert.ok(ROLE_WORDS.every(word => roleOf(word) !== null))
  })
})
