import assert from 'node:assert/strict'
import { INTAKE, takeSome } from '../../../../src/schedule/engine/intake.js'

/** `each`: milliseconds that a message takes. */
function intakeOf(messages: readonly string[], each: number) {
  const waiting = messages.map(message => ({ message }))
  const taken: string[] = []
  let now = 100
  const intake = {
    receive: () => waiting.shift(),
    take: (message: string) => {
      taken.push(message)
      now += each
    },
    now: () => now,
  }
  return { intake, taken }
}

describe('engine: orders that it takes at a turn', () => {
  it('are all that wait, if they take little time', () => {
    const { intake, taken } = intakeOf(['a', 'b', 'c'], INTAKE / 4)
    assert.equal(takeSome(intake), false)
    assert.deepEqual(taken, ['a', 'b', 'c'])
  })

  it('are those of its time, and the others come at the next turns', () => {
    const { intake, taken } = intakeOf(['a', 'b', 'c'], INTAKE / 2)
    assert.equal(takeSome(intake), true)
    assert.deepEqual(taken, ['a', 'b'])
    assert.equal(takeSome(intake), false)
    assert.deepEqual(taken, ['a', 'b', 'c'])
  })

  it('are one, however long it takes', () => {
    const { intake, taken } = intakeOf(['a', 'b'], 10 * INTAKE)
    assert.equal(takeSome(intake), true)
    assert.deepEqual(taken, ['a'])
  })

  it('are none, if none wait', () => {
    assert.equal(takeSome(intakeOf([], 1).intake), false)
  })
})
