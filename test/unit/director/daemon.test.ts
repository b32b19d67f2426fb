import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Check } from '../../../src/check/check.js'
import type { CheckWork } from '../../../src/check/run-code.js'
import type { Loaded } from '../../../src/config/load.js'
import type { Problem } from '../../../src/config/problems/problem.js'
import { diff } from '../../../src/core/diff.js'
import { isEvent, LDIRECTORD_EVENTS, LOG_EVENTS } from '../../../src/core/log-events.js'
import {
  type CheckResult,
  keyOfService,
  type ResolvedConfig,
  type ResolvedService,
  type ServiceId,
  type Settings,
  type Table,
} from '../../../src/core/model.js'
import { startDaemon } from '../../../src/director/daemon.js'
import type { DaemonParts } from '../../../src/director/daemon-types.js'
import { defaultListeners } from '../../../src/director/default-listeners.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import type { Answer, Resolver } from '../../../src/names/lookup.js'
import { openResolver } from '../../../src/names/lookup.js'
import { openCommandQueue } from '../../../src/notify/command-queue.js'
import type { OnResult, Timing } from '../../../src/schedule/executor.js'
import type { Executors } from '../../../src/schedule/executors.js'
import { memoryJournal, openJournal } from '../../../src/storage/journal.js'
import { systemClock } from '../../../src/util/clock.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import {
  config,
  failed,
  named,
  passed,
  real,
  service,
  serviceId,
  table,
  tableReal,
  tableService,
  use,
} from '../../support/tables.js'
import { pause, until } from '../../support/until.js'

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const CHECKS = new Map([['ask', ask]])
const KINDS = { ...LOG_EVENTS, ...LDIRECTORD_EVENTS }
const A = 'fd00:1::a'
const B = 'fd00:1::b'

const asked = (host: string, weight = 1, policy = {}) =>
  real(host, { weight, checks: [use('ask', {}, policy)] })
const web = (parts: Partial<ResolvedService> = {}) =>
  service('web', { reals: [asked(A), asked(B)], ...parts })

/** Engines that run nothing: the test says what the checks found, or `first` says it when a job is set. */
function handExecutors(first?: CheckResult) {
  const jobs = new Map<string, Timing>()
  const works = new Map<string, CheckWork>()
  const hurried: [string, number][] = []
  let report: OnResult = () => {}
  const executors: Executors = {
    set: (id, work, timing) => {
      jobs.set(id, timing)
      works.set(id, work)
      if (first) report(id, first)
    },
    remove: id => {
      jobs.delete(id)
      works.delete(id)
    },
    retime: (id, timing) => void jobs.set(id, timing),
    soon: (id, ms) => void hurried.push([id, ms]),
    atOnce: id => void hurried.push([id, 0]),
    giveUpConnecting: () => {},
    next: () => ({ in: 1000, isRunning: false }),
    sources: () => new Map(),
    stats: () => ({
      engine: 'portable',
      jobs: jobs.size,
      running: 0,
      lateness: { p50: 0, p99: 0, max: 0 },
      stalls: 0,
      stalledFor: 0,
      sinceStall: null,
      noVerdicts: 0,
    }),
    waiting: () => 0,
    firstRun: () => null,
    firstChecks: () => null,
    close: () => jobs.clear(),
  }
  const open = (onResult: OnResult) => {
    report = onResult
    return executors
  }
  const findWhere = (part: string, result: CheckResult) => {
    const found = [...works].flatMap(([id, { options }]) =>
      `${id} ${JSON.stringify(options)}`.includes(part) ? [id] : [],
    )
    assert.ok(found.length > 0, part)
    for (const id of found) report(id, result)
  }
  const find = (host: string, result: CheckResult) => findWhere(`"${host}"`, result)
  return { open, jobs, works, hurried, find, findWhere }
}

async function start(first: ResolvedConfig, held: Table = new Map(), parts: Partial<DaemonParts> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-daemon-'))
  onCleanup(() => rmSync(folder, { recursive: true }))
  const place = (site: ResolvedConfig): ResolvedConfig => ({
    ...site,
    settings: { ...site.settings, socket: join(folder, 'lvsd.sock') },
  })
  const loadedOf = (site: ResolvedConfig | null, problems: readonly Problem[] = []): Loaded => ({
    config: site && place(site),
    checks: CHECKS,
    problems,
    text: '',
  })
  const executors = handExecutors()
  const kernel = memoryKernel()
  await kernel.apply(diff(held, new Map(), new Set()))
  const { log, lines } = recordingLog('info')
  const told: string[] = []
  const next = { loaded: loadedOf(first) }
  const [journal, resolver, commands] = [memoryJournal(), openResolver(), openCommandQueue(log)]
  const daemon = await startDaemon({
    loaded: { ...loadedOf(first), config: place(first) },
    kernel,
    kernelName: 'memory',
    journal,
    resolver,
    commands,
    log,
    notify: {
      ready: () => told.push('ready'),
      reloading: () => told.push('reloading'),
      stopping: () => told.push('stopping'),
      close: () => {},
    },
    load: async () => next.loaded,
    listeners: defaultListeners({ log, journal, resolver, commands }),
    executors: executors.open,
    ...parts,
  })
  onCleanup(() => daemon.stop())
  /** What has been said has its effect. */
  const idle = async () => {
    await setImmediate()
    await daemon.idle()
  }
  const status = async () => {
    await idle()
    return daemon.status()
  }
  const weights = async (): Promise<Record<string, number>> => {
    await idle()
    const { table } = await kernel.dump()
    const reals = [...table.values()].flatMap(entry => [...entry.reals.values()])
    return Object.fromEntries(reals.map(held => [held.address.text, held.weight]))
  }
  const reload = (site: ResolvedConfig | null, isForced = false, problems: readonly Problem[] = []) => {
    next.loaded = loadedOf(site, problems)
    return daemon.reload(isForced)
  }
  const socket = join(folder, 'lvsd.sock')
  return { daemon, kernel, executors, lines, told, idle, status, weights, reload, next, loadedOf, socket }
}

/** A resolver whose answers the test gives, to what it is asked or will be. */
function handResolver() {
  const asked = new Map<string, (answer: Answer) => void>()
  const resolver: Resolver = {
    addresses: (host, family) => new Promise(resolve => asked.set(`${host} ${family}`, resolve)),
    names: async () => [],
    close: () => {},
  }
  const give = async (key: string, answer: Answer) => {
    await until(() => asked.has(key), { what: `${key} is looked up` })
    asked.get(key)?.(answer)
    asked.delete(key)
  }
  const answer = (key: string, ...addresses: readonly string[]) => give(key, { addresses })
  const fail = (key: string, code: string) => give(key, { code })
  return { resolver, answer, fail }
}

describe('daemon: names in the daemon', () => {
  it('are applied with the active configuration, also during a reload', async () => {
    const { resolver, answer } = handResolver()
    const site = () => config([web({ reals: [asked('app')] })])
    const { executors, kernel, reload, idle, weights } = await start(site(), new Map(), { resolver })
    // A table that is long in reading: the address comes while the reload waits for it.
    const { dump } = kernel
    const readings: (() => void)[] = []
    Object.assign(kernel, {
      dump: async () => {
        await new Promise<void>(resolve => readings.push(resolve))
        return dump()
      },
    })
    const reloaded = reload(site())
    await until(() => readings.length > 0, { what: 'the reload reads the table' })
    await answer('app ipv6', A)
    await setImmediate()
    Object.assign(kernel, { dump })
    for (const goOn of readings) goOn()
    await reloaded
    await idle()
    executors.find(A, passed())
    assert.deepEqual(await weights(), { [A]: 1 })
  })

  it('show in the status which address was requested and what was found instead', async () => {
    const { resolver, answer } = handResolver()
    const { status } = await start(config([web({ reals: [asked('app')] })]), new Map(), { resolver })
    const reason = async () => (await status()).services[0]?.reals[0]?.reason
    assert.equal(await reason(), 'name: app is being looked up')
    await answer('app ipv6')
    await answer('app ipv4', '127.0.0.1')
    assert.equal(
      await reason(),
      'name: app has no IPv6 address; it has 127.0.0.1; its entries in the kernel stay unchanged until this has lasted for 15 s',
    )
  })
})

describe('daemon: a virtual service by name in the daemon', () => {
  const vip = (parts: Partial<ResolvedService> = {}) => config([web({ ...named('vip'), ...parts })])
  const asKey = (key: string) => [key]

  it('keeps its identity in a reload', async () => {
    const { resolver, answer } = handResolver()
    const { reload, kernel } = await start(vip(), new Map(), { resolver })
    await answer('vip ipv6', '2001:db8::80')
    await answer('vip ipv4')
    const { ok, message } = await reload(vip())
    assert.equal(ok, true, message)
    assert.deepEqual([...(await kernel.dump()).table.keys()], asKey('tcp [2001:db8::80]:80'))
  })

  it('is known with the first jobs where the answer takes no time, as that of the hosts file', async () => {
    const resolver: Resolver = {
      addresses: async (_, family) =>
        family === 'ipv6' ? { addresses: ['2001:db8::80'] } : { code: 'ENODATA' },
      names: async () => [],
      close: () => {},
    }
    const keys: string[] = []
    const config = ({ services }: ResolvedConfig) => {
      keys.push(...services.map(({ id }) => (id ? keyOfService(id) : 'unknown')))
    }
    await start(vip(), new Map(), { resolver, listeners: [{ config }] })
    assert.deepEqual(keys.slice(0, 1), asKey('tcp [2001:db8::80]:80'))
  })

  it('shows in the status which family was requested and what was found instead', async () => {
    const { resolver, answer } = handResolver()
    const known = memoryJournal()
    known.recordNames(new Map([['vip', '2001:db8::80']]))
    const { status, kernel } = await start(vip(), new Map(), { resolver, journal: known })
    await answer('vip ipv6')
    await answer('vip ipv4', '192.0.2.80')
    const [service] = (await status()).services
    assert.deepEqual(
      [service?.key, service?.nameTrouble],
      [
        'tcp [2001:db8::80]:80',
        'vip has no IPv6 address; it has 192.0.2.80; 2001:db8::80 stays in use; to use the other one, set family: ipv4',
      ],
    )
    assert.deepEqual([...(await kernel.dump()).table.keys()], asKey('tcp [2001:db8::80]:80'))
  })
})

const settings = (some: Partial<Settings>) => some

describe('daemon: the group of the control socket', () => {
  it('follows a reload', async () => {
    const own = String(process.getgid?.())
    const site = (socketGroup: string | null) => config([web()], settings({ socketGroup }))
    const { daemon, reload, socket } = await start(site(own))
    const mode = () => (statSync(socket).mode & 0o777).toString(8)
    assert.equal(mode(), '660')
    await reload(site(null))
    assert.equal(mode(), '600')
    await reload(site(own))
    assert.equal(mode(), '660')
    await daemon.stop()
  })
})

describe('daemon: maintenance windows in the daemon', () => {
  const minutes = (count: number) => count * 60_000
  const nightly = {
    at: '0 2 * * *',
    zone: 'UTC',
    for: minutes(120),
    drain: minutes(5),
    reals: [`[${A}]:80`],
    reason: 'updates',
  }
  const site = () => config([web({ windows: [nightly] })])
  /** A clock that begins at this time of 2026-11-28. */
  const clockAt = (time: string) => {
    const clock = new FakeClock()
    const shift = Date.parse(`2026-11-28T${time}Z`) - clock.now()
    return { clock, overridesClock: { now: () => clock.now() + shift, alarm: clock.alarm } }
  }

  it('drain a server, disable it and end, regardless of the checks', async () => {
    const { clock, overridesClock } = clockAt('01:59')
    const { executors, weights, status, lines } = await start(site(), new Map(), { overridesClock })
    for (const host of [A, B]) executors.find(host, passed())
    assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
    clock.wind(minutes(1))
    assert.deepEqual(await weights(), { [A]: 0, [B]: 1 })
    clock.wind(minutes(5))
    executors.find(A, passed())
    assert.deepEqual(await weights(), { [B]: 1 })
    const [one] = (await status()).services[0]?.reals ?? []
    assert.deepEqual(one?.override, {
      effect: 'disable',
      weight: null,
      source: 'window',
      rampUntil: null,
      who: 'window 0 2 * * * UTC',
      reason: 'updates',
      since: '2026-11-28T02:05:00.000Z',
      until: '2026-11-28T04:00:00.000Z',
    })
    clock.wind(minutes(115))
    assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
    assert.deepEqual(
      lines.flatMap(({ event }) => (event.startsWith('window.') ? [event] : [])),
      ['window.begun', 'window.ended'],
    )
  })

  it('apply to a start and a reload during a window, and end if the configuration no longer has them', async () => {
    const { overridesClock } = clockAt('03:00')
    const held = table(tableService(serviceId('2001:db8::80'), [tableReal(A), tableReal(B)]))
    const { weights, reload, executors } = await start(site(), held, { overridesClock })
    assert.deepEqual(await weights(), { [B]: 1 })
    await reload(config([web()]))
    executors.find(A, passed())
    assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
    await reload(site())
    assert.deepEqual(await weights(), { [B]: 1 })
  })
})

describe('daemon: results that come before the table has been read', () => {
  const site = config([web({ panic: { share: 50, within: 10_000, for: 900_000 } })])

  it('take out servers that are not in it at once, and are no panic', async () => {
    const executors = handExecutors(failed())
    const { lines, weights } = await start(site, new Map(), { executors: executors.open })
    assert.deepEqual(await weights(), {})
    const told = lines.flatMap(({ event }) => (/^(real|service\.panic)/.test(`${event}`) ? [event] : []))
    assert.deepEqual(told, ['real.down', 'real.down'])
  })
})

describe('daemon', () => {
  it('lowers the weight of a drain with a ramp, and reports its connections', async () => {
    const { daemon, weights, executors } = await start(config([web({ reals: [asked(A, 3), asked(B, 3)] })]))
    for (const one of [A, B]) executors.find(one, passed())
    const targets = [{ service: 'web', real: `[${A}]:80` }]
    const effect = { kind: 'drain', ramp: 1000 } as const
    const { ok } = await daemon.overrides.give({ targets, effect, reason: '', until: null }, 'anna')
    assert.equal(ok, true)
    assert.deepEqual(await weights(), { [A]: 3, [B]: 3 })
    await until(async () => (await weights())[A] === 0)
    const { services } = await daemon.connections.read({ targets })
    const [real] = services[0]?.reals ?? []
    assert.deepEqual([real?.name, real?.weight, real?.override?.effect], [`[${A}]:80`, 0, 'drain'])
    await daemon.overrides.end({ targets, effects: ['drain'] }, 'anna')
    assert.deepEqual(await weights(), { [A]: 3, [B]: 3 })
  })

  it('creates its services at once and adds servers when their checks pass', async () => {
    const { weights, executors, kernel, told } = await start(config([web()]))
    assert.deepEqual([...(await kernel.dump()).table.keys()], ['tcp [2001:db8::80]:80'])
    assert.deepEqual(told, ['ready'])
    executors.find(A, passed())
    executors.find(B, failed())
    assert.deepEqual(await weights(), { [A]: 1 })
    executors.find(B, passed())
    assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
  })

  it('checks all servers at once when it starts', async () => {
    const { executors } = await start(config([web()]))
    assert.deepEqual(
      [...executors.jobs.values()].map(timing => timing.firstIn),
      [0, 0],
    )
  })

  describe('with a table of an earlier run', () => {
    const fall = { fall: 3, rise: 2 }
    const site = (parts: Partial<ResolvedService> = {}) =>
      config([web({ reals: [asked(A, 5, fall), asked(B, 5, fall)], ...parts })])
    const left = (...weights: [string, number][]) =>
      table(
        tableService(
          serviceId('2001:db8::80'),
          weights.map(([host, weight]) => tableReal(host, { weight })),
        ),
      )

    it('keeps the servers of a name that is not resolved yet', async () => {
      const { resolver, answer } = handResolver()
      const named = config([web({ reals: [asked('app', 5, fall)], fallback: real(B) })])
      const { executors, weights, lines } = await start(named, left([A, 5]), { resolver })
      assert.deepEqual(await weights(), { [A]: 5 })
      await answer('app ipv6', A)
      assert.deepEqual(await weights(), { [A]: 5 })
      executors.find(A, passed())
      assert.deepEqual(await weights(), { [A]: 5 })
      assert.deepEqual(
        lines.filter(({ msg }) => /no real server/.test(String(msg))),
        [],
      )
    })

    it('removes the servers after the name has had no address for a long time', async () => {
      const { resolver, answer } = handResolver()
      const named = config([web({ reals: [asked('app', 5, fall)], fallback: real(B) })])
      const clock = { now: 0 }
      const parts = { resolver, namesClock: { ...systemClock, now: () => clock.now } }
      const { weights, lines, reload } = await start(named, left([A, 5]), parts)
      await answer('app ipv6')
      await answer('app ipv4')
      assert.deepEqual(await weights(), { [A]: 5 })
      clock.now = 14_000
      await reload(named)
      assert.deepEqual(await weights(), { [A]: 5 })
      clock.now = 15_000
      await reload(named)
      assert.deepEqual(await weights(), { [B]: 1 })
      assert.equal(
        lines.filter(({ msg }) => /no real server is available, the fallback/.test(String(msg))).length,
        1,
      )
    })

    describe('without an answer of a name server', () => {
      const C = 'fd00:1::c'
      const asking = { resolve: 50 }
      /** Both families of these names. */
      const silence = async ({ fail }: ReturnType<typeof handResolver>, ...hosts: readonly string[]) => {
        for (const host of hosts)
          for (const family of ['ipv6', 'ipv4']) await fail(`${host} ${family}`, 'ETIMEOUT')
      }

      it('keeps servers that may belong to a name without a time limit, and logs it', async () => {
        const names = handResolver()
        const reals = [asked('app', 5, fall), asked(B, 5, fall)]
        const clock = { now: 0 }
        const site = config([web({ reals, fallback: real(C) })], asking)
        const parts = { resolver: names.resolver, namesClock: { ...systemClock, now: () => clock.now } }
        const { idle, executors, weights, lines, status, reload } = await start(
          site,
          left([A, 5], [B, 5]),
          parts,
        )
        await silence(names, 'app')
        clock.now = 3_600_000
        await reload(site)
        for (let i = 0; i < 3; i++) executors.find(B, failed())
        assert.deepEqual(await weights(), { [A]: 5 })
        const trouble =
          'app does not resolve to an IPv6 address: the name servers do not answer (ETIMEOUT); ' +
          'its entries in the kernel stay unchanged until there is an answer'
        const [app] = (await status()).services[0]?.reals ?? []
        assert.deepEqual(
          [app?.state, app?.reason, app?.nameTrouble],
          ['unknown', `name: ${trouble}`, trouble],
        )
        assert.deepEqual(
          lines.filter(({ msg }) => msg === trouble).map(({ level }) => level),
          [50],
        )
        await names.answer('app ipv6', A)
        await idle()
        for (let i = 0; i < 3; i++) executors.find(A, failed())
        assert.deepEqual(await weights(), { [C]: 1 })
      })

      it('adds the fallback if the table has no entry that may be a server', async () => {
        const names = handResolver()
        const site = config([web({ reals: [asked('app', 5, fall)], fallback: real(B) })])
        const { weights } = await start(site, left(), { resolver: names.resolver })
        assert.deepEqual(await weights(), {})
        await silence(names, 'app')
        assert.deepEqual(await weights(), { [B]: 1 })
      })

      it('keeps a fallback that is a name while it is needed', async () => {
        const names = handResolver()
        const site = config([web({ reals: [asked(B, 5)], fallback: real('sorry') })])
        const { executors, weights } = await start(site, left([A, 1]), { resolver: names.resolver })
        await silence(names, 'sorry')
        executors.find(B, failed())
        assert.deepEqual(await weights(), { [A]: 1 })
        executors.find(B, passed())
        assert.deepEqual(await weights(), { [B]: 5 })
      })

      it('removes a server that a reload removes, because it does not belong to the name', async () => {
        const names = handResolver()
        const all = [asked('app'), asked(A), asked(B), asked(C)]
        const { executors, weights, reload } = await start(
          config([web({ reals: all })]),
          left([A, 1], [B, 1]),
          {
            resolver: names.resolver,
          },
        )
        await silence(names, 'app')
        for (const host of [A, B, C]) executors.find(host, passed())
        assert.deepEqual(await weights(), { [A]: 1, [B]: 1, [C]: 1 })
        await reload(config([web({ reals: all.slice(0, 3) })]))
        assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
      })

      it('keeps a server if a reload replaces its address by a name', async () => {
        const names = handResolver()
        const { executors, weights, reload } = await start(
          config([web({ reals: [asked(A), asked(B)] })]),
          left([A, 1], [B, 1]),
          { resolver: names.resolver },
        )
        for (const host of [A, B]) executors.find(host, passed())
        await reload(config([web({ reals: [asked('app'), asked(B)] })]))
        assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
        await silence(names, 'app')
        assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
      })

      it('gives no verdict on a server if its check has a name as target', async () => {
        const names = handResolver()
        const check = { ...use('ask', {}, { fall: 1 }), host: 'check' }
        const site = config([web({ reals: [real(A, { checks: [check] })] })])
        const { executors, weights } = await start(site, left([A, 1]), { resolver: names.resolver })
        await silence(names, 'check')
        assert.deepEqual(
          [...executors.works.values()].map(({ answer }) => answer?.ok),
          [null],
        )
        assert.deepEqual(await weights(), { [A]: 1 })
      })

      describe('and with a virtual service by name', () => {
        const vip = (name = 'web', family: 'ipv6' | null = null) =>
          service(name, { ...named('vip', family), reals: [asked(A, 5, fall)] })
        const owning = (...ids: readonly string[]) => {
          const journal = memoryJournal()
          journal.record({ add: ids.map(id => serviceId(id)) })
          return journal
        }
        const keys = async ({ kernel }: Awaited<ReturnType<typeof start>>) => [
          ...(await kernel.dump()).table.keys(),
        ]

        it('does not change services that may be it, until there is an answer', async () => {
          const names = handResolver()
          const journal = owning('2001:db8::80')
          const parts = { resolver: names.resolver, journal }
          const site = await start(config([vip()], asking), left([A, 5], [B, 7]), parts)
          await silence(names, 'vip')
          for (let i = 0; i < 3; i++) site.executors.find(A, failed())
          assert.deepEqual(await site.weights(), { [A]: 5, [B]: 7 })
          const [web] = (await site.status()).services
          assert.match(web?.nameTrouble ?? '', /ETIMEOUT\); its entries in the kernel stay unchanged until/)
          await names.answer('vip ipv6', '2001:db8::81')
          await site.weights()
          assert.deepEqual(await keys(site), ['tcp [2001:db8::81]:80'])
        })

        it('keeps the service if a reload replaces its address by its name', async () => {
          const names = handResolver()
          const first = config([web({ reals: [asked(A, 5, fall)] })])
          const site = await start(first, left([A, 5]), { resolver: names.resolver })
          const changes: string[] = []
          const { apply } = site.kernel
          Object.assign(site.kernel, {
            apply: (list: Parameters<typeof apply>[0]) => {
              changes.push(...list.map(({ op }) => op))
              return apply(list)
            },
          })
          site.executors.find(A, passed())
          await site.reload(config([vip()], asking), true)
          await silence(names, 'vip')
          assert.deepEqual(await site.weights(), { [A]: 5 })
          await names.answer('vip ipv6', '2001:db8::80')
          assert.deepEqual(await site.weights(), { [A]: 5 })
          assert.equal((await site.status()).services[0]?.key, 'tcp [2001:db8::80]:80')
          assert.deepEqual(changes, [])
        })

        it('removes another service that a reload removes, because it was configured by address', async () => {
          const names = handResolver()
          const both = config([vip('named'), web({ reals: [asked(A, 5, fall)] })])
          const site = await start(both, left([A, 5]), { resolver: names.resolver })
          await silence(names, 'vip')
          await site.reload(config([vip('named')]), true)
          await site.weights()
          assert.deepEqual(await keys(site), [])
        })

        it('removes a service of another port, protocol or family', async () => {
          const names = handResolver()
          const journal = owning('2001:db8::80', '192.0.2.80')
          const old = table(
            tableService(serviceId('192.0.2.80'), []),
            tableService(serviceId('2001:db8::80', 81), []),
            tableService({ ...serviceId('2001:db8::80'), protocol: 'udp' } as ServiceId, []),
            tableService(serviceId('2001:db8::80'), []),
          )
          journal.record({ add: [...old.values()].map(({ id }) => id) })
          const site = await start(config([vip('web', 'ipv6')]), old, { resolver: names.resolver, journal })
          await silence(names, 'vip')
          await site.weights()
          assert.deepEqual(await keys(site), ['tcp [2001:db8::80]:80'])
        })
      })
    })

    it('keeps a server of the table until its checks have failed fall times', async () => {
      const { executors, weights, status } = await start(site(), left([A, 5]))
      for (const expected of [{ [A]: 5 }, { [A]: 5 }, {}]) {
        executors.find(A, failed())
        assert.deepEqual(await weights(), expected)
      }
      assert.equal((await status()).services[0]?.reals[0]?.state, 'down')
    })

    it('adds a server that is not in the table with its first pass, and sets it down with its first failure', async () => {
      const { executors, weights, status } = await start(site(), left([A, 5]))
      executors.find(B, failed())
      assert.equal((await status()).services[0]?.reals[1]?.state, 'down')
      const { executors: others, weights: theirs } = await start(site(), left([A, 5]))
      others.find(B, passed())
      assert.deepEqual([await weights(), await theirs()], [{ [A]: 5 }, { [A]: 5, [B]: 5 }])
    })

    it('gives a quiesced server its weight with the first pass', async () => {
      const { executors, weights } = await start(site({ quiescent: true }), left([A, 5], [B, 0]))
      executors.find(B, passed())
      executors.find(A, failed())
      assert.deepEqual(await weights(), { [A]: 5, [B]: 5 })
    })

    it('keeps the fallback out and reports no failure before fall is reached', async () => {
      const fallback = real('fd00:1::f')
      const { executors, weights, lines } = await start(site({ fallback }), left([A, 5]))
      executors.find(A, failed())
      executors.find(B, failed())
      assert.deepEqual(await weights(), { [A]: 5 })
      assert.ok(!lines.some(line => line.real === `[${A}]:80`))
      executors.find(A, failed())
      executors.find(A, failed())
      assert.deepEqual(await weights(), { 'fd00:1::f': 1 })
    })

    it('runs the check early after a failure before fall is reached', async () => {
      const { executors } = await start(
        config([web({ reals: [asked(A, 5, { fall: 3, fastinter: 200 })] })]),
        left([A, 5]),
      )
      executors.find(A, failed())
      assert.deepEqual(
        executors.hurried.map(([, ms]) => ms),
        [200],
      )
    })

    it('needs the same number of passes of several checks as without a restart', async () => {
      const two = real(A, { weight: 5, checks: [use('ask', {}, fall), use('ask', { n: 2 }, fall)], need: 1 })
      const { executors, weights } = await start(config([web({ reals: [two] })]), left([A, 5]))
      for (const _ of [1, 2, 3]) executors.findWhere('{}', failed())
      assert.deepEqual(await weights(), { [A]: 5 })
      for (const _ of [1, 2]) executors.findWhere('{"n":2}', failed())
      assert.deepEqual(await weights(), { [A]: 5 })
      executors.findWhere('{"n":2}', failed())
      assert.deepEqual(await weights(), {})
    })

    it('keeps a server that a reload adds if the table already has it', async () => {
      const { executors, weights, reload, kernel } = await start(
        site({ reals: [asked(A, 5, fall)] }),
        left([A, 5]),
      )
      executors.find(A, passed())
      const id = serviceId('2001:db8::81')
      await kernel.apply(diff(table(tableService(id, [tableReal(B, { weight: 5 })])), new Map(), new Set()))
      const other = service('other', { id, reals: [asked(B, 5, fall)] })
      await reload(config([web({ reals: [asked(A, 5, fall)] }), other]))
      executors.find(B, failed())
      assert.deepEqual(await weights(), { [A]: 5, [B]: 5 })
    })
  })

  describe('logs for a service', () => {
    const lost = async (parts: Partial<ResolvedService>) => {
      const site = await start(config([web(parts)]))
      site.executors.find(A, passed())
      site.executors.find(B, passed())
      await site.weights()
      site.executors.find(A, failed())
      site.executors.find(B, failed())
      await site.weights()
      site.executors.find(A, passed())
      await site.weights()
      return site.lines.filter(line => line.msg.startsWith('web: ')).map(({ level, msg }) => [level, msg])
    }

    it('that its last server is down and the fallback is in the table, and that the fallback is removed again', async () => {
      assert.deepEqual(await lost({ fallback: real('fd00:1::f') }), [
        [50, 'web: no real server is available, the fallback takes over'],
        [40, 'web: a real server is available again, the fallback is removed'],
      ])
    })

    it('that clients are refused if it has no fallback, or one without an address', async () => {
      const refused = await lost({})
      assert.deepEqual(refused, [
        [50, 'web: no real server is available, there is no fallback: clients are refused'],
        [40, 'web: a real server is available again, clients are served again'],
      ])
    })

    it('nothing at a start without errors', async () => {
      const { executors, lines, weights } = await start(config([web()]))
      executors.find(A, passed())
      await weights()
      assert.ok(!lines.some(line => line.msg.startsWith('web: ')))
    })
  })

  it('logs a change of a check without the field "to" if the state of its server is unchanged', async () => {
    const two = real(A, { checks: [use('ask'), use('ask', { n: 2 })], need: 1 })
    const { executors, lines, status } = await start(config([web({ reals: [two] })]))
    executors.find(A, passed())
    const before = (await status()).services[0]?.reals[0]?.since
    executors.findWhere('{"n":2}', failed())
    const last = lines.at(-1)
    assert.deepEqual(
      [last?.msg, last?.state, last?.from, last?.to],
      ['check fails, its real server stays up (1 of 2 pass, 1 needed)', 'up', undefined, undefined],
    )
    const [shown] = (await status()).services[0]?.reals ?? []
    assert.deepEqual([shown?.state, shown?.passing, shown?.need, shown?.since], ['up', 1, 1, before])
    assert.equal(shown?.reason, '1 of 2 checks pass, 1 needed; ask: refused')
  })

  it('logs once for each server a long time without a verdict, its reason and its end', async () => {
    const { executors, lines, status } = await start(config([web()]))
    executors.find(A, passed())
    const told = () => lines.filter(line => /verdict three times|verdict again/.test(line.msg))
    for (let i = 0; i < 2; i++) executors.find(A, failed('no-verdict'))
    assert.deepEqual(told(), [])
    for (let i = 0; i < 5; i++) executors.find(A, failed('no-verdict'))
    assert.deepEqual(
      told().map(({ real, detail }) => [real, detail]),
      [[`[${A}]:80`, 'no-verdict']],
    )
    const [shown] = (await status()).services[0]?.reals ?? []
    assert.match(shown?.reason ?? '', /^no verdict since \d{4}-\d\d-\d\d [\d:]{8} \S+: no-verdict$/)
    assert.deepEqual([shown?.state, shown?.checks[0]?.noVerdict?.count], ['up', 7])
    executors.find(A, passed())
    assert.equal(told().length, 2)
    assert.equal((await status()).services[0]?.reals[0]?.checks[0]?.noVerdict, null)
  })

  it('does not log the options of a check, which may contain passwords', async () => {
    const secret = real(A, { checks: [use('ask', { passwd: 'hunter2' })] })
    const { log, lines } = recordingLog('debug')
    const { executors } = await start(config([web({ reals: [secret] })]), new Map(), { log })
    executors.find(A, passed())
    assert.ok(lines.some(line => line.job === `web/[${A}]:80/ask`))
    assert.doesNotMatch(JSON.stringify(lines), /hunter2/)
  })

  it('logs a transition once, with its reason', async () => {
    const { executors, lines } = await start(config([web()]))
    for (const result of [passed(), failed('timeout'), failed('timeout')]) executors.find(A, result)
    const [up, down, ...more] = lines.filter(line => line.real === `[${A}]:80`)
    assert.deepEqual([up?.msg, up?.from, up?.to], ['real server up', 'unknown', 'up'])
    assert.deepEqual(
      [down?.msg, down?.reason, down?.phase, down?.ms],
      ['real server down', 'timeout', 'connect', 1],
    )
    assert.deepEqual(more, [])
  })

  it('gives each line the name of its kind, and only fields that the kind has', async () => {
    const { log, lines } = recordingLog('debug')
    const site = config([web({ fallback: real('fd00:1::f') })])
    const { executors, idle, reload, kernel, daemon } = await start(site, new Map(), { log })
    const advised: CheckResult = { ...passed(), advice: { weight: 3 } }
    const unasked = failed('no-verdict')
    for (const result of [passed(), advised, failed(), unasked, unasked, unasked, passed()]) {
      for (const host of [A, B]) executors.find(host, result)
      await idle()
    }
    const { table: held } = await kernel.dump()
    await kernel.apply(diff(new Map(), held, new Set(held.keys())))
    const at = { line: 3, column: 1, length: 1 }
    await reload(null, false, [{ severity: 'error', code: 'SYNTAX', message: 'no', file: 'site.yaml', at }])
    await reload(site)
    await daemon.stop()
    const refused = lines.find(({ event }) => event === 'reload.refused')
    assert.equal(refused?.detail, 'site.yaml:3:1 no')
    const drift = lines.find(({ event }) => event === 'drift.repaired')
    assert.equal(drift?.service, 'web')
    const ids = lines.flatMap(({ id }) => (id === undefined ? [] : [id]))
    assert.deepEqual(
      ids,
      ids.map((_, i) => i + 1),
    )
    for (const { event, level, time: _time, msg: _msg, id, ...fields } of lines) {
      assert.equal(id !== undefined, isEvent(event) && Number(level) >= 30, event)
      const { fields: known }: { fields: readonly string[] } = KINDS[event]
      for (const field of Object.keys(fields)) assert.ok(known.includes(field), `${event}: ${field}`)
    }
    assert.deepEqual([...new Set(lines.map(({ event }) => event))].sort(), [
      'check.first',
      'check.no-verdict',
      'check.verdict-again',
      'config.problem',
      'daemon.started',
      'daemon.stopped',
      'drift.repaired',
      'real.down',
      'real.up',
      'reload.accepted',
      'reload.refused',
      'run.no-verdict',
      'run.result',
      'service.fallback-in',
      'service.fallback-out',
      'table.changed',
      'table.kept',
      'weight.changed',
    ])
  })

  it('runs a check early after a first failure', async () => {
    const policy = { fall: 2, fastinter: 200 }
    const { executors, weights } = await start(config([web({ reals: [asked(A, 1, policy)] })]))
    executors.find(A, passed())
    executors.find(A, failed())
    assert.deepEqual(
      executors.hurried.map(([, ms]) => ms),
      [200],
    )
    assert.deepEqual(await weights(), { [A]: 1 })
    executors.find(A, failed())
    assert.deepEqual(await weights(), {})
  })

  it('keeps health and jobs of unchanged servers in a reload', async () => {
    const { executors, weights, reload, told } = await start(config([web()]))
    executors.find(A, passed())
    executors.find(B, passed())
    const before = [...executors.jobs.values()]
    const outcome = await reload(config([web({ reals: [asked(A, 7), asked(B), asked('fd00:1::c')] })]))
    assert.equal(outcome.ok, true)
    assert.deepEqual(await weights(), { [A]: 7, [B]: 1 })
    assert.deepEqual([...executors.jobs.values()].slice(0, 2), before)
    assert.deepEqual(told, ['ready', 'reloading', 'ready'])
  })

  it('refuses a reload with errors and changes nothing', async () => {
    const { executors, weights, reload, lines } = await start(config([web()]))
    executors.find(A, passed())
    const at = { line: 3, column: 1, length: 1 }
    const problem: Problem = {
      severity: 'error',
      code: 'UNKNOWN_KEY',
      message: 'what?',
      file: 'site.yaml',
      at,
    }
    const outcome = await reload(null, false, [problem])
    assert.deepEqual([outcome.ok, outcome.problems], [false, [problem]])
    assert.match(outcome.message, /1 error in the file; the running configuration stays/)
    assert.deepEqual(await weights(), { [A]: 1 })
    assert.ok(lines.some(line => line.at === 'site.yaml:3:1'))
  })

  it('requires a confirmation before a reload removes most servers', async () => {
    const { executors, weights, reload } = await start(config([web()], settings({ removalLimit: 50 })))
    executors.find(A, passed())
    const empty = config([web({ reals: [] })])
    assert.match((await reload(empty)).message, /remove 2 of 2 real servers.*lvsd reload --force/)
    assert.deepEqual(await weights(), { [A]: 1 })
    assert.equal((await reload(empty, true)).ok, true)
    assert.deepEqual(await weights(), {})
  })

  it('runs one more reload for all requests during a reload', async () => {
    const { reload, told, daemon, weights, executors } = await start(config([web()]))
    executors.find(A, passed())
    const outcomes = [reload(config([web()])), ...Array.from({ length: 50 }, () => daemon.reload(false))]
    await outcomes[0]
    const last = reload(config([web({ reals: [asked(A, 9), asked(B)] })]))
    for (const { ok } of await Promise.all([...outcomes, last])) assert.equal(ok, true)
    assert.deepEqual(await weights(), { [A]: 9 })
    assert.ok(told.filter(word => word === 'reloading').length <= 3, `${told}`)
  })

  it('does not report that it is ready after its stop has begun', async () => {
    const { reload, told, daemon } = await start(config([web()]))
    await Promise.all([reload(config([web()])), daemon.stop(), daemon.stop()])
    assert.deepEqual(told.filter(word => word === 'stopping').length, 1)
    assert.notEqual(told.at(-1), 'ready')
  })

  it('leaves nothing open when its start fails in the middle', async () => {
    const closed: string[] = []
    const socket = join(tmpdir(), `lvsd-daemon-${process.pid}.sock`)
    const kernel = { ...memoryKernel(), close: () => void closed.push('kernel') }
    const journal = { ...memoryJournal(), close: () => void closed.push('journal') }
    const { log } = recordingLog()
    const site = config([web()], { socket })
    const parts: DaemonParts = {
      loaded: { config: site, checks: CHECKS, problems: [], text: '' },
      load: async () => assert.fail('nothing is read again'),
      kernel,
      kernelName: 'memory',
      journal,
      log,
      executors: handExecutors().open,
      notify: {
        ready: () => assert.fail('systemd is gone'),
        reloading: () => {},
        stopping: () => {},
        close: () => void closed.push('systemd'),
      },
    }
    await assert.rejects(startDaemon(parts), /systemd is gone/)
    assert.deepEqual(closed, ['kernel', 'journal', 'systemd'])
    assert.equal(existsSync(socket), false)
    const daemon = await startDaemon({ ...parts, notify: { ...parts.notify, ready: () => {} } })
    await daemon.stop()
  })

  it('logs nothing and reads nothing for a reload after its stop', async () => {
    const { daemon, told } = await start(config([web()]))
    await daemon.stop()
    const before = told.length
    assert.deepEqual((await daemon.reload(false)).message, 'lvsd is stopping')
    assert.equal(told.length, before)
  })

  it('runs a check at once for a new service that shares it with another service', async () => {
    const { reload, executors } = await start(config([web({ reals: [asked(A)] })]))
    executors.find(A, passed())
    const more = web({ reals: [asked(A)], name: 'web6', id: serviceId('2001:db8::81') })
    await reload(config([web({ reals: [asked(A)] }), more]))
    assert.deepEqual(
      executors.hurried.map(([, ms]) => ms),
      [0],
    )
  })

  it('removes a service that a reload removes', async () => {
    const mail = service('mail', { id: serviceId('2001:db8::25', 25), reals: [] })
    const { reload, kernel } = await start(config([web(), mail]))
    await reload(config([web()]))
    assert.deepEqual([...(await kernel.dump()).table.keys()], ['tcp [2001:db8::80]:80'])
  })

  it('keeps the table when it stops, except services with cleanstop', async () => {
    const mail = service('mail', { id: serviceId('2001:db8::25', 25), reals: [], cleanstop: true })
    const { daemon, kernel, told } = await start(config([web(), mail]))
    const { dump } = kernel
    await daemon.stop()
    assert.deepEqual([...(await dump()).table.keys()], ['tcp [2001:db8::80]:80'])
    assert.equal(told.at(-1), 'stopping')
  })

  it('shows after a restart since when a server is in its state, and its state before the restart', async () => {
    const memoryPath = join(mkdtempSync(join(tmpdir(), 'lvsd-health-')), 'health.json')
    onCleanup(() => rmSync(dirname(memoryPath), { recursive: true }))
    const first = await start(config([web()]), new Map(), { memoryPath })
    first.executors.find(A, passed('200 OK'))
    const [before] = (await first.status()).services[0]?.reals ?? []
    await first.daemon.stop()
    const next = await start(config([web()]), new Map(), { memoryPath })
    const [unknown] = (await next.status()).services[0]?.reals ?? []
    assert.deepEqual([unknown?.state, unknown?.remembered?.state], ['unknown', 'up'])
    assert.match(unknown?.reason ?? '', /^not checked yet; before the restart up since .*: 200 OK$/)
    next.executors.find(A, passed('200 OK'))
    const [after] = (await next.status()).services[0]?.reals ?? []
    assert.deepEqual([after?.state, after?.remembered], ['up', null])
    // The clocks of two runs agree to some milliseconds.
    assert.ok(Math.abs(Date.parse(after?.since ?? '') - Date.parse(before?.since ?? '')) < 100)
  })

  it('logs once that checks give no verdict, and changes no state', async () => {
    const { executors, weights, lines } = await start(config([web()]))
    executors.find(A, passed())
    for (let i = 0; i < 5; i++) executors.find(A, failed('no-verdict'))
    assert.deepEqual(await weights(), { [A]: 1 })
    assert.equal(lines.filter(line => line.msg.startsWith('a check had no verdict')).length, 1)
  })

  it('shows in the status the desired table, the kernel table and the reasons', async () => {
    const { status, executors, weights } = await start(
      config([web({ quiescent: true, fallback: real('fd00:1::f') })]),
    )
    executors.find(A, failed('refused'))
    executors.find(B, failed('timeout'))
    await weights()
    const { services, kernel, schedule } = await status()
    const [first] = services[0]?.reals ?? []
    assert.deepEqual([kernel, schedule.jobs, services[0]?.fallback?.inUse], ['memory', 2, true])
    assert.deepEqual(
      [first?.state, first?.weight, first?.reason],
      ['down', { configured: 1, wanted: 0, kernel: 0 }, 'refused'],
    )
    assert.deepEqual(first?.checks[0]?.target, `[${A}]:80`)
  })
})

describe('daemon: files and commands beside the daemon', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'lvsd-beside-'))
    onCleanup(() => rmSync(path, { recursive: true, force: true }))
    return path
  }

  it('keep a server down that an earlier run held by its name, while no name server answers', async () => {
    const maintenancedir = folder()
    writeFileSync(join(maintenancedir, 'web1'), '')
    const called: Record<string, readonly string[] | null> = { [A]: ['web1.example'], [B]: [] }
    const resolver: Resolver = {
      addresses: async () => ({ code: 'ENOTFOUND' }),
      names: async ({ text }) => called[text] ?? null,
      close: () => {},
    }
    const path = join(folder(), 'lvsd.json')
    const live = async () => {
      const journal = openJournal(path, () => assert.fail('damaged'))
      const life = await start(config([web()], { maintenancedir }), new Map(), { resolver, journal })
      life.executors.find(A, passed())
      life.executors.find(B, passed())
      assert.deepEqual(await life.weights(), { [B]: 1 })
      return life
    }
    await (await live()).daemon.stop()
    called[A] = null
    called[B] = null
    const second = await live()
    const [first] = (await second.status()).services[0]?.reals ?? []
    assert.equal(first?.reason, `held down by the maintenance file ${maintenancedir}/web1`)
    await second.daemon.stop()
    rmSync(maintenancedir, { recursive: true })
    const third = await live()
    assert.ok(third.lines.some(({ msg }) => /the maintenance folder is missing/.test(msg)))
    mkdirSync(maintenancedir)
    await until(async () => (await third.weights())[A] === 1, { what: 'the server goes back to work' })
  })

  it('hold a server down while its file is in the maintenance folder', async () => {
    const maintenancedir = folder()
    const { executors, weights, lines, status } = await start(
      config([web({ quiescent: true })], { maintenancedir }),
    )
    executors.find(A, passed())
    executors.find(B, passed())
    writeFileSync(join(maintenancedir, `[${A}]`), '')
    await until(async () => (await weights())[A] === 0, { what: 'the server is held down' })
    assert.deepEqual(await weights(), { [A]: 0, [B]: 1 })
    const [first] = (await status()).services[0]?.reals ?? []
    assert.equal(first?.reason, `held down by the maintenance file ${maintenancedir}/[${A}]`)
    executors.find(A, passed())
    assert.deepEqual(await weights(), { [A]: 0, [B]: 1 })
    rmSync(join(maintenancedir, `[${A}]`))
    await until(async () => (await weights())[A] === 1, { what: 'the server goes back to work' })
    assert.deepEqual(
      lines.filter(line => /maintenance/.test(line.msg)).map(line => line.msg),
      ['real server held down for maintenance', 'maintenance is over: the checks decide again'],
    )
  })

  it('show the text of the file, and report files that match no server', async () => {
    const maintenancedir = folder()
    writeFileSync(join(maintenancedir, `[${A}]`), '\n  disk swap, Anna\u001b[2J\nmore\n')
    for (const name of ['web9', '.swp']) writeFileSync(join(maintenancedir, name), '')
    const { status, lines } = await start(config([web()], { maintenancedir }))
    const reason = async () => (await status()).services[0]?.reals[0]?.reason ?? ''
    await until(async () => (await reason()).includes('Anna'), { what: 'the reason names who works there' })
    assert.equal(
      await reason(),
      `held down by the maintenance file ${maintenancedir}/[${A}]: disk swap, Anna·[2J`,
    )
    const told = () => lines.filter(({ msg }) => msg.includes('does not match any real server'))
    await until(async () => told().length > 0, { what: 'the first file is told' })
    writeFileSync(join(maintenancedir, 'web8'), '')
    await until(async () => told().length > 1, { what: 'the second file is told' })
    assert.deepEqual(
      told().map(({ file }) => file),
      ['web9', 'web8'],
    )
  })

  it('keep a server down through a reload, which does not log it again', async () => {
    const maintenancedir = folder()
    writeFileSync(join(maintenancedir, `[${A}]:80`), '')
    const site = () => config([web()], { maintenancedir })
    const { executors, weights, lines, reload } = await start(site())
    executors.find(A, passed())
    executors.find(B, passed())
    await until(async () => !(A in (await weights())), { what: 'the server is held down' })
    await reload(site())
    assert.deepEqual(await weights(), { [B]: 1 })
    assert.equal(lines.filter(line => /held down/.test(line.msg)).length, 1)
  })

  it('hold a server down by its name from the beginning of a start', async () => {
    const maintenancedir = folder()
    writeFileSync(join(maintenancedir, 'localhost'), '')
    const local = web({ id: serviceId('192.0.2.80'), reals: [asked('127.0.0.1'), asked('127.9.9.9')] })
    const { executors, weights, status } = await start(config([local], { maintenancedir }))
    executors.find('127.0.0.1', passed())
    executors.find('127.9.9.9', passed())
    assert.deepEqual(await weights(), { '127.9.9.9': 1 })
    const [first] = (await status()).services[0]?.reals ?? []
    assert.equal(first?.reason, `held down by the maintenance file ${maintenancedir}/localhost`)
  })

  it('run the fallbackcommand when the last server goes down and when the first one is up', async () => {
    const out = join(folder(), 'out')
    const { executors } = await start(config([web({ fallbackcommand: `echo >>${out} web` })]))
    const written = () => (existsSync(out) ? readFileSync(out, 'utf8') : '')
    executors.find(A, passed())
    executors.find(B, failed())
    executors.find(A, failed())
    executors.find(B, failed())
    await until(() => written() === 'web start [2001:db8::80]:80 tcp\n', {
      what: 'the command is run for start',
    })
    executors.find(B, passed())
    executors.find(A, passed())
    await until(() => written() === 'web start [2001:db8::80]:80 tcp\nweb stop [2001:db8::80]:80 tcp\n', {
      what: 'the command is run for stop',
    })
  })

  it('reload when the file changes, and run the callback', async () => {
    const path = folder()
    const file = join(path, 'site.yaml')
    const out = join(path, 'out')
    writeFileSync(file, 'one')
    const site = (weight: number) => ({
      ...config([web({ reals: [asked(A, weight)] })], { autoreload: true, callback: `echo >>${out}` }),
      file,
    })
    const { executors, weights, next, loadedOf } = await start(site(1))
    executors.find(A, passed())
    next.loaded = { ...loadedOf(site(7)), text: 'two' }
    await new Promise(resolve => setTimeout(resolve, 50))
    writeFileSync(file, 'two')
    await until(async () => (await weights())[A] === 7, { what: 'the changed file is in force' })
    await until(() => existsSync(out) && readFileSync(out, 'utf8') === `${file}\n`, {
      what: 'the callback is run',
    })
  })

  it('tell no change of a file that cannot run and that the start has told of, and run no callback for it', async () => {
    const path = folder()
    const file = join(path, 'site.yaml')
    const out = join(path, 'out')
    writeFileSync(file, 'broken')
    const site = { ...config([web()], { autoreload: true, callback: `echo >>${out}` }), file }
    const kept = { acceptedAt: '2026-11-29T10:00:00.000Z', problems: [], read: { text: 'broken' } }
    const { lines, next, loadedOf } = await start(site, undefined, { kept })
    next.loaded = { ...loadedOf(null), text: 'broken' }
    const told = () => lines.flatMap(({ event }) => (event?.startsWith('config.') ? event : []))
    // Three looks.
    await pause(3000)
    assert.deepEqual([told(), existsSync(out)], [['config.refused'], false])
    next.loaded = { ...loadedOf(site), text: 'edited' }
    writeFileSync(file, 'edited')
    await until(() => existsSync(out), { what: 'the callback is run' })
    assert.deepEqual(told(), ['config.refused', 'config.changed'])
  })
})

describe('daemon: its connectivity', () => {
  /** Lost at once: no machine has this interface. */
  const lost = {
    ...{ gateways: [], groups: [], interfaces: ['nothere0'], routes: [] },
    ...{ interval: 1000, timeout: 1000, rise: 1, fall: 3 },
  }
  const site = (
    connectivity: typeof lost | null,
    trackFile: { path: string; weight: number } | null = null,
  ) => ({
    ...config([web()]),
    cluster: {
      site: 'berlin',
      role: { from: 'always-active', path: null } as const,
      standby: { table: 'same', checks: 'on' } as const,
      heartbeat: 1000,
      redis: null,
      connectivity,
      trackFile,
    },
  })

  it('a director that has lost its network keeps the table, says so once, and goes on when it is back', async () => {
    const { executors, weights, reload, status, lines } = await start(site(null))
    for (const server of [A, B]) executors.find(server, passed())
    assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
    await reload(site(lost))
    const { cluster } = await status()
    assert.deepEqual(
      [cluster?.table, cluster?.connectivity?.lost?.detail],
      ['keep', 'there is no interface nothere0'],
    )
    for (let i = 0; i < 5; i++) executors.find(A, failed())
    assert.equal((await status()).services[0]?.reals[0]?.state, 'up')
    assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
    await reload(site(null))
    const told = lines.flatMap(({ event }) => (event?.startsWith('director.connectivity') ? event : []))
    assert.deepEqual(told, ['director.connectivity-lost', 'director.connectivity-restored'])
    // A run that began before the network was back does not count; these last for 1 ms.
    await pause(5)
    for (let i = 0; i < 4; i++) executors.find(A, failed())
    assert.deepEqual(await weights(), { [B]: 1 })
  })

  it('tells keepalived by the track-file, which stays at a stop', async () => {
    const path = join(temporaryFolder(), 'priority')
    const becomes = (text: string) =>
      until(() => existsSync(path) && readFileSync(path, 'utf8') === text, { what: text })
    const present = { ...lost, interfaces: ['lo'] }
    const { daemon, reload } = await start(site(present, { path, weight: 60 }))
    await becomes('0\n')
    await reload(site(lost, { path, weight: 60 }))
    await becomes('-60\n')
    await daemon.stop()
    assert.equal(readFileSync(path, 'utf8'), '-60\n')
  })
})

describe('daemon: its role', () => {
  function site(path: string, standby: { table: 'same' | 'keep' | 'empty'; checks: 'on' | 'slow' | 'off' }) {
    const cluster = {
      site: 'berlin',
      role: { from: 'file', path, lease: 5000 } as const,
      standby,
      heartbeat: 1000,
      redis: null,
    }
    return { ...config([web()]), cluster }
  }

  async function begin(word: string, standby: Parameters<typeof site>[1]) {
    const path = join(temporaryFolder(), 'role')
    writeFileSync(path, word)
    const stage = await start(site(path, standby))
    const becomes = async (role: string) => {
      writeFileSync(path, role)
      const isApplied = () => stage.lines.some(line => line.event === 'role.applied' && line.role === role)
      await until(isApplied, { what: `the role ${role}` })
    }
    return { ...stage, becomes }
  }

  it('a standby with the table empty fills it when it becomes active, in one reconcile, and empties it again', async () => {
    const { executors, weights, becomes, status, lines } = await begin('standby', {
      table: 'empty',
      checks: 'on',
    })
    executors.find(A, passed())
    executors.find(B, passed())
    assert.deepEqual(await weights(), {})
    const { cluster, services } = await status()
    assert.deepEqual(
      [cluster?.role, cluster?.table, services[0]?.reals[0]?.state],
      ['standby', 'empty', 'up'],
    )
    await becomes('active')
    assert.deepEqual(await weights(), { [A]: 1, [B]: 1 })
    const applied = lines.find(line => line.event === 'role.applied')
    assert.deepEqual([applied?.changes, typeof applied?.ms], [3, 'number'])
    await becomes('standby')
    assert.deepEqual(await weights(), {})
  })

  it('a standby that keeps the table leaves what another director has written, also at its stop', async () => {
    const held = table(tableService(serviceId('2001:db8::80'), [tableReal(A, { weight: 7 })]))
    const path = join(temporaryFolder(), 'role')
    writeFileSync(path, 'standby')
    const { services, ...rest } = site(path, { table: 'keep', checks: 'on' })
    const { daemon, executors, weights, lines } = await start(
      { ...rest, services: services.map(one => ({ ...one, cleanstop: true })) },
      held,
    )
    executors.find(A, failed())
    assert.deepEqual(await weights(), { [A]: 7 })
    await daemon.stop()
    assert.deepEqual(await weights(), { [A]: 7 })
    assert.ok(!lines.some(({ event }) => event === 'table.cleaned'))
  })

  it('a standby checks as it is told, and at once when it becomes active', async () => {
    const slow = await begin('standby', { table: 'same', checks: 'slow' })
    const intervals = (stage: typeof slow) =>
      [...stage.executors.jobs.values()].map(({ interval }) => interval)
    const [usual] = [web().reals[0]?.checks[0]?.policy.interval ?? 0]
    assert.deepEqual(intervals(slow), [10 * usual, 10 * usual])
    await slow.becomes('active')
    assert.deepEqual(
      [...slow.executors.jobs.values()].map(({ interval, firstIn }) => [interval, firstIn]),
      [
        [usual, 0],
        [usual, 0],
      ],
    )
    const off = await begin('standby', { table: 'same', checks: 'off' })
    assert.deepEqual(intervals(off), [])
    await off.becomes('active')
    assert.deepEqual(intervals(off), [usual, usual])
    await off.becomes('standby')
    assert.deepEqual(intervals(off), [])
  })
})
