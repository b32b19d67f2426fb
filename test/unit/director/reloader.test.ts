import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Kept } from '../../../src/accepted/accepted.js'
import type { Loaded } from '../../../src/config/load.js'
import type { Problem } from '../../../src/config/problems/problem.js'
import { Reloader } from '../../../src/director/reloader.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'
import { config, real, service } from '../../support/tables.js'

const REALS = ['fd00:1::a', 'fd00:1::b'].map(host => real(host))
const SITE = config([service('web', { reals: [real('fd00:1::a')] })])
const GOOD: Loaded = { config: SITE, checks: new Map(), problems: [], text: 'good' }
const ERROR: Problem = {
  severity: 'error',
  code: 'MISSING',
  message: 'it is broken',
  file: 'site.yaml',
  at: { line: 1, column: 1, length: 1 },
}
const BAD: Loaded = { config: null, checks: new Map(), problems: [ERROR], text: 'bad' }
const KEPT: Kept = { acceptedAt: '2026-01-01T00:00:00.000Z', problems: [ERROR], read: BAD }

/** One that runs what was accepted before, in place of a file that cannot run. */
async function onKept() {
  const clock = new FakeClock()
  const { log, lines } = recordingLog('info')
  const file = { loaded: BAD, readings: 0 }
  const applied: string[] = []
  const reloader = new Reloader({
    log,
    clock,
    notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
    loaded: { ...GOOD, config: SITE },
    kept: KEPT,
    load: async () => {
      file.readings++
      return file.loaded
    },
    apply: async () => void applied.push(SITE.file),
    enter: () => {},
    considered: () => {},
  })
  reloader.begin(Promise.resolve())
  const wind = async (ms: number) => {
    await setImmediate()
    clock.wind(ms)
    for (let i = 0; i < 5; i++) await setImmediate()
    await reloader.idle()
  }
  return { reloader, clock, lines, file, applied, wind }
}

describe('Reloader', () => {
  it('has the full path of the file, which may be given in a relative one', async () => {
    const { reloader } = await onKept()
    assert.deepEqual([SITE.file, reloader.snapshot().file], ['site.yaml', resolve('site.yaml')])
    reloader.stop()
  })

  it('looks each 30 s whether a broken file can run, says nothing while it cannot, and takes it once', async () => {
    const { reloader, clock, lines, file, applied, wind } = await onKept()
    await wind(29_999)
    assert.equal(file.readings, 0)
    await wind(1)
    await wind(30_000)
    assert.deepEqual([file.readings, applied, lines], [2, [], []])
    file.loaded = GOOD
    await wind(30_000)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['reload.accepted'],
    )
    assert.deepEqual([applied.length, reloader.snapshot().keptSince, clock.alarms], [1, null, 0])
  })

  it('says that the start refused the file, and not once more where autoreload reads it as it was', async () => {
    const { reloader, lines, file } = await onKept()
    reloader.logStart()
    const events = () => lines.splice(0).map(({ event }) => event)
    assert.equal(lines.at(-1)?.detail, 'site.yaml:1:1 it is broken')
    assert.deepEqual(events(), ['config.problem', 'config.refused'])
    assert.equal(await reloader.reloadByItself(true), 'taken')
    assert.deepEqual([events(), reloader.snapshot().last?.isStart], [[], true])
    file.loaded = { ...BAD, text: 'as bad' }
    assert.equal(await reloader.reloadByItself(true), 'taken')
    assert.deepEqual(events(), ['config.problem', 'reload.refused'])
    file.loaded = { ...BAD, text: 'worse', problems: [{ ...ERROR, message: 'something else' }] }
    assert.equal(await reloader.reloadByItself(true), 'taken')
    assert.deepEqual(events(), ['config.problem', 'reload.refused'])
    assert.equal(reloader.snapshot().last?.isStart, undefined)
    reloader.stop()
  })

  it('tells the file that the start has refused again where it is back after it was missing', async () => {
    const { reloader, file } = await onKept()
    reloader.logStart()
    const code = () => reloader.snapshot().last?.problems[0]?.code
    file.loaded = { ...BAD, text: '', problems: [{ ...ERROR, code: 'FILE_UNREADABLE' }] }
    assert.equal(await reloader.reloadByItself(false), 'later')
    assert.equal(code(), 'FILE_UNREADABLE')
    const problems = [{ ...ERROR, code: 'SECRET_MISSING' }] as const
    file.loaded = { ...BAD, problems }
    await reloader.clearRefusal()
    assert.equal(code(), 'SECRET_MISSING')
    reloader.stop()
  })

  it('looks no more once it is stopped', async () => {
    const { reloader, clock, file, wind } = await onKept()
    await setImmediate()
    reloader.stop()
    await wind(60_000)
    assert.deepEqual([file.readings, clock.alarms], [0, 0])
  })

  it('says what it has found in place of a change that was noticed, unless it may include more than was read', async () => {
    for (const [read, expected] of [
      [{ ...GOOD, included: [] }, ['good']],
      [GOOD, []],
    ] as const) {
      const { log } = recordingLog('info')
      const considered: string[] = []
      const reloader = new Reloader({
        log,
        notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
        loaded: { ...GOOD, config: SITE },
        load: async () => read,
        apply: async () => {},
        enter: () => {},
        considered: ({ text }) => considered.push(text),
      })
      assert.equal(await reloader.reloadByItself(true), 'taken')
      assert.deepEqual(considered, expected)
    }
  })

  it('ends a refusal for a cause outside the file when the file is again what runs, and no other one', async () => {
    const gone: Loaded = { ...BAD, text: '', problems: [{ ...ERROR, code: 'FILE_UNREADABLE' }] }
    const good = { ...GOOD, config: SITE, included: [] }
    for (const [refused, read, ok] of [
      [gone, good, true],
      [gone, gone, false],
      [gone, { ...good, text: 'another' }, false],
      [BAD, good, false],
    ] as const) {
      const { log } = recordingLog('info')
      const file: { loaded: Loaded } = { loaded: refused }
      const reloader = new Reloader({
        log,
        notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
        loaded: good,
        load: async () => file.loaded,
        apply: async () => {},
        enter: () => {},
        considered: () => {},
      })
      await reloader.clearRefusal()
      assert.equal(reloader.snapshot().last, null)
      assert.equal((await reloader.reload(false)).ok, false)
      file.loaded = read
      await reloader.clearRefusal()
      assert.equal(reloader.snapshot().last?.ok, ok)
    }
  })

  it('tells a refused file again where it is back after it was missing', async () => {
    const gone: Loaded = { ...BAD, text: '', problems: [{ ...ERROR, code: 'FILE_UNREADABLE' }] }
    const { log } = recordingLog('info')
    const file = { loaded: BAD }
    const reloader = new Reloader({
      log,
      notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
      loaded: { ...GOOD, config: SITE },
      load: async () => file.loaded,
      apply: async () => {},
      enter: () => {},
      considered: () => {},
    })
    const code = () => reloader.snapshot().last?.problems[0]?.code
    await reloader.reloadByItself(true)
    file.loaded = gone
    assert.equal(await reloader.reloadByItself(false), 'later')
    assert.equal(code(), 'FILE_UNREADABLE')
    file.loaded = BAD
    await reloader.clearRefusal()
    assert.equal(code(), 'MISSING')
  })

  it('stores a configuration once it is in force', async () => {
    const { log, lines } = recordingLog('info')
    const steps: string[] = []
    const next = { ...GOOD, text: 'another', config: { ...SITE } }
    const reloader = new Reloader({
      log,
      notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
      loaded: { ...GOOD, config: SITE },
      keep: async ({ text }) => void steps.push(`keep ${text}`),
      load: async () => next,
      apply: async () => {
        await setImmediate()
        steps.push('in force')
      },
      enter: phase => steps.push(phase),
      considered: () => {},
    })
    await reloader.reload(false)
    await reloader.close(1000)
    assert.deepEqual(steps, ['reloading', 'in force', 'running', 'keep another'])
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['reload.accepted'],
    )
  })

  it('warns where real servers or services are gone, and only there', async () => {
    const site = (...services: readonly (readonly [string, number])[]) =>
      config(services.map(([name, n]) => service(name, { reals: REALS.slice(0, n) })))
    const { log, lines } = recordingLog('info')
    const steps = [
      [site(['web', 2]), 30, /real servers \+1 ~0 -0: web: \+\[fd00:1::b\]:80/],
      [site(['web', 1]), 40, /real servers \+0 ~0 -1: web: -\[fd00:1::b\]:80/],
      [site(['web', 1]), 30, /no service has changed/],
      [site(), 40, /services \+0 ~0 -1, .*-web/],
    ] as const
    const files = steps.map(([config], i) => ({ ...GOOD, config, text: String(i) }))
    const reloader = new Reloader({
      log,
      notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
      loaded: { ...GOOD, config: site(['web', 1]) },
      load: async () => files.shift() ?? GOOD,
      apply: async () => {},
      enter: () => {},
      considered: () => {},
    })
    for (const [, level, told] of steps) {
      assert.equal((await reloader.reload(true)).ok, true)
      const line = lines.at(-1)
      assert.deepEqual([line?.event, line?.level], ['reload.accepted', level])
      assert.match(line?.msg ?? '', told)
    }
  })

  it('names the settings that count from the next start, until they are as they were at the start', async () => {
    const { log, lines } = recordingLog('info')
    const withSettings = (settings: Parameters<typeof config>[1]) => ({
      ...GOOD,
      config: config(SITE.services, settings),
    })
    const changed = { engine: 'portable', socket: '/run/other.sock', state: '/other' } as const
    const files = [
      withSettings({ ...changed, record: 1000 }),
      withSettings(changed),
      withSettings({ logLevel: 'debug' }),
      withSettings({}),
    ]
    const reloader = new Reloader({
      log,
      notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
      loaded: { ...GOOD, config: SITE },
      load: async () => files.shift() ?? GOOD,
      apply: async () => {},
      enter: () => {},
      considered: () => {},
    })
    const inForce = 'the configuration of 1 service is in force'
    const later = 'engine, socket and state count from the next start of lvsd'
    for (const [message, names] of [
      [`${inForce} (no service has changed; changed: record); ${later}`, ['engine', 'socket', 'state']],
      [`${inForce} (no service has changed; changed: record); ${later}`, ['engine', 'socket', 'state']],
      [
        `${inForce} (no service has changed; changed: engine, socket, state); log-level counts from the next start of lvsd`,
        ['log-level'],
      ],
      [`${inForce} (no service has changed; changed: log-level)`, []],
    ] as const) {
      assert.equal((await reloader.reload(false)).message, message)
      assert.equal(lines.at(-1)?.msg, `reload: ${message}`)
      assert.deepEqual(reloader.snapshot().fromNextStart, names)
    }
  })

  it('stores an accepted configuration again and again until the disk takes it, and says so once', async () => {
    const clock = new FakeClock()
    const { log, lines } = recordingLog('info')
    const disk = { isFull: true, tries: 0 }
    const reloader = new Reloader({
      log,
      clock,
      notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
      loaded: { ...GOOD, config: SITE },
      keep: async () => {
        disk.tries++
        if (disk.isFull) throw new Error('ENOSPC: no space left on device')
      },
      load: async () => GOOD,
      apply: async () => {},
      enter: () => {},
      considered: () => {},
    })
    const wound = async () => {
      for (let i = 0; i < 5; i++) await setImmediate()
      clock.wind(5000)
      for (let i = 0; i < 5; i++) await setImmediate()
    }
    reloader.keep()
    await wound()
    await wound()
    const { state } = SITE.settings
    const error = 'ENOSPC: no space left on device'
    assert.deepEqual(reloader.snapshot().unkept, { folder: state, error })
    disk.isFull = false
    await wound()
    assert.equal(reloader.snapshot().unkept, null)
    await wound()
    assert.deepEqual(
      [disk.tries, lines.map(({ event }) => event), clock.alarms],
      [4, ['config.not-kept', 'config.kept'], 0],
    )
    disk.isFull = true
    reloader.keep()
    await wound()
    reloader.stop()
    assert.equal(clock.alarms, 0)
  })
})
