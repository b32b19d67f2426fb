import assert from 'node:assert/strict'
import { Disputes } from '../../../src/core/disputes.js'

describe('disputes: a service that another program changes', () => {
  const WEB = 'tcp [2001:db8::80]:80'

  /** One letter for each reading: `x` with two changes, `.` without. */
  function play(letters: string) {
    const disputes = new Disputes()
    const told: string[] = []
    for (const [i, letter] of [...letters].entries()) {
      const { begun, over } = disputes.read(letter === 'x' ? new Map([[WEB, 2]]) : new Map(), i)
      told.push(...begun.map(({ changes }) => `begun at ${i}, ${changes}`), ...over.map(() => `over at ${i}`))
    }
    return { told, current: disputes.current, isOn: disputes.has(WEB) }
  }

  const cases: [letters: string, told: string[], what: string][] = [
    ['xx', [], 'is an accident at first'],
    ['xxx', ['begun at 2, 6'], 'is a dispute after three readings'],
    ['x..x...x', ['begun at 7, 6'], 'whatever quiet ones lie between'],
    ['xxxxxxxx', ['begun at 2, 6'], 'is told once'],
    ['x..........x..........x', [], 'is none where it happens now and then'],
    ['xxx..........', ['begun at 2, 6', 'over at 12'], 'is over after ten quiet readings'],
  ]
  for (const [letters, told, what] of cases) it(what, () => assert.deepEqual(play(letters).told, told))

  it('is counted while the changes continue', () => {
    const { current, isOn } = play('xxxxx')
    assert.deepEqual(
      current.map(({ service, since, changes }) => [service, since, changes]),
      [[WEB, 0, 10]],
    )
    assert.equal(isOn, true)
    assert.deepEqual(play('x').current, [])
  })
})
