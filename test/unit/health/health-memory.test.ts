import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { reasonOf } from '../../../src/api/status-reason.js'
import type { Check } from '../../../src/check/check.js'
import type { CheckResult } from '../../../src/core/model.js'
import { HealthMemory, type MemorySection } from '../../../src/health/health-memory.js'
import { HealthTracker } from '../../../src/health/health-tracker.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { config, failed, passed, real, service, use } from '../../support/tables.js'
import { until } from '../../support/until.js'

const pathOf = () => join(temporaryFolder(), 'lvsd-health.json')

function memoryOf(path: string | null, { wall = (): number => 1_000_000, clock = new FakeClock() } = {}) {
  const { log, lines } = recordingLog()
  const memory = new HealthMemory({ path, log, now: wall, alarm: clock.alarm })
  onCleanup(() => memory.close(1000))
  return { memory, lines, clock }
}

/** A section of fixed values that notes what it is given back. */
function section(name: string, values: readonly unknown[] = []) {
  const restored: [unknown, number][] = []
  const own: MemorySection = {
    name,
    snapshot: () => values,
    restore: (value, ageMs) => {
      if (value === 'bad') throw new Error('no value of mine')
      restored.push([value, ageMs])
    },
  }
  return { own, restored }
}

/** Uses this much time of a processor. */
function work(ms: number): void {
  const used = () => process.cpuUsage().user / 1000
  for (const end = used() + ms; used() < end; );
}

describe('HealthMemory', () => {
  it('restores the values of each section, with the elapsed time', async () => {
    const path = pathOf()
    const first = memoryOf(path, { wall: () => 5_000_000_000 })
    first.memory.add(section('ramps', [{ a: 1 }, 'bad', [2]]).own)
    first.memory.add(section('panic', ['x']).own)
    await first.memory.load()
    await first.memory.close(1000)
    const next = memoryOf(path, { wall: () => 5_000_090_000 })
    const [ramps, other] = [section('ramps'), section('damping')]
    next.memory.add(ramps.own)
    next.memory.add(other.own)
    await next.memory.load()
    assert.deepEqual(ramps.restored, [
      [{ a: 1 }, 90_000],
      [[2], 90_000],
    ])
    assert.deepEqual(other.restored, [])
    assert.deepEqual(next.lines, [])
  })

  it('never returns a negative elapsed time if the wall clock was set back', async () => {
    const path = pathOf()
    const first = memoryOf(path, { wall: () => 5_000_000_000 })
    first.memory.add(section('ramps', [1]).own)
    await first.memory.load()
    await first.memory.close(1000)
    const next = memoryOf(path, { wall: () => 4_000_000_000 })
    const ramps = section('ramps')
    next.memory.add(ramps.own)
    await next.memory.load()
    assert.deepEqual(ramps.restored, [[1, 0]])
  })

  it('writes a second after a change, and not without one', async () => {
    const path = pathOf()
    const { memory, clock } = memoryOf(path)
    memory.add(section('ramps', [1]).own)
    await memory.load()
    clock.wind(600_000)
    assert.equal(existsSync(path), false)
    memory.changed()
    memory.changed()
    clock.wind(999)
    assert.equal(existsSync(path), false)
    clock.wind(1)
    await until(() => existsSync(path))
  })

  it('pauses after a write in proportion to its duration, unless the next one is urgent', async () => {
    const path = pathOf()
    const { memory, clock } = memoryOf(path)
    const slow = () => {
      work(50)
      return [clock.now()]
    }
    memory.add({ name: 'ramps', snapshot: slow, restore: () => {} })
    await memory.load()
    memory.changed()
    clock.wind(1000)
    await until(() => existsSync(path))
    const before = readFileSync(path, 'utf8')
    memory.changed()
    // The write ends after its file is there; then the next one has an alarm, beside the one of `ALIVE`.
    await until(() => clock.alarms === 2)
    clock.wind(9000)
    await setImmediate()
    assert.equal(readFileSync(path, 'utf8'), before)
    memory.changed({ isUrgent: true })
    clock.wind(3000)
    await until(() => readFileSync(path, 'utf8') !== before)
  })

  it('writes an urgent change after a tenth of a second, unless much was written just before', async () => {
    const path = pathOf()
    const clock = new FakeClock()
    const wall = { ahead: 0 }
    const { memory } = memoryOf(path, { wall: () => clock.now() + wall.ahead, clock })
    const slow = () => {
      work(50)
      return [clock.now()]
    }
    memory.add({ name: 'ramps', snapshot: slow, restore: () => {} })
    await memory.load()
    const written = () => (existsSync(path) ? readFileSync(path, 'utf8') : '')
    const takes = async (ms: number, quiet = 0) => {
      const before = written()
      memory.changed()
      // When the write before has ended, the next one has an alarm, beside the one of `ALIVE`.
      await until(() => clock.alarms === 2)
      wall.ahead += quiet
      memory.changed({ isUrgent: true })
      clock.wind(ms - 1)
      await setImmediate()
      assert.equal(clock.alarms, 2, 'it is not being written yet')
      clock.wind(1)
      await until(() => written() !== before)
    }
    await takes(100)
    // 50 ms of work are followed by a pause of 3 s at most.
    await takes(3000)
    await takes(1000, 2000)
    await takes(100, 60_000)
    // The wall clock is set back by an hour.
    await takes(3000, -3_600_000)
  })

  it('updates the last time at which lvsd ran, without a new write', async () => {
    const path = pathOf()
    const wall = { now: 5_000_000_000 }
    const { memory, clock } = memoryOf(path, { wall: () => wall.now })
    memory.add(section('ramps', [1]).own)
    await memory.load()
    memory.changed()
    clock.wind(1000)
    await until(() => existsSync(path))
    wall.now += 7_200_000
    clock.wind(60_000)
    await until(() => statSync(path).mtimeMs === wall.now)
    const next = memoryOf(path, { wall: () => wall.now + 1000 })
    await next.memory.load()
    assert.equal(next.memory.lastRunAt, wall.now)
  })

  it('does nothing without a path', async () => {
    const { memory, clock } = memoryOf(null)
    await memory.load()
    memory.changed()
    assert.equal(clock.alarms, 0)
    assert.equal(memory.lastRunAt, null)
  })

  it('starts without a file that cannot be read, and writes a new one', async () => {
    const path = pathOf()
    mkdirSync(path)
    const { memory, lines } = memoryOf(path)
    await memory.load()
    memory.changed()
    await memory.close(1000)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['state.damaged'],
    )
    assert.ok(statSync(path).isFile())
  })

  it('restores the valid entries of a damaged file, and keeps a copy', async () => {
    const path = pathOf()
    const first = memoryOf(path)
    first.memory.add(section('ramps', [1, 2, 3]).own)
    await first.memory.load()
    await first.memory.close(1000)
    writeFileSync(path, readFileSync(path, 'utf8').replace('"value":2', '"value":7'))
    const next = memoryOf(path)
    const ramps = section('ramps')
    next.memory.add(ramps.own)
    await next.memory.load()
    assert.deepEqual(
      ramps.restored.map(([value]) => value),
      [1, 3],
    )
    assert.deepEqual(
      next.lines.map(({ event }) => event),
      ['state.damaged'],
    )
    assert.ok(existsSync(`${path}.damaged`))
  })
})

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const SITE = config([
  service('web', { reals: [real('fd00:1::a', { checks: [use('ask', { passwd: 'x1y2' })] })] }),
])
const [WEB] = SITE.services
const [A] = WEB?.reals ?? []

/** One run of lvsd: its tracker, which starts at `now` of the steady clock. */
function run(now: number) {
  const { log } = recordingLog()
  const clock = { now }
  const health = new HealthTracker({
    log,
    events: { emit: () => {}, hears: () => false },
    table: () => new Map(),
    onDirty: () => {},
    recheck: () => {},
    now: () => clock.now,
  })
  onCleanup(() => health.close())
  const start = () => {
    const [id = ''] = health.applyConfig(SITE, new Map([['ask', ask]]), new Map()).added.map(job => job.id)
    return async (result: CheckResult) => {
      health.result(id, result)
      await setImmediate()
      await setImmediate()
    }
  }
  const snapshot = () => {
    assert.ok(WEB && A)
    const [web] = health.snapshot([WEB], new Map()).services
    const [first] = web?.reals ?? []
    return {
      traffic: web?.traffic,
      state: first?.state,
      since: first?.since,
      remembered: first?.remembered,
      check: first?.checks[0]?.health.since,
      ofCheck: first?.checks[0]?.remembered,
    }
  }
  return { health, clock, start, snapshot }
}

/** What a run leaves in which the server is up since 1000, at 61,000. */
async function left(): Promise<unknown[]> {
  const { clock, start, health } = run(1000)
  await start()(passed('200 OK'))
  clock.now = 61_000
  return JSON.parse(JSON.stringify([...health.memory().snapshot()])) as unknown[]
}

/** The next run, which begins at 9,000,000 of its own clock, `gap` after the snapshot. */
async function next(gap: number) {
  const again = run(9_000_000)
  for (const value of await left()) again.health.memory().restore(value, gap)
  return { ...again, found: again.start() }
}

describe('the health over a restart', () => {
  it('is shown as the earlier state until there is a result', async () => {
    const { health } = await next(5000)
    assert.ok(WEB)
    const [real] = health.snapshot([WEB], new Map()).services[0]?.reals ?? []
    assert.ok(real)
    assert.equal(reasonOf(real, String), 'not checked yet; before the restart up since 8935000: 200 OK')
  })

  it('is unknown until there is a result, with the earlier state', async () => {
    const { snapshot } = await next(5000)
    const { state, remembered, ofCheck, traffic } = snapshot()
    assert.equal(state, 'unknown')
    assert.equal(traffic, null)
    const since = 9_000_000 - 65_000
    assert.deepEqual(remembered && { ...remembered, last: null, lastAt: null }, {
      state: 'up',
      since,
      last: null,
      lastAt: null,
    })
    assert.deepEqual(ofCheck, { state: 'up', since, last: passed('200 OK'), lastAt: since })
  })

  it('that is unchanged keeps its time: check, server and service', async () => {
    const { snapshot, found, clock } = await next(5000)
    clock.now += 100
    await found(passed())
    const since = 9_000_000 - 65_000
    const { traffic, ...rest } = snapshot()
    assert.deepEqual(traffic, { has: true, since })
    assert.deepEqual(rest, { state: 'up', since, remembered: null, check: since, ofCheck: null })
  })

  it('that has changed has a new time', async () => {
    const { snapshot, found, clock } = await next(5000)
    clock.now += 100
    await found(failed())
    assert.deepEqual(
      [snapshot().state, snapshot().since, snapshot().check, snapshot().traffic?.since],
      ['down', 9_000_100, 9_000_100, 9_000_100],
    )
    await found(passed())
    assert.equal(snapshot().since, 9_000_100)
  })

  it('is stored again by a run that ends before its first result', async () => {
    const { health } = await next(5000)
    const third = run(500)
    for (const value of health.memory().snapshot()) third.health.memory().restore(value, 1000)
    const found = third.start()
    await found(passed())
    assert.equal(third.snapshot().since, 500 - 66_000)
    assert.equal(third.snapshot().traffic?.since, 500 - 66_000)
  })

  it('is discarded after a day without lvsd', async () => {
    const { snapshot } = await next(86_400_001)
    assert.deepEqual([snapshot().remembered, snapshot().ofCheck], [null, null])
  })

  it('is written under the key of lvsd 0.1.0, so that either version finds what the other has left', async () => {
    const [use] = A?.checks ?? []
    const whole = JSON.stringify(['ask', 'fd00:1::a', 80, use?.options])
    const keys = (await left()).flatMap(one => (one as { checks?: { key: string }[] }).checks ?? [])
    assert.deepEqual(
      keys.map(({ key }) => key),
      [`ask ${crc32(whole).toString(36)}`],
    )
  })

  it('is written without the options of the check', async () => {
    assert.ok(!JSON.stringify(await left()).includes('x1y2'))
  })
})
