import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Deadlines } from '../../../src/util/deadlines.js'
import { FakeClock } from '../../support/fake-clock.js'

function stage(longest?: number) {
  const clock = new FakeClock()
  const rung: [at: number, keys: readonly string[]][] = []
  const start = clock.now()
  const deadlines = new Deadlines<string>({
    clock,
    onDue: keys => rung.push([clock.now() - start, keys]),
    ...(longest !== undefined && { longest }),
  })
  const set = (key: string, ms: number | null) => deadlines.set(key, ms === null ? null : start + ms)
  return { clock, deadlines, rung, set, start }
}

describe('deadlines: many times, one timer', () => {
  it('reports each key once at its time, keys with the same time together', () => {
    const { clock, deadlines, rung, set } = stage()
    set('late', 30)
    set('b', 10)
    set('a', 10)
    assert.equal(clock.alarms, 1)
    clock.wind(100)
    assert.deepEqual(
      rung.map(([at, keys]) => [at, [...keys].sort()]),
      [
        [10, ['a', 'b']],
        [30, ['late']],
      ],
    )
    assert.deepEqual([deadlines.size, clock.alarms], [0, 0])
  })

  it('accepts a later time, an earlier time or no time for a key', () => {
    const { clock, rung, set } = stage()
    set('later', 10)
    set('later', 20)
    set('earlier', 50)
    set('earlier', 5)
    set('never', 7)
    set('never', null)
    clock.wind(100)
    assert.deepEqual(rung, [
      [5, ['earlier']],
      [20, ['later']],
    ])
  })

  it('reports the earliest key first after the process was stopped', () => {
    const { clock, rung, set } = stage()
    set('c', 30)
    set('a', 10)
    set('b', 20)
    clock.stop(1000)
    assert.deepEqual(rung, [[1000, ['a', 'b', 'c']]])
  })

  it('reports a past time from the timer, not within `set`', () => {
    const { clock, rung, set } = stage()
    set('past', -5)
    assert.deepEqual(rung, [])
    clock.wind(0)
    assert.deepEqual(rung, [[0, ['past']]])
  })

  it('accepts new times within the callback', () => {
    const clock = new FakeClock()
    let left = 3
    const deadlines: Deadlines<string> = new Deadlines({
      clock,
      onDue: ([key]) => left-- > 1 && deadlines.set(key as string, clock.now() + 10),
    })
    deadlines.set('again', clock.now() + 10)
    clock.wind(100)
    assert.deepEqual([left, deadlines.size, clock.alarms], [0, 0, 0])
  })

  it('continues with the other keys after an exception in the callback', () => {
    const clock = new FakeClock()
    const rung: string[] = []
    const deadlines = new Deadlines<string>({
      clock,
      onDue: keys => {
        rung.push(...keys)
        if (keys[0] === 'bad') throw new Error('bad')
      },
    })
    deadlines.set('bad', clock.now() + 1)
    deadlines.set('good', clock.now() + 2)
    assert.throws(() => clock.wind(1))
    clock.wind(1)
    assert.deepEqual(rung, ['bad', 'good'])
  })

  it('sets no timer longer than the maximum of Node.js', () => {
    const { clock, rung, set } = stage(60)
    set('far', 150)
    const alarms: number[] = []
    const { alarm } = clock
    clock.alarm = (ms, ring) => {
      alarms.push(ms)
      return alarm(ms, ring)
    }
    clock.wind(149)
    assert.deepEqual([alarms, rung], [[60, 30], []])
    clock.wind(1)
    assert.deepEqual(rung, [[150, ['far']]])
  })

  it('has no timer after `clear` and after `close`', () => {
    const { clock, deadlines, rung, set } = stage()
    set('a', 10)
    deadlines.clear()
    assert.deepEqual([clock.alarms, deadlines.size], [0, 0])
    set('a', 10)
    deadlines.close()
    set('b', 5)
    assert.equal(clock.alarms, 0)
    clock.wind(100)
    assert.deepEqual(rung, [])
  })

  it('sets one timer for a thousand later times', () => {
    const { clock, set } = stage()
    let timers = 0
    const { alarm } = clock
    clock.alarm = (ms, ring) => {
      timers++
      return alarm(ms, ring)
    }
    for (let i = 0; i < 1000; i++) set(`${i}`, 10 + i)
    for (let i = 0; i < 1000; i++) set(`${i}`, 20 + i)
    assert.equal(timers, 1)
  })

  it('reports every key at the time set last, for any history', () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      ms: fc.option(fc.integer({ min: 0, max: 50 })),
      wind: fc.integer({ min: 0, max: 20 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { clock, deadlines, rung, start } = stage()
        const expected = new Map<string, number>()
        const told: [string, number][] = []
        const wanted: [string, number][] = []
        for (const { key, ms, wind } of steps) {
          const at = ms === null ? null : clock.now() - start + ms
          deadlines.set(key, at === null ? null : start + at)
          if (at === null) expected.delete(key)
          else expected.set(key, at)
          assert.equal(deadlines.at(key), at === null ? null : start + at)
          clock.wind(wind)
          for (const [one, due] of [...expected].sort((x, y) => x[1] - y[1]))
            if (due <= clock.now() - start) {
              wanted.push([one, due])
              expected.delete(one)
            }
        }
        for (const [at, keys] of rung) told.push(...keys.map((key): [string, number] => [key, at]))
        const order = ([a, x]: [string, number], [b, y]: [string, number]) => x - y || a.localeCompare(b)
        assert.deepEqual(told.sort(order), wanted.sort(order))
        assert.equal(deadlines.size, expected.size)
      }),
    )
  })
})
