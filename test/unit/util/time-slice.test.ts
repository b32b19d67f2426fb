import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.js'
import { LONG_STEP, runSync, type Sliced, Turns } from '../../../src/util/time-slice.js'

/** Each piece takes a millisecond of `clock`. */
function* busy(pieces: number, clock: { now: number }): Sliced<number> {
  for (let i = 0; i < pieces; i++) {
    clock.now++
    yield
  }
  return pieces
}

/** How often the event loop came round meanwhile. */
async function turnsDuring<T>(work: Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const result = await work
  isOver = true
  return { result, turns }
}

/** Each look at the clock of the process takes a millisecond meanwhile, so that slices have the same steps on every machine. */
async function withSteadySteps<T>(work: (clock: { readonly now: number }) => Promise<T>): Promise<T> {
  const { now } = performance
  let time = 0
  performance.now = () => ++time
  try {
    return await work({
      get now() {
        return time
      },
    })
  } finally {
    performance.now = now
  }
}

/** The longest time of `clock` between two rounds of the event loop. */
async function longestTurn<T>(clock: { readonly now: number }, work: () => Promise<T>) {
  let [longest, last, isOver] = [0, clock.now, false]
  const look = () => {
    longest = Math.max(longest, clock.now - last)
    last = clock.now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  const result = await work()
  isOver = true
  look()
  return { result, longest }
}

describe('time-slice: work in pieces', () => {
  it('yields to the event loop between pieces, with the same result', async () => {
    const clock = { now: 0 }
    const { result, turns } = await turnsDuring(new Turns(() => clock.now).run(busy(100, clock)))
    assert.equal(result, runSync(busy(100, clock)))
    assert.ok(turns >= 9 && turns <= 13, `${turns} turns`)
  })

  it('divides a turn among all that run at once', async () => {
    const clock = { now: 0 }
    const turns = new Turns(() => clock.now)
    const { result, longest } = await longestTurn(clock, () =>
      Promise.all(Array.from({ length: 5 }, (_, i) => turns.run(busy(20 + i, clock)))),
    )
    assert.deepEqual(result, [20, 21, 22, 23, 24])
    assert.ok(longest <= 10, `${longest} ms`)
  })

  it('gives what comes while others run its slice in turn', async () => {
    const clock = { now: 0 }
    const turns = new Turns(() => clock.now)
    const ends: string[] = []
    const long = turns.run(busy(1000, clock)).then(() => ends.push('long'))
    const short = turns.run(busy(5, clock)).then(() => ends.push('short'))
    await Promise.all([long, short])
    assert.deepEqual(ends, ['short', 'long'])
  })

  it('gives a long step of a computation a turn without slices', async () => {
    const clock = { now: 0 }
    const turns = new Turns(() => clock.now)
    function* withLongSteps(): Sliced<number> {
      for (let i = 0; i < 5; i++) {
        yield* busy(7, clock)
        yield LONG_STEP
        clock.now += 10
        yield
      }
      return 5
    }
    const { result, longest } = await longestTurn(clock, () =>
      Promise.all([turns.run(withLongSteps()), turns.run(busy(200, clock))]),
    )
    assert.deepEqual(result, [5, 200])
    assert.ok(longest <= 10, `${longest} ms`)
  })

  it('gives a step a turn of its own', async () => {
    const clock = { now: 0 }
    const turns = new Turns(() => clock.now)
    const step = async () => {
      for (let i = 0; i < 5; i++) {
        await turns.own()
        clock.now += 10
      }
    }
    const { longest } = await longestTurn(clock, () =>
      Promise.all([step(), turns.run(busy(50, clock)), step()]),
    )
    assert.equal(longest, 10)
    assert.equal(clock.now, 150)
  })

  it('shortens the slices of work that asks for it', async () => {
    const clock = { now: 0 }
    const turns = new Turns(() => clock.now)
    const { longest } = await longestTurn(clock, () => turns.run(busy(50, clock), 4))
    assert.equal(longest, 4)
  })

  it('rejects with what a step throws, at once or later, and goes on with others', async () => {
    const clock = { now: 0 }
    const turns = new Turns(() => clock.now)
    function* failing(after: number): Sliced<void> {
      yield* busy(after, clock)
      throw new Error(`after ${after}`)
    }
    const other = turns.run(busy(40, clock))
    await assert.rejects(turns.run(failing(0)), /after 0/)
    await assert.rejects(turns.run(failing(25)), /after 25/)
    assert.equal(await other, 40)
  })

  it('is used to read a configuration with thousands of servers', async () => {
    const reals = (n: number) => Array.from({ length: 100 }, (_, i) => `      - '[fd00:${n}::${i + 1}]:80'`)
    const services = Array.from({ length: 50 }, (_, n) => [
      `  web${n}:`,
      `    virtual: '[2001:db8::${n + 1}]:80'`,
      '    check: none',
      '    reals:',
      ...reals(n),
    ])
    const text = ['services:', ...services.flat()].join('\n')
    await withSteadySteps(async clock => {
      const { result, longest } = await longestTurn(clock, () => loadConfig('big.yaml', { text }))
      assert.deepEqual(result.problems, [])
      assert.equal(result.config?.services.length, 50)
      assert.ok(clock.now >= 200, `${clock.now} steps`)
      assert.ok(longest <= 20, `${longest} steps in a turn`)
    })
  })
})
