import assert from 'node:assert/strict'
import fc from 'fast-check'
import { loadConfig } from '../../../src/config/load.js'
import { nextHealth, unknownHealth } from '../../../src/core/health.js'
import type { CheckPolicy, Config, Health } from '../../../src/core/model.js'
import { readRecording } from '../../../src/simulate/recording.js'
import { replay } from '../../../src/simulate/replay.js'
import { recordingOf } from '../../support/simulate/recordings.js'

const REAL = 'web/[fd00::1]:80'
const CHECK = `${REAL}/connect`
const POLICY: CheckPolicy = { interval: 10_000, timeout: 3000, rise: 1, fall: 2, fastinter: 10_000 }
const START = 1_764_350_600_000

async function configWith(policy: Partial<CheckPolicy> = {}, more = '', hosts = ['fd00::1']) {
  const { interval, timeout, rise, fall, fastinter } = {
    ...POLICY,
    fastinter: policy.interval ?? 10_000,
    ...policy,
  }
  const text = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: connect, interval: ${interval}ms, timeout: ${timeout}ms, rise: ${rise}, fall: ${fall}, fastinter: ${fastinter}ms }
    reals: [${hosts.map(host => `'[${host}]:80'`).join(', ')}]
${more}`
  const { config, checks, problems } = await loadConfig('other.yaml', { text })
  assert.deepEqual(problems, [])
  return { config: config as Config, checks }
}

interface Recorded {
  readonly policy?: CheckPolicy
  /** Milliseconds by which a run is late. */
  readonly late?: (run: number) => number
}

/** The entries of a daemon whose runs find this: `p` passed, `f` refused, `t` timed out; one letter for each interval. */
function entriesOf(letters: string, { policy = POLICY, late = () => 0 }: Recorded = {}): readonly unknown[] {
  const entries: unknown[] = [{ t: START, begin: true }]
  let health: Health = unknownHealth(0)
  let last = ''
  let t = START
  for (const [run, letter] of [...letters].entries()) {
    const ms = letter === 't' ? policy.timeout : 1
    t = START + run * policy.interval + late(run) + ms
    const found = { p: [true, null], f: [false, 'refused'], t: [false, 'timeout'] }[letter] ?? []
    const [ok, reason] = found as [boolean, string | null]
    if (letter !== last)
      entries.push({
        t,
        check: CHECK,
        ok,
        reason,
        detail: letter,
        phase: null,
        ms,
        ...(last === '' && { policy }),
      })
    last = letter
    const next = nextHealth(health, { ok, reason, detail: '', ms, phase: null, phases: [] }, policy, t)
    if (next.state !== health.state) entries.push({ t, real: REAL, from: health.state, to: next.state })
    health = next
  }
  return [...entries, { t, end: true }]
}

async function replayed(
  entries: readonly unknown[],
  other: Partial<CheckPolicy> = {},
  { more = '', hosts = ['fd00::1'] } = {},
) {
  const path = recordingOf(entries)
  return replay({ ...(await configWith(other, more, hosts)), recording: readRecording(path), path })
}

async function sidesOf(...given: Parameters<typeof replayed>) {
  const { servers, ...rest } = await replayed(...given)
  const [server] = servers
  assert.equal(server?.name, REAL)
  const brief = (side: typeof server.was | null) =>
    side?.outages.map(({ from, to, isFalse }) => [
      Math.round((from - START) / 10_000),
      to && Math.round((to - START) / 10_000),
      isFalse,
    ])
  return { was: brief(server.was), would: brief(server.would), isSame: server.isSame, server, ...rest }
}

describe('replay', () => {
  //                                 0123456789012345678901234
  const LETTERS = 'ppppffpppppfffffpppppfppp'

  it('shows what another fall would have done', async () => {
    const at = async (fall: number) => {
      const { was, would, isSame } = await sidesOf(entriesOf(LETTERS), { fall })
      assert.deepEqual(was, [
        [5, 6, true],
        [12, 16, false],
      ])
      return { would, isSame }
    }
    assert.deepEqual(await at(2), {
      would: [
        [5, 6, true],
        [12, 16, false],
      ],
      isSame: true,
    })
    assert.deepEqual(await at(3), { would: [[13, 16, false]], isSame: false })
    assert.deepEqual(await at(1), {
      would: [
        [4, 6, false],
        [11, 16, false],
        [21, 22, true],
      ],
      isSame: false,
    })
    assert.deepEqual(await at(6), { would: [], isSame: false })
  })

  it('shows what another rise would have done', async () => {
    const { would } = await sidesOf(entriesOf(LETTERS), { rise: 3 })
    assert.deepEqual(would, [
      [5, 8, true],
      [12, 18, false],
    ])
  })

  it('makes no difference with the recorded policy, however late the runs were', async () => {
    const runs = fc.array(fc.constantFrom('p', 'p', 'p', 'f', 't'), { minLength: 2, maxLength: 60 })
    const policies = fc.record({ rise: fc.integer({ min: 1, max: 3 }), fall: fc.integer({ min: 1, max: 3 }) })
    await fc.assert(
      fc.asyncProperty(runs, policies, fc.integer({ min: 0, max: 2400 }), async (letters, changed, most) => {
        const policy = { ...POLICY, ...changed }
        const late = (run: number) => (run * 7919) % (most + 1)
        const entries = entriesOf(`p${letters.join('')}`, { policy, late })
        const { server, missing } = await sidesOf(entries, changed)
        assert.deepEqual(server.would, server.was)
        assert.ok(server.isSame, JSON.stringify(server))
        assert.deepEqual({ ...missing, gap: 0 }, { shorterInterval: 0, longerTimeout: 0, gap: 0 })
      }),
      { numRuns: 60 },
    )
  })

  it('takes each second result where the interval is twice as long', async () => {
    const { would, missing, runs } = await sidesOf(entriesOf('ppppffffpppp'), { interval: 20_000, fall: 1 })
    assert.deepEqual(would, [[4, 8, false]])
    assert.equal(missing.shorterInterval, 0)
    assert.equal(runs, 6)
  })

  it('invents nothing where the interval is shorter: runs without a result are counted', async () => {
    const { would, missing, runs } = await sidesOf(entriesOf(LETTERS), { interval: 5000, fall: 2 })
    assert.deepEqual(would, [
      [5, 6, false],
      [12, 16, false],
    ])
    assert.ok(Math.abs(missing.shorterInterval - runs / 2) <= 1, JSON.stringify({ missing, runs }))
  })

  it('does not know what would have come after a recorded timeout', async () => {
    const entries = entriesOf('ppttpp')
    assert.deepEqual((await sidesOf(entries, { timeout: 2000 })).would?.length, 1)
    const { would, missing } = await sidesOf(entries, { timeout: 5000 })
    assert.deepEqual(would, [])
    assert.equal(missing.longerTimeout, 2)
  })

  it('lets a recorded answer be too late for a shorter time limit', async () => {
    const entries = [
      { t: START, begin: true },
      {
        t: START + 10,
        check: CHECK,
        ok: true,
        reason: null,
        detail: '',
        phase: null,
        ms: 10,
        policy: POLICY,
      },
      { t: START + 10_900, check: CHECK, ok: true, reason: null, detail: 'slow', phase: null, ms: 900 },
      { t: START + 40_000, end: true },
    ]
    assert.deepEqual((await sidesOf(entries, { timeout: 500 })).would, [[2, null, false]])
    assert.deepEqual((await sidesOf(entries, { timeout: 1000 })).would, [])
  })

  it('applies damping', async () => {
    const flaps = `pp${'ffppp'.repeat(6)}`
    const { was, would, server } = await sidesOf(
      entriesOf(flaps),
      {},
      {
        more: '    damping: { changes: 4, within: 10m, hold: 30m }\n',
      },
    )
    assert.equal(was?.length, 6)
    // Alone in its service, a server that flaps is spared.
    assert.equal(would?.length, 6)
    assert.equal(server.isSame, true)
  })

  it('keeps the state over a time in which nothing was recorded', async () => {
    const first = entriesOf('pppp')
    const later = entriesOf('pffpp').map(entry => ({
      ...(entry as { t: number }),
      t: (entry as { t: number }).t + 600_000,
    }))
    const { unrecorded, missing, would, server } = await sidesOf([...first, ...later])
    assert.ok(Math.abs(unrecorded - 570_000) < 10, String(unrecorded))
    assert.ok(missing.gap > 50)
    assert.equal(missing.shorterInterval, 0)
    assert.deepEqual(would, [[62, 63, true]])
    assert.equal(server.isSame, true)
  })

  it('names checks that only one of both has', async () => {
    const { servers, notRecorded, notConfigured } = await replayed(
      entriesOf(LETTERS),
      {},
      { hosts: ['fd00::2'] },
    )
    assert.deepEqual(notRecorded, ['web/[fd00::2]:80/connect'])
    assert.deepEqual(notConfigured, [CHECK])
    assert.deepEqual(
      servers.map(({ name, was, would }) => [name, was?.outages.length, would?.outages.length]),
      [
        ['web/[fd00::2]:80', undefined, undefined],
        [REAL, 2, undefined],
      ],
    )
  })

  it('does not know what a check would have found of which there is no recording', async () => {
    const entries = entriesOf(LETTERS).map(entry => {
      const { check, ...rest } = entry as { readonly check?: string }
      return check ? { ...rest, check: `${REAL}/http` } : rest
    })
    const { was, would, isSame, server, missing, runs } = await sidesOf(entries)
    assert.deepEqual([was?.length, would, isSame], [2, undefined, false])
    assert.equal(server.would, null)
    assert.deepEqual(server.withoutRecording, ['connect'])
    assert.ok(runs > 20)
    assert.equal(missing.gap, runs)
  })

  it('does not know what a server would have done of which one of several checks has no recording of its own', async () => {
    const path = recordingOf(entriesOf(LETTERS))
    const withChecks = async (...given: readonly string[]) => {
      const checks = given.map(check => `{ ${check}, interval: 10s, timeout: 3s, fall: 2, fastinter: 10s }`)
      const text = `
services:
  web: { virtual: '[2001:db8::80]:80', reals: ['[fd00::1]:80'], checks: [${checks.join(', ')}] }
`
      const loaded = await loadConfig('other.yaml', { text })
      assert.deepEqual(loaded.problems, [])
      const config = loaded.config as Config
      const { servers } = await replay({
        config,
        checks: loaded.checks,
        recording: readRecording(path),
        path,
      })
      return servers.map(({ would, withoutRecording }) => [would?.outages.length, withoutRecording])
    }
    assert.deepEqual(await withChecks('kind: connect'), [[2, []]])
    assert.deepEqual(await withChecks('kind: connect', 'kind: http'), [[undefined, ['http']]])
    assert.deepEqual(await withChecks('kind: connect', 'kind: connect, checkport: 81'), [
      [undefined, ['each of several connect']],
    ])
  })

  it('replays what happened too, so that the errors of a replay are no difference', async () => {
    // The states are later than the results, as where checks were brought forward.
    const entries = entriesOf(LETTERS).map(entry => {
      const { real, t, ...rest } = entry as { readonly real?: string; readonly t: number }
      return real ? { real, t: t + 7000, ...rest } : entry
    })
    const { server } = await sidesOf(entries)
    assert.deepEqual([server.wasBy, server.isSame], ['replay', true])
    assert.deepEqual(server.was, server.would)
    assert.notDeepEqual(server.events, server.was)
    const [first] = server.events?.outages ?? []
    assert.ok(Math.abs(server.tolerance - 17_000) < 100, `${server.tolerance} ${first?.from}`)
  })

  it('takes what happened from the events where the recorded policy does not give them', async () => {
    const hold = (t: number, hold: string, state: string) => ({
      t: START + t * 1000,
      real: REAL,
      hold,
      state,
    })
    const [begin, ...rest] = entriesOf('pppppppp')
    const entries = [
      begin,
      ...rest.slice(0, -1),
      hold(20, 'held', 'down'),
      hold(50, 'freed', 'up'),
      rest.at(-1),
    ]
    const { server, was, would } = await sidesOf(entries)
    assert.equal(server.wasBy, 'events')
    assert.deepEqual([was?.length, would?.length], [1, 0])
  })

  it('replays the damping of the configuration where the recording has damped servers', async () => {
    const options = {
      more: '    damping: { changes: 4, within: 10m, hold: 30m }\n',
      hosts: ['fd00::1', 'fd00::2'],
    }
    const letters = `pp${'ffppp'.repeat(6)}`
    const [begin, ...both] = entriesOf(letters).flatMap(entry => {
      const { check, ok } = entry as { readonly check?: string; readonly ok?: boolean }
      const other = { ...(entry as object), check: 'web/[fd00::2]:80/connect' }
      return check && ok && 'policy' in other ? [entry, other] : [entry]
    })
    const results = [begin, ...both.filter(entry => !('real' in (entry as object)))]
    const { would } = await sidesOf(results, {}, options)
    // Damping holds the server to the end.
    assert.deepEqual(would?.at(-1)?.[1], null)
    assert.ok(would.length < 6)
    const states = (await sidesOf(results, {}, options)).server.would?.outages.flatMap(({ from, to }) => [
      { t: from, real: REAL, from: 'up', to: 'down' },
      ...(to === null ? [{ t: from, real: REAL, hold: 'held', state: 'down' }] : []),
      ...(to === null ? [] : [{ t: to, real: REAL, from: 'down', to: 'up' }]),
    ])
    const up = { t: START + 1, real: REAL, from: 'unknown', to: 'up' }
    const recorded = [results[0], up, ...(states ?? []), ...results.slice(1)]
    const { server } = await sidesOf(recorded, {}, options)
    assert.deepEqual([server.wasBy, server.isSame], ['replay', true])
    assert.deepEqual(server.was, server.would)
  })

  it('counts a removal as false where the next run is late', async () => {
    const { was, would } = await sidesOf(entriesOf('pppffpppp', { late: run => (run >= 5 ? 900 : 0) }))
    assert.deepEqual([was?.[0]?.[2], would?.[0]?.[2]], [true, true])
  })

  it('says that an older recording has no policies', async () => {
    const entries = entriesOf(LETTERS).map(entry => ({ ...(entry as object), policy: undefined }))
    const { hasPolicies, isSame, server } = await sidesOf(entries)
    assert.deepEqual([hasPolicies, isSame, server.wasBy], [false, true, 'events'])
    assert.deepEqual(server.was, server.events)
  })
})
