import assert from 'node:assert/strict'
import fc from 'fast-check'
import { VirtualClock } from '../../../src/util/virtual-clock.js'

describe('VirtualClock', () => {
  const run = (clock: VirtualClock, end: number) => {
    while (clock.turn(end));
  }

  it('calls alarms in the order of their times, at their times', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 })), delays => {
        const clock = new VirtualClock({ start: 50 })
        const rung: number[] = []
        for (const ms of delays) clock.alarm(ms, () => rung.push(clock.now()))
        run(clock, 2000)
        assert.deepEqual(
          rung,
          delays.map(ms => 50 + ms).sort((a, b) => a - b),
        )
        assert.equal(clock.now(), 2000)
      }),
    )
  })

  it('calls alarms of the same time in the order in which they were set, whatever else is set', () => {
    const clock = new VirtualClock()
    const called: number[] = []
    for (let i = 0; i < 20; i++) {
      clock.alarm(10, () => void called.push(i))
      clock.alarm(5 + (i % 3), () => {})()
      clock.alarm(5 + (i % 7), () => {})
    }
    while (clock.turn(20)) {}
    assert.deepEqual(
      called,
      Array.from({ length: 20 }, (_, i) => i),
    )
  })

  it('does not call an alarm that is cancelled or lies behind the end', () => {
    const clock = new VirtualClock()
    const rung: string[] = []
    clock.alarm(10, () => rung.push('cancelled'))()
    clock.alarm(20, () => rung.push('due'))
    clock.alarm(31, () => rung.push('later'))
    run(clock, 30)
    assert.deepEqual(rung, ['due'])
    run(clock, 40)
    assert.deepEqual(rung, ['due', 'later'])
  })

  it('calls what waits for the end of reading after all alarms that are due', () => {
    const clock = new VirtualClock()
    const order: string[] = []
    clock.alarm(5, () => {
      clock.afterReading(() => order.push(`deferred at ${clock.now()}`))
      order.push('first')
      clock.spend(10)
    })
    clock.alarm(5, () => order.push('second'))
    clock.alarm(8, () => order.push(`late at ${clock.now()}`))
    run(clock, 100)
    assert.deepEqual(order, ['first', 'second', 'deferred at 15', 'late at 15'])
  })

  it('lets alarms be late by the time that work takes', () => {
    const clock = new VirtualClock()
    const late: number[] = []
    clock.alarm(10, () => clock.spend(100))
    clock.alarm(30, () => late.push(clock.now() - 30))
    run(clock, 1000)
    assert.deepEqual(late, [80])
  })

  it('ends although alarms without end are set at the same time again', () => {
    const clock = new VirtualClock()
    let rings = 0
    const again = () => {
      rings++
      clock.alarm(0, again)
    }
    clock.alarm(0, again)
    run(clock, 100)
    assert.equal(rings, 100)
  })

  it('ends although there is always more to do than time', () => {
    const clock = new VirtualClock()
    const again = () => {
      clock.spend(10)
      clock.afterReading(again)
    }
    clock.alarm(1, again)
    run(clock, 100)
    assert.equal(clock.now(), 101)
  })

  it('has the random numbers of its seed', () => {
    const numbers = (seed: number) => {
      const { random } = new VirtualClock({ seed })
      return Array.from({ length: 1000 }, random)
    }
    assert.deepEqual(numbers(7), numbers(7))
    assert.notDeepEqual(numbers(7), numbers(8))
    assert.ok(numbers(7).every(one => one >= 0 && one < 1))
  })
})
