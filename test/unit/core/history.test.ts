import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Check } from '../../../src/check/check.js'
import { desired, isInService } from '../../../src/core/desired.js'
import {
  type Change,
  keyOfReal,
  type ResolvedConfig,
  type ResolvedReal,
  type ResolvedService,
  type Table,
} from '../../../src/core/model.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { Reconciler } from '../../../src/reconcile/reconciler.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import {
  anyServiceAttributes,
  config,
  failed,
  passed,
  real,
  SERVICE_ATTRIBUTES,
  service,
  serviceId,
  tableReal,
  use,
} from '../../support/tables.js'

const CHECK: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const CHECKS = new Map([['ask', CHECK]])

// ---------------------------------------------------------------- a small world at random

const anyReal = fc
  .record({
    n: fc.integer({ min: 1, max: 4 }),
    weight: fc.integer({ min: 0, max: 2 }),
    fall: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ n, weight, fall }) =>
    real(`fd00:1::${n}`, { weight, checks: [use('ask', {}, { fall, rise: fall })] }),
  )

const anyService = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    attributes: anyServiceAttributes,
    quiescent: fc.boolean(),
    hasFallback: fc.boolean(),
    reals: fc.uniqueArray(anyReal, { maxLength: 4, selector: entry => entry.host }),
  })
  .map(({ n, attributes, quiescent, hasFallback, reals }) =>
    service(`service${n}`, {
      id: serviceId(`fd00:f::${n}`),
      attributes,
      quiescent,
      reals,
      fallback: hasFallback ? real('fd00:1::f') : null,
    }),
  )

const anyConfig = fc
  .uniqueArray(anyService, { maxLength: 3, selector: entry => entry.name })
  .map(services => config(services))

type Event =
  | { kind: 'result'; server: number; ok: boolean | null }
  | { kind: 'reload'; config: ResolvedConfig }
  | { kind: 'restart' }
  | { kind: 'delete-real' | 'zero-weight' | 'delete-service' | 'add-foreign'; pick: number }
  | { kind: 'resync' }

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('result' as const),
      server: fc.integer({ min: 1, max: 4 }),
      ok: fc.constantFrom(true, true, false, false, null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), config: anyConfig }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'delete-real' as const,
        'zero-weight' as const,
        'delete-service' as const,
        'add-foreign' as const,
      ),
      pick: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'resync' as const }) },
)

// ---------------------------------------------------------------- lvsd without clocks and sockets

function stage(first: ResolvedConfig) {
  const kernel = memoryKernel()
  const journal = memoryJournal()
  const start = () => {
    const healthStore: HealthStore = new HealthStore((service, entry) =>
      isInService(service, entry, reconciler.table),
    )
    const reconciler: Reconciler = new Reconciler({
      kernel,
      journal,
      log: recordingLog('silent').log,
      desired: (actual, names) => {
        const services = names
          ? [...names].flatMap(name => healthStore.service(name) ?? [])
          : (healthStore.config?.services ?? [])
        const table = desired(services, (_, entry) => healthStore.dispositionOf(entry), actual)
        return { table, ids: services.flatMap(entry => entry.id ?? []) }
      },
    })
    return { healthStore, reconciler }
  }
  const world = { kernel, config: first, ...start() }
  world.healthStore.applyConfig(first, CHECKS, 0)
  onCleanup(() => world.reconciler.stop())
  return {
    world,
    async restart() {
      await world.reconciler.stop()
      Object.assign(world, start())
      world.healthStore.applyConfig(world.config, CHECKS, 0)
      await world.reconciler.resync()
    },
  }
}

async function play({ world, restart }: ReturnType<typeof stage>, event: Event): Promise<void> {
  if (event.kind === 'restart') return restart()
  if (event.kind === 'resync') return world.reconciler.resync()
  if (event.kind === 'reload') {
    world.config = event.config
    world.healthStore.applyConfig(event.config, CHECKS, 0)
    return world.reconciler.resync()
  }
  if (event.kind !== 'result') return void (await world.kernel.apply(handEdit(await tableOf(world), event)))
  const result = event.ok === null ? failed('no-verdict') : event.ok ? passed() : failed()
  for (const [id, job] of world.healthStore.jobs)
    if (job.target.address.text === `fd00:1::${event.server}`) {
      const moved = world.healthStore
        .result(id, result, 0)
        .transitions.filter(transition => transition.hasMovedServer)
      world.reconciler.markDirty(moved.map(transition => transition.service.name))
    }
  await world.reconciler.idle()
}

async function tableOf({ kernel }: { kernel: ReturnType<typeof memoryKernel> }): Promise<Table> {
  return (await kernel.dump()).table
}

function handEdit(table: Table, event: { kind: string; pick: number }): Change[] {
  const FOREIGN = serviceId('fd00:f::ff')
  if (event.kind === 'add-foreign') {
    const attributes = { ...SERVICE_ATTRIBUTES, scheduler: 'rr' }
    return [
      { op: 'add-service', id: FOREIGN, service: attributes },
      { op: 'add-real', id: FOREIGN, real: tableReal('fd00:1::1', { weight: 9 }) },
    ]
  }
  const ours = [...table.values()].filter(
    entry => entry.id !== FOREIGN && JSON.stringify(entry.id) !== JSON.stringify(FOREIGN),
  )
  const entry = ours[event.pick % Math.max(1, ours.length)]
  if (!entry) return []
  if (event.kind === 'delete-service') return [{ op: 'delete-service', id: entry.id, was: entry }]
  const reals = [...entry.reals.values()]
  const was = reals[event.pick % Math.max(1, reals.length)]
  if (!was) return []
  if (event.kind === 'delete-real') return [{ op: 'delete-real', id: entry.id, was }]
  return [{ op: 'set-real', id: entry.id, real: { ...was, weight: 0 }, was }]
}

// ---------------------------------------------------------------- the laws

describe('history: any history of results, reloads, restarts and edits by hand', () => {
  const histories = fc.tuple(anyConfig, fc.array(anyEvent, { maxLength: 25 }))

  it('ends with the table that follows from configuration and health, once every server is known', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        async ([first, events], ups) => {
          const one = stage(first)
          await one.world.reconciler.resync()
          for (const event of events) await play(one, event)
          for (const round of [0, 1])
            for (const [i, ok] of ups.entries())
              await play(one, { kind: 'result', server: i + 1, ok: ok || round < 0 })
          await one.world.reconciler.resync()
          const table = await tableOf(one.world)
          for (const entry of one.world.config.services)
            assert.deepEqual(weightsIn(table, entry), expectedWeights(entry, ups), entry.name)
          const names = new Set(one.world.config.services.map(entry => JSON.stringify(entry.id)))
          for (const entry of table.values())
            if (!names.has(JSON.stringify(entry.id))) assert.match(JSON.stringify(entry.id), /fd00:f::ff/)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('never gives traffic to a server that has not passed a check in this run of lvsd or an earlier one', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async ([first, events]) => {
        const one = stage(first)
        const passedOnce = new Set<string>(['[fd00:1::f]:80'])
        await one.world.reconciler.resync()
        for (const event of events) {
          if (event.kind === 'result' && event.ok) passedOnce.add(`[fd00:1::${event.server}]:80`)
          if (event.kind === 'add-foreign') continue
          await play(one, event)
          for (const entry of (await tableOf(one.world)).values())
            for (const [key, held] of entry.reals) if (held.weight > 0) assert.ok(passedOnce.has(key), key)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('removes no server before its checks have failed fall times, with any restarts in between', async () => {
    const results = fc.record({
      kind: fc.constant('result' as const),
      server: fc.integer({ min: 1, max: 4 }),
      ok: fc.constantFrom(true, false, false, null),
    })
    const lives = fc.array(
      fc.oneof({ weight: 5, arbitrary: results }, fc.record({ kind: fc.constant('restart' as const) })),
      {
        maxLength: 40,
      },
    )
    await fc.assert(
      fc.asyncProperty(anyConfig, lives, async (site, events) => {
        const one = stage(site)
        await one.world.reconciler.resync()
        const failures = new Map<number, number>()
        for (const event of events) {
          const before = await tableOf(one.world)
          await play(one, event)
          if (event.kind === 'restart') failures.clear()
          else if (event.ok !== null)
            failures.set(event.server, event.ok ? 0 : (failures.get(event.server) ?? 0) + 1)
          for (const lost of lostBetween(before, await tableOf(one.world))) {
            const { fall, n } = lostServer(site, lost)
            assert.ok((failures.get(n) ?? 0) >= fall, `${lost} after ${failures.get(n)} of ${fall} failures`)
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it('does not change the services of other programs', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async ([first, events]) => {
        const one = stage(first)
        await play(one, { kind: 'add-foreign', pick: 0 })
        const before = (await tableOf(one.world)).get('tcp [fd00:f::ff]:80')
        for (const event of events) await play(one, event)
        assert.deepEqual((await tableOf(one.world)).get('tcp [fd00:f::ff]:80'), before)
      }),
      { numRuns: 60 },
    )
  })
})

/** Servers that had a weight and have none any more: `tcp [fd00:f::1]:80 [fd00:1::2]:80`; the fallback is none of them. */
function lostBetween(before: Table, after: Table): string[] {
  return [...before].flatMap(([key, { reals }]) =>
    [...reals].flatMap(([server, { weight }]) => {
      const isLost = weight > 0 && !((after.get(key)?.reals.get(server)?.weight ?? 0) > 0)
      return isLost && !server.startsWith('[fd00:1::f]') ? [`${key} ${server}`] : []
    }),
  )
}

function lostServer({ services }: ResolvedConfig, lost: string): { fall: number; n: number } {
  const [, service = '', n = ''] = /^tcp \[fd00:f::(\d)\]:80 \[fd00:1::(\d)\]:80$/.exec(lost) ?? []
  const reals = services.find(({ name }) => name === `service${service}`)?.reals
  const found = reals?.find(({ host }) => host === `fd00:1::${n}`)
  return { fall: found?.checks[0]?.policy.fall ?? assert.fail(lost), n: Number(n) }
}

function weightsIn(table: Table, { id }: ResolvedService): Record<string, number> {
  const held = id?.kind === 'address' ? table.get(`tcp [${id.address.text}]:80`) : undefined
  return Object.fromEntries([...(held?.reals.values() ?? [])].map(entry => [keyOfReal(entry), entry.weight]))
}

/** What an operator would expect, written down a second way. */
function expectedWeights(
  { reals, quiescent, fallback }: ResolvedService,
  ups: readonly boolean[],
): Record<string, number> {
  const isUp = ({ host }: ResolvedReal) => ups[Number(host.at(-1)) - 1] === true
  const weights = new Map<string, number>()
  for (const entry of reals)
    if (isUp(entry)) weights.set(`[${entry.host}]:80`, entry.attributes.weight)
    else if (quiescent) weights.set(`[${entry.host}]:80`, 0)
  if (fallback && !reals.some(isUp)) weights.set('[fd00:1::f]:80', 1)
  return Object.fromEntries(weights)
}
