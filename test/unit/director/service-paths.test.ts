import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { check as connect } from '../../../checks/connect.js'
import type { CheckWork, PathUse } from '../../../src/check/run-code.js'
import { diff } from '../../../src/core/diff.js'
import type { CheckResult, ResolvedService, Table } from '../../../src/core/model.js'
import { DEFAULT_MARKS, type MarkRange } from '../../../src/core/service-path.js'
import { ServicePaths, type ServicePathsParts } from '../../../src/director/service-paths.js'
import { type Job, jobsOf, workOf } from '../../../src/health/jobs.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { PathOwner } from '../../../src/reconcile/path-owner.js'
import { Reconciler } from '../../../src/reconcile/reconciler.js'
import type { Desired } from '../../../src/reconcile/reconciler-types.js'
import type { Timing } from '../../../src/schedule/executor.js'
import type { Executors } from '../../../src/schedule/executors.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { config, failed, passed, real, service, serviceId, use } from '../../support/tables.js'

const TIMING: Timing = { interval: 1000, timeout: 500, firstIn: 0 }
const MARK = DEFAULT_MARKS.from
const KEY = `fwmark ${MARK} ipv6`

function site(hosts: readonly string[], forwarding: 'gate' | 'ipip' = 'gate'): readonly Job[] {
  const checks = [{ ...use('connect'), path: 'service' as const }]
  const web = service('web', { reals: hosts.map(host => real(host, { forwarding, checks })) })
  return [...jobsOf(config([web as ResolvedService]), new Map([['connect', connect]])).jobs.values()]
}

const maps = new WeakMap<readonly Job[], ReadonlyMap<string, Job>>()
/** The same map for the same jobs. */
function mapOf(jobs: readonly Job[]): ReadonlyMap<string, Job> {
  const map = maps.get(jobs) ?? new Map(jobs.map(job => [job.id, job]))
  maps.set(jobs, map)
  return map
}

/** Paths on a memory table that is taken for the kernel's, and what the executors are told. */
function stage(
  hosts = ['fd00:1::a'],
  journal = memoryJournal(),
  kernel = memoryKernel(),
  owner: ServicePathsParts['owner'] = null,
) {
  const state = {
    jobs: site(hosts),
    range: DEFAULT_MARKS as MarkRange,
    refusals: new Map<string, string>(),
    now: 0,
  }
  const orders: string[] = []
  let missing = 0
  const paths = new ServicePaths({
    ...{ journal, kernel, isForwarding: true },
    answers: { refusals: () => state.refusals },
    range: () => state.range,
    jobs: () => mapOf(state.jobs),
    owner,
    isSettled: (_, ok) => ok === true,
    onMissing: () => void missing++,
    now: () => state.now,
  })
  const executors = paths.through({
    set: (_: string, { path, answer }: CheckWork, { firstIn }: Timing) =>
      orders.push(
        answer ? `${answer.ok} ${answer.detail}` : `set ${path?.via.text} ${path?.mark} in ${firstIn}`,
      ),
    remove: () => orders.push('remove'),
    soon: () => orders.push('soon'),
    atOnce: () => orders.push('at once'),
    retime: () => orders.push('retime'),
    next: () => null,
  } as unknown as Executors)
  const schedule = (jobs = state.jobs) => {
    for (const job of jobs) executors.set(job.id, workOf(job), TIMING)
  }
  /** A round of the reconciler. */
  const round = async (isWriting = true) => {
    const actual: Table = (await kernel.dump()).table
    const desired = paths.desired({ table: new Map(), ids: [] }, actual)
    if (isWriting) {
      journal.record({ add: desired.ids, ...(desired.marks && { marks: desired.marks }) })
      const changes = diff(desired.table, actual, journal.owned)
      await kernel.apply(changes)
      journal.record({ remove: changes.filter(({ op }) => op === 'delete-service').map(({ id }) => id) })
    }
    paths.settle((await kernel.dump()).table)
    return [...(await kernel.dump()).table.keys()]
  }
  const taken = () => orders.splice(0)
  return {
    paths,
    kernel,
    journal,
    state,
    executors,
    schedule,
    round,
    taken,
    missing: () => missing,
  }
}

const [JOB] = site(['fd00:1::a'])
const ID = JOB?.id ?? ''
const NOT_THERE = "null the service of this check with a firewall mark is not in the kernel's table"

async function judged(paths: ServicePaths, result: CheckResult): Promise<CheckResult> {
  return new Promise(resolve => paths.judge(ID, result, resolve))
}

describe('director: checks through the paths of services', () => {
  it('run once their marked service is in the table, not before', async () => {
    const { schedule, round, taken } = stage(['fd00:1::a', 'fd00:1::b'])
    schedule()
    assert.deepEqual(taken(), ['remove', 'remove'])
    assert.deepEqual(await round(), [KEY, `fwmark ${MARK + 1} ipv6`])
    assert.deepEqual(taken(), [`set fd00:1::a ${MARK} in 0`, `set fd00:1::b ${MARK + 1} in 0`])
  })

  it('keep the times of their runs while they wait, and when they get another mark', async () => {
    const { executors, round, taken, state } = stage()
    const [job] = state.jobs
    assert.ok(job)
    executors.set(ID, workOf(job), { ...TIMING, firstIn: 500 })
    state.now = 200
    await round()
    assert.deepEqual(taken(), ['remove', `set fd00:1::a ${MARK} in 300`])
    executors.retime(ID, { ...TIMING, firstIn: 700 })
    state.range = { from: 7, count: 10 }
    await round()
    assert.deepEqual(taken(), ['retime', 'set fd00:1::a 7 in 700'])
  })

  it('have no verdict while nothing is written to the table', async () => {
    const { schedule, round, taken } = stage()
    schedule()
    taken()
    await round(false)
    assert.deepEqual(taken(), [NOT_THERE])
    await round(false)
    schedule()
    assert.deepEqual(taken(), [NOT_THERE], 'a reload')
    await round()
    assert.deepEqual(taken(), [`set fd00:1::a ${MARK} in 0`])
  })

  it('have no verdict when their service is found missing, and run again when it is back', async () => {
    const { schedule, round, taken, kernel } = stage()
    schedule()
    await round()
    taken()
    const { table } = await kernel.dump()
    await kernel.apply(diff(new Map(), table, new Set(table.keys())))
    await round(false)
    assert.deepEqual(taken(), [NOT_THERE])
    await round()
    assert.deepEqual(taken(), [`set fd00:1::a ${MARK} in 0`])
  })

  it('have no verdict while this machine drops their answers, and say which sysctl is to be set', async () => {
    const { schedule, round, taken, state } = stage()
    const key = state.jobs[0]?.path?.key ?? ''
    state.refusals = new Map([[key, 'set accept_local']])
    schedule()
    taken()
    await round()
    assert.deepEqual(taken(), ['null set accept_local'])
    state.refusals = new Map()
    await round()
    assert.deepEqual(taken(), [`set fd00:1::a ${MARK} in 0`])
  })

  it('have no failure that counts while this machine has begun to drop their answers since the last round', async () => {
    const { schedule, round, taken, state, paths, missing } = stage()
    schedule()
    await round()
    taken()
    const failure = failed('no answer')
    assert.equal(await judged(paths, failure), failure)
    state.refusals = new Map([[state.jobs[0]?.path?.key ?? '', 'set accept_local']])
    const { ok, detail } = await judged(paths, failure)
    assert.deepEqual([ok, detail, missing()], [null, 'set accept_local; no answer', 1])
    await round()
    assert.deepEqual(taken(), ['null set accept_local'])
  })

  it('have no verdict where all marks of the range are in use', async () => {
    const { schedule, round, taken, state } = stage(['fd00:1::a', 'fd00:1::b'])
    state.range = { from: 5, count: 1 }
    schedule()
    assert.deepEqual(await round(), ['fwmark 5 ipv6'])
    assert.match(taken().at(-1) ?? '', /^null all firewall marks .* are in use/)
  })

  it('get a mark as soon as another program has given one up', async () => {
    const { schedule, round, taken, state, kernel } = stage()
    const foreign = { kind: 'fwmark', fwmark: 5, family: 'ipv6' } as const
    const attributes = { scheduler: 'rr', schedulerFlags: [], persistence: null, onePacket: false }
    await kernel.apply([{ op: 'add-service', id: foreign, service: attributes }])
    state.range = { from: 5, count: 1 }
    schedule()
    await round()
    assert.match(taken().at(-1) ?? '', /^null all firewall marks/)
    const { table } = await kernel.dump()
    await kernel.apply(diff(new Map(), table, new Set(table.keys())))
    await round()
    assert.deepEqual(taken(), ['set fd00:1::a 5 in 0'])
  })

  it('take other marks when the range moves, and another forwarding when it changes', async () => {
    const { schedule, round, taken, state, kernel } = stage()
    schedule()
    await round()
    taken()
    state.range = { from: 7, count: 10 }
    assert.deepEqual(await round(), ['fwmark 7 ipv6'])
    assert.deepEqual(taken(), ['set fd00:1::a 7 in 0'])
    state.jobs = site(['fd00:1::a'], 'ipip')
    await round()
    const [held] = (await kernel.dump()).table.values()
    assert.equal(held?.reals.get('[fd00:1::a]:80')?.forwarding, 'ipip')
  })

  it('leave a mark to a service of the configuration when the range has moved away from it', async () => {
    const { schedule, round, state, paths, kernel } = stage()
    const own = { kind: 'fwmark', fwmark: MARK, family: 'ipv6' } as const
    schedule()
    await round()
    assert.equal(paths.isInternal(own), true)
    state.range = { from: 7, count: 10 }
    const { table } = await kernel.dump()
    const { internal } = paths.desired({ table: new Map(), ids: [own] }, table)
    assert.deepEqual([...(internal?.keys() ?? [])], ['fwmark 7 ipv6'])
    assert.equal(paths.isInternal(own), false, 'a stop would remove it')
  })

  it('leave no service behind when they go, also if lvsd was killed in between, and touch none of others', async () => {
    const { schedule, round, journal, kernel } = stage()
    const foreign = { kind: 'fwmark', fwmark: MARK + 1, family: 'ipv6' } as const
    const attributes = { scheduler: 'rr', schedulerFlags: [], persistence: null, onePacket: false }
    await kernel.apply([{ op: 'add-service', id: foreign, service: attributes }])
    schedule()
    await round()
    const after = stage(['fd00:1::a', 'fd00:1::b'], journal, kernel)
    assert.equal(after.paths.isInternal({ kind: 'fwmark', fwmark: MARK, family: 'ipv6' }), true)
    const kept = await after.round()
    assert.deepEqual(kept.sort(), [KEY, `fwmark ${MARK + 1} ipv6`, `fwmark ${MARK + 2} ipv6`])
    assert.equal([...journal.marks.values()][0], MARK, 'the path keeps its mark')
    after.state.jobs = []
    assert.deepEqual(await after.round(), [`fwmark ${MARK + 1} ipv6`])
    assert.equal(journal.marks.size, 0)
  })

  it('go in the first round where the journal of an ended lvsd is lost, and none of a running lvsd or of a user', async () => {
    const kernel = memoryKernel()
    const ownerOf = (number: number, running: readonly number[]) => ({
      take: (before: number | undefined) => before ?? number,
      running: () => new Set(running),
      close: () => {},
    })
    const first = stage(['fd00:1::a', 'fd00:1::b'], memoryJournal(), kernel, ownerOf(1, []))
    await first.round()
    const own = { kind: 'fwmark', fwmark: MARK + 9, family: 'ipv6' } as const
    const alike = { scheduler: 'rr', schedulerFlags: [], persistence: null, onePacket: true }
    await kernel.apply([{ op: 'add-service', id: own, service: alike }])
    const before = [KEY, `fwmark ${MARK + 1} ipv6`, `fwmark ${MARK + 9} ipv6`]
    const beside = stage([], memoryJournal(), kernel, ownerOf(2, [1]))
    beside.state.jobs = []
    assert.deepEqual((await beside.round()).sort(), before, 'lvsd 1 runs')
    const after = stage([], memoryJournal(), kernel, ownerOf(2, []))
    after.state.jobs = []
    assert.deepEqual(await after.round(), [`fwmark ${MARK + 9} ipv6`])
    assert.equal(after.paths.isInternal({ ...own, fwmark: MARK }), true, 'its removal is not told of')
    await stage(['fd00:1::a'], memoryJournal(), kernel, ownerOf(3, [])).round()
    assert.equal((await after.round()).length, 2, 'one that ends later belongs to the next start')
  })

  it('that are left on a mark of a service of the configuration are not taken', async () => {
    const kernel = memoryKernel()
    const nobody = { take: () => 1, running: () => new Set<number>(), close: () => {} }
    await stage(['fd00:1::a'], memoryJournal(), kernel, nobody).round()
    const { paths, journal } = stage([], memoryJournal(), kernel, nobody)
    const own = { kind: 'fwmark', fwmark: MARK, family: 'ipv6' } as const
    paths.desired({ table: new Map(), ids: [own] }, (await kernel.dump()).table)
    assert.deepEqual([paths.isInternal(own), journal.owned.size], [false, 0])
  })

  it('take another mark where another running lvsd has signed, and do not remove its service', async () => {
    const kernel = memoryKernel()
    const running = new Set<number>()
    const signing = (number: number) => ({
      take: (before: number | undefined) => {
        const own = before === undefined || running.has(before) ? number : before
        running.add(own)
        return own
      },
      running: () => running,
      close: () => {},
    })
    const journal = memoryJournal()
    const first = stage(['fd00:1::a'], journal, kernel, signing(1))
    await first.round()
    // Killed; meanwhile somebody empties the table, and another lvsd starts.
    running.delete(1)
    const { table } = await kernel.dump()
    await kernel.apply(diff(new Map(), table, new Set(table.keys())))
    const other = stage(['fd00:1::b'], memoryJournal(), kernel, signing(2))
    await other.round()
    const after = stage(['fd00:1::a'], journal, kernel, signing(3))
    const both = [KEY, `fwmark ${MARK + 1} ipv6`]
    assert.deepEqual(await after.round(), both)
    assert.equal((await kernel.dump()).table.get(KEY)?.owner, 2)
    assert.deepEqual([...journal.owned], [both[1]])
    assert.equal(after.paths.isInternal({ kind: 'fwmark', fwmark: MARK, family: 'ipv6' }), false)
    const settled = (await kernel.dump()).table
    for (const each of [other, after, other, after]) await each.round()
    assert.deepEqual((await kernel.dump()).table, settled, 'neither undoes what the other writes')
    // Later too, as where both start at once.
    const held = (await kernel.dump()).table.get(`fwmark ${MARK + 1} ipv6`)
    assert.ok(held)
    await kernel.apply([{ op: 'set-service', id: held.id, service: { ...held, owner: 2 }, was: held }])
    assert.deepEqual(await after.round(), [...both, `fwmark ${MARK + 2} ipv6`])
    assert.deepEqual([...journal.owned], [`fwmark ${MARK + 2} ipv6`])
  })

  it('settle on different marks where two lvsd start at once', async () => {
    const memory = memoryKernel()
    let reading = 2
    let resolve = () => {}
    const haveRead = new Promise<void>(done => {
      resolve = done
    })
    const kernel = {
      ...memory,
      dump: async (...args: Parameters<typeof memory.dump>) => {
        const dump = await memory.dump(...args)
        if (--reading === 0) resolve()
        // Neither writes before both have read the empty table.
        await haveRead
        return dump
      },
    }
    const start = (host: string) => {
      const owner = new PathOwner()
      onCleanup(() => owner.close())
      const { paths, journal } = stage([host], memoryJournal(), kernel, owner)
      const nothing: Desired = { table: new Map(), ids: [] }
      const reconciler = new Reconciler({
        ...{ kernel, journal, log: recordingLog().log },
        desired: actual => paths.desired(nothing, actual),
        isInternal: id => paths.isInternal(id),
      })
      onCleanup(() => reconciler.stop())
      return { reconciler, journal }
    }
    const both = [start('fd00:1::a'), start('fd00:1::b')]
    for (let i = 0; i < 4; i++) await Promise.all(both.map(({ reconciler }) => reconciler.resync()))
    const { table } = await kernel.dump()
    assert.deepEqual([...table.values()].flatMap(({ reals }) => [...reals.keys()]).sort(), [
      '[fd00:1::a]:80',
      '[fd00:1::b]:80',
    ])
    assert.deepEqual(
      both.map(({ journal }) => [...journal.owned].filter(key => table.has(key)).length),
      [1, 1],
    )
    for (let i = 0; i < 2; i++) await Promise.all(both.map(({ reconciler }) => reconciler.resync()))
    assert.deepEqual((await kernel.dump()).table, table)
  })

  it('keep the signature of the lvsd over a restart, so that nothing is written', async () => {
    const [journal, kernel] = [memoryJournal(), memoryKernel()]
    const signing = (number: number) => ({
      take: (before: number | undefined) => before ?? number,
      running: () => new Set<number>(),
      close: () => {},
    })
    await stage(['fd00:1::a'], journal, kernel).round()
    assert.equal((await kernel.dump()).table.get(KEY)?.owner, undefined, 'an earlier version signs nothing')
    await stage(['fd00:1::a'], journal, kernel, signing(1)).round()
    assert.equal((await kernel.dump()).table.get(KEY)?.owner, 1)
    await stage(['fd00:1::a'], journal, kernel, signing(2)).round()
    assert.equal((await kernel.dump()).table.get(KEY)?.owner, 1)
  })

  it('have no verdict that changes something while their service is not in the table', async () => {
    const { schedule, round, paths, kernel, missing } = stage()
    schedule()
    await round()
    const failure = failed('refused')
    assert.equal(await judged(paths, failure), failure)
    const { table } = await kernel.dump()
    await kernel.apply(diff(new Map(), table, new Set(table.keys())))
    const { ok, reason, detail } = await judged(paths, failure)
    assert.deepEqual([ok, reason], [null, 'no-verdict'])
    assert.match(detail, /is not in the kernel's table; refused/)
    assert.equal(missing(), 1)
    const same = passed()
    assert.equal(await judged(paths, same), same, 'what changes nothing is not asked for')
  })

  it('have no verdict from a run in which their service was missing, although it is back', async () => {
    const { schedule, round, paths, kernel, state } = stage()
    schedule()
    await round()
    const { table } = await kernel.dump()
    await kernel.apply(diff(new Map(), table, new Set(table.keys())))
    state.now = 100
    await round()
    state.now = 150
    assert.equal((await judged(paths, { ...failed('refused'), ms: 60 })).ok, null)
    assert.equal((await judged(paths, { ...failed('refused'), ms: 40 })).ok, false)
  })

  it('pass results on in their order', async () => {
    const { schedule, round, paths } = stage()
    schedule()
    await round()
    const heard: (boolean | null)[] = []
    for (const result of [failed('refused'), passed(), failed('refused')])
      paths.judge(ID, result, ({ ok }) => heard.push(ok))
    for (let i = 0; i < 10; i++) await setImmediate()
    assert.deepEqual(heard, [false, true, false])
  })

  it('leave other checks alone', async () => {
    const { executors, taken, paths } = stage()
    const [job] = site(['fd00:1::a'])
    const { path: _, ...direct } = workOf(job as Job) as CheckWork & { path: PathUse }
    executors.set('direct', direct, TIMING)
    executors.soon('direct', 0)
    executors.atOnce('direct')
    assert.deepEqual(taken(), ['set undefined undefined in 0', 'soon', 'at once'])
    const failure = failed('refused')
    let heard: CheckResult | null = null
    paths.judge('direct', failure, result => {
      heard = result
    })
    assert.equal(heard, failure)
    assert.equal(paths.isInternal(serviceId('2001:db8::80')), false)
  })
})
