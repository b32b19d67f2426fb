/** Who is said to block, and who is not. */
import assert from 'node:assert/strict'
import { BLOCKED, Liveness, SPAWN_LIMIT } from '../../../src/workers/liveness.js'

/** A thread that is silent for so many ticks of 25 ms; in each it uses the processor for `used` ms, or sleeps. */
function silent(pulse: Liveness, ticks: number, used: number | 'asleep'): void {
  let sum = 1000
  for (let i = 0; i < ticks; i++)
    pulse.tick(1, 25, () => {
      sum += used === 'asleep' ? 0 : used
      return { used: sum, isAsleep: used === 'asleep' }
    })
}

function alive(pulse: Liveness, ticks: number): void {
  for (let i = 0; i < ticks; i++) pulse.tick(1000 + i, 25, () => ({ used: 0, isAsleep: true }))
  pulse.tick(1, 25, () => ({ used: 0, isAsleep: true }))
}

function begun(): Liveness {
  const pulse = new Liveness()
  alive(pulse, 3)
  return pulse
}

describe('liveness: whether a worker is alive', () => {
  it('is false if its thread uses the processor and sends nothing', () => {
    const pulse = begun()
    silent(pulse, 20, 25)
    assert.equal(pulse.isBlocked(BLOCKED), false)
    silent(pulse, 8, 25)
    assert.equal(pulse.isBlocked(BLOCKED), true)
  })

  it('is false if its thread sleeps and sends nothing', () => {
    const pulse = begun()
    silent(pulse, 24, 'asleep')
    assert.equal(pulse.isBlocked(BLOCKED), true)
  })

  it('is true if the thread does not get a processor', () => {
    const pulse = begun()
    silent(pulse, 60, 0.1)
    assert.equal(pulse.isBlocked(BLOCKED), false)
    assert.ok(pulse.silence >= 1500)
  })

  it('is true if the whole process was stopped: a late tick counts as one', () => {
    const pulse = begun()
    silent(pulse, 1, 25)
    alive(pulse, 1)
    assert.equal(pulse.isBlocked(BLOCKED), false)
  })

  it('is true if the machine stood still and its kernel charges that to the thread', () => {
    const pulse = begun()
    silent(pulse, 2, 0.1)
    silent(pulse, 4, 2000)
    assert.equal(pulse.isBlocked(BLOCKED), false)
  })

  it('is false if pieces of work block the thread most of the time', () => {
    const pulse = begun()
    for (let i = 0; i < 6; i++) {
      silent(pulse, 18, 25)
      alive(pulse, 1)
    }
    assert.equal(pulse.isBlocked(BLOCKED), true)
  })

  it('is true if such a piece of work is rare', () => {
    const pulse = begun()
    for (let i = 0; i < 20; i++) {
      silent(pulse, 16, 25)
      alive(pulse, 60)
      assert.equal(pulse.isBlocked(BLOCKED), false)
    }
  })

  it('ignores the time before the worker was ready', () => {
    const pulse = begun()
    silent(pulse, 60, 25)
    pulse.forgive()
    assert.equal(pulse.isBlocked(BLOCKED), false)
  })

  it('is true while the kernel starts a process, and that time does not count afterwards', () => {
    const pulse = begun()
    for (let i = 0; i < 10; i++) {
      for (let j = 0; j < 100; j++) pulse.tick(1, 25, () => ({ used: 0, isAsleep: true }), true)
      assert.equal(pulse.isBlocked(BLOCKED), false)
      alive(pulse, 1)
      assert.equal(pulse.isBlocked(BLOCKED), false)
    }
  })

  it('is false if it starts processes without end', () => {
    const pulse = begun()
    for (let ms = 0; ms < SPAWN_LIMIT; ms += 25) pulse.tick(1, 25, () => ({ used: 0, isAsleep: true }), true)
    assert.equal(pulse.isBlocked(BLOCKED), true)
  })
})
