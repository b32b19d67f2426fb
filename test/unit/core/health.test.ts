import assert from 'node:assert/strict'
import fc from 'fast-check'
import { combine, isChanging, nextHealth, unknownHealth } from '../../../src/core/health.js'
import type { HealthState } from '../../../src/core/model.js'
import { failed, passed } from '../../support/tables.js'

/** Plays letters: `+` passes, `-` fails, `?` gives no verdict. */
function play(letters: string, policy: { rise: number; fall: number }, isInService = false) {
  const results = { '+': passed(), '-': failed(), '?': failed('no-verdict') }
  return [...letters].reduce(
    (health, letter, i) => nextHealth(health, results[letter as '+'], policy, i + 1, isInService),
    unknownHealth(0),
  )
}

describe('health', () => {
  const cases: [string, number, number, HealthState, number, string][] = [
    ['', 2, 3, 'unknown', 0, 'is unknown before any result'],
    ['+', 3, 3, 'up', 0, 'is up at once after a first pass'],
    ['-', 3, 3, 'down', 0, 'is down at once after a first failure'],
    ['?', 1, 1, 'unknown', 0, 'stays unknown without a verdict'],
    ['+-', 1, 3, 'up', 1, 'stays up after fewer failures than fall'],
    ['+--+--', 1, 3, 'up', 2, 'counts failures in a row only'],
    ['+---', 1, 3, 'down', 0, 'is down after fall failures in a row'],
    ['-+', 2, 1, 'down', 1, 'stays down after fewer passes than rise'],
    ['-++', 2, 1, 'up', 0, 'is up after rise passes in a row'],
    ['+--?-', 1, 3, 'down', 0, 'neither counts nor clears where there was no verdict'],
  ]
  for (const [letters, rise, fall, state, streak, what] of cases)
    it(what, () => {
      const health = play(letters, { rise, fall })
      assert.deepEqual([health.state, health.streak, isChanging(health)], [state, streak, streak > 0])
    })

  const inService: [string, number, number, HealthState, number, string][] = [
    ['-', 1, 3, 'unknown', 1, 'stays unknown after fewer failures than fall'],
    ['--', 1, 3, 'unknown', 2, 'counts the failures'],
    ['-?-', 1, 3, 'unknown', 2, 'neither counts nor clears where there was no verdict'],
    ['---', 1, 3, 'down', 0, 'is down after fall failures'],
    ['--+', 3, 3, 'up', 0, 'is up with the first pass, whatever rise says'],
    ['--+--', 3, 3, 'up', 2, 'counts anew after a pass'],
    ['-', 1, 1, 'down', 0, 'is down after one failure where fall is 1'],
  ]
  describe('of a server that the kernel has in service', () => {
    for (const [letters, rise, fall, state, streak, what] of inService)
      it(what, () => {
        const health = play(letters, { rise, fall }, true)
        assert.deepEqual([health.state, health.streak], [state, streak])
      })
  })

  it('is the same object when a result is told again that changes nothing', () => {
    const result = passed()
    const policy = { rise: 1, fall: 2 }
    const up = nextHealth(unknownHealth(0), result, policy, 1)
    assert.equal(nextHealth(up, result, policy, 2), up)
    const failing = nextHealth(up, failed(), policy, 3)
    assert.deepEqual(nextHealth(failing, result, policy, 4), up)
    assert.notEqual(nextHealth(up, passed(), policy, 5), up)
  })

  it('of a server in service is down after fall failures in a row, and never before', () => {
    const letters = fc.array(fc.constantFrom('+', '-', '?'), { maxLength: 30 })
    const counts = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(letters, counts, counts, (list, rise, fall) => {
        let failures = 0
        for (const [i, letter] of list.entries()) {
          if (letter !== '?') failures = letter === '-' ? failures + 1 : 0
          const now = play(list.slice(0, i + 1).join(''), { rise, fall }, true).state
          const before = play(list.slice(0, i).join(''), { rise, fall }, true).state
          if (now === 'down' && before !== 'down') assert.equal(failures, fall)
        }
      }),
    )
  })

  it('keeps the reason of the last verdict', () => {
    assert.equal(play('+--?', { rise: 1, fall: 2 }).last?.reason, 'refused')
  })

  it('remembers when it changed, not when it was last seen', () => {
    assert.equal(play('+++--', { rise: 1, fall: 2 }).since, 5)
    assert.equal(play('+++', { rise: 1, fall: 2 }).since, 1)
  })

  it('changes state only after the needed number of results in a row', () => {
    const letters = fc.array(fc.constantFrom('+', '-', '?'), { maxLength: 30 })
    const counts = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(letters, counts, counts, (list, rise, fall) => {
        const health = play(list.join(''), { rise, fall })
        const verdicts = list.filter(letter => letter !== '?')
        assert.equal(health.state === 'unknown', verdicts.length === 0)
        const tail = verdicts.slice(-Math.max(rise, fall))
        if (verdicts.length > 0 && tail.every(letter => letter === '+') && tail.length >= rise)
          assert.equal(health.state, 'up')
        if (verdicts.length > 0 && tail.every(letter => letter === '-') && tail.length >= fall)
          assert.equal(health.state, 'down')
      }),
    )
  })
})

describe('health: several checks of one server', () => {
  const cases: [HealthState[], number, HealthState][] = [
    [[], 0, 'up'],
    [['up', 'up'], 2, 'up'],
    [['up', 'down'], 2, 'down'],
    [['up', 'down'], 1, 'up'],
    [['unknown', 'up'], 2, 'unknown'],
    [['unknown', 'down'], 2, 'down'],
    [['unknown', 'down'], 1, 'unknown'],
  ]
  for (const [states, need, expected] of cases)
    it(`are ${expected} together when ${need} of [${states.join(', ')}] must pass`, () => {
      assert.equal(combine(states, need), expected)
    })
})
