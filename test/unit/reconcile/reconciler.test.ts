import assert from 'node:assert/strict'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { diff, pick } from '../../../src/core/diff.js'
import { type Change, keyOfService, type ResolvedService, type Table } from '../../../src/core/model.js'
import type { TableMode } from '../../../src/core/role.js'
import { type Kernel, KernelError } from '../../../src/ipvs/kernel.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { Reconciler } from '../../../src/reconcile/reconciler.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { type Clock, systemClock } from '../../../src/util/clock.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'
import {
  real,
  SERVICE_ATTRIBUTES,
  service,
  serviceId,
  table,
  tableReal,
  tableService,
} from '../../support/tables.js'

const WEB = serviceId('2001:db8::80')
const MAIL = serviceId('2001:db8::25', 25)
const FOREIGN = serviceId('2001:db8::99')
const A = tableReal('fd00:1::a')
const B = tableReal('fd00:1::b', { weight: 2 })

/** A reconciler that wants `wanted`, on a memory table whose batches are recorded. */
function stage(
  wanted: Table,
  kernel: Kernel = memoryKernel(),
  clock: Clock = systemClock,
  services: readonly ResolvedService[] = [],
) {
  const state: { wanted: Table; mode: TableMode; internal: Table } = {
    ...{ wanted, mode: 'reconcile', internal: new Map() },
  }
  const batches: (readonly Change[])[] = []
  const journal = memoryJournal()
  const { log, lines } = recordingLog()
  const reconciler = new Reconciler({
    kernel: {
      ...kernel,
      dump: (...args) => kernel.dump(...args),
      look: () => kernel.look(),
      apply: changes => {
        batches.push(changes)
        return kernel.apply(changes)
      },
    },
    journal,
    log,
    clock,
    mode: () => state.mode,
    isInternal: ({ kind }) => kind === 'fwmark',
    services: () => services,
    desired: () => {
      const { internal } = state
      const all = new Map([...state.wanted, ...internal])
      const marks = new Map([...internal.keys()].map((key, i) => [key, i]))
      return { table: all, ids: [...all.values()].map(({ id }) => id), internal, marks }
    },
  })
  onCleanup(() => reconciler.stop())
  return { reconciler, kernel, journal, lines, batches, state, dump: async () => (await kernel.dump()).table }
}

const FULL = table(tableService(WEB, [A, B]))

describe('reconciler', () => {
  it('fills an empty table in one batch', async () => {
    const { reconciler, batches, dump, journal } = stage(FULL)
    await reconciler.resync()
    assert.deepEqual(await dump(), FULL)
    assert.equal(batches.length, 1)
    assert.deepEqual([...journal.owned], [keyOfService(WEB)])
  })

  it('applies thousands of changes in portions, between which other events have their turn', async () => {
    const many = Array.from({ length: 1200 }, (_, i) => tableReal(`fd00:2::${(i + 1).toString(16)}`))
    const wanted = table(tableService(WEB, many))
    const kernel = memoryKernel()
    let turn = 0
    const turns: number[] = []
    const apply = (changes: readonly Change[]) => {
      turns.push(turn)
      return kernel.apply(changes)
    }
    const { reconciler, batches, dump } = stage(wanted, { ...kernel, apply })
    let next = globalThis.setImmediate(function count() {
      turn++
      next = globalThis.setImmediate(count)
    })
    await reconciler.resync()
    clearImmediate(next)
    assert.deepEqual(await dump(), wanted)
    assert.deepEqual(
      batches.map(({ length }) => length),
      [512, 512, 177],
    )
    // The count of a turn may come before one portion and after the next.
    assert.ok(new Set(turns).size >= 2, `${turns}`)
  })

  it('writes many dirty services in parts, each in a turn of the event loop, in one round', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `web${i}`)
    const all = new Map(names.map((name, i) => [name, tableService(serviceId(`2001:db8::${i + 1}`), [A])]))
    const kernel = memoryKernel()
    const [asked, rounds]: [string[][], boolean[]] = [[], []]
    let turn = 0
    const turns: number[] = []
    const reconciler = new Reconciler({
      ...{ journal: memoryJournal(), log: recordingLog().log },
      kernel: {
        ...kernel,
        apply: changes => {
          turns.push(turn)
          return kernel.apply(changes)
        },
      },
      desired: (_, some) => {
        asked.push([...(some ?? [])])
        const services = [...(some ?? [])].flatMap(name => all.get(name) ?? [])
        return { table: table(...services), ids: services.map(({ id }) => id) }
      },
      *parts(some) {
        const list = [...some]
        for (let i = 0; i < list.length; i += 2) yield new Set(list.slice(i, i + 2))
      },
      onRound: ({ isWhole }) => void rounds.push(isWhole),
    })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    asked.length = 0
    let next = globalThis.setImmediate(function count() {
      turn++
      next = globalThis.setImmediate(count)
    })
    reconciler.markDirty(names)
    await reconciler.idle()
    clearImmediate(next)
    assert.deepEqual(asked, [['web0', 'web1'], ['web2', 'web3'], ['web4']])
    assert.deepEqual((await kernel.dump()).table, table(...all.values()))
    // The count of a turn may come before one part and after the next.
    assert.ok(new Set(turns).size >= 2, `${turns}`)
    assert.deepEqual(rounds, [true, false])
  })

  it('writes few changes of a service in the turn that has found them, and many in a later one', async () => {
    const many = Array.from({ length: 100 }, (_, i) => tableReal(`fd00:2::${(i + 1).toString(16)}`))
    const kernel = memoryKernel()
    const areLater: boolean[] = []
    let reals = [A]
    let isLater = false
    const reconciler = new Reconciler({
      ...{ journal: memoryJournal(), log: recordingLog().log },
      kernel: {
        ...kernel,
        apply: changes => {
          areLater.push(isLater)
          return kernel.apply(changes)
        },
      },
      desired: () => {
        isLater = false
        // After all promises of this callback of the event loop.
        process.nextTick(() => {
          isLater = true
        })
        return { table: table(tableService(WEB, reals)), ids: [WEB] }
      },
    })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    for (const next of [
      [A, B],
      [A, B, ...many],
    ]) {
      reals = next
      reconciler.markDirty(['web'])
      await reconciler.idle()
    }
    assert.deepEqual(areLater, [true, false, true])
    assert.deepEqual((await kernel.dump()).table, table(tableService(WEB, reals)))
  })

  it('compares a service with thousands of servers in a turn after that which has computed it, in the mode of that time', async () => {
    const many = Array.from({ length: 1200 }, (_, i) => tableReal(`fd00:2::${(i + 1).toString(16)}`))
    const kernel = memoryKernel()
    let mode: TableMode = 'reconcile'
    let next: TableMode = mode
    let wanted = table(tableService(WEB, many))
    let isLater = false
    const areLater: boolean[] = []
    const reconciler = new Reconciler({
      ...{ journal: memoryJournal(), log: recordingLog().log },
      mode: () => mode,
      kernel: {
        ...kernel,
        apply: changes => {
          areLater.push(isLater)
          return kernel.apply(changes)
        },
      },
      desired: () => {
        isLater = false
        // After all promises of this callback of the event loop.
        process.nextTick(() => {
          isLater = true
          mode = next
        })
        return { table: wanted, ids: [WEB] }
      },
    })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    const before = wanted
    const change = async () => {
      wanted = table(tableService(WEB, [...many.slice(1), B]))
      reconciler.markDirty(['web'])
      await reconciler.idle()
    }
    areLater.length = 0
    next = 'keep'
    await change()
    assert.deepEqual((await kernel.dump()).table, before)
    mode = next = 'reconcile'
    await change()
    assert.deepEqual((await kernel.dump()).table, wanted)
    assert.deepEqual(areLater, [true])
  })

  it('writes a change that comes as the last round ends', async () => {
    let wanted = table(tableService(WEB, [A]))
    const kernel = memoryKernel()
    const reconciler: Reconciler = new Reconciler({
      ...{ kernel, journal: memoryJournal(), log: recordingLog().log },
      desired: () => ({ table: wanted, ids: [WEB] }),
      onRound: ({ isWhole }) => {
        if (!isWhole) return
        // Each later than the one before, over the whole end of the loop.
        const later = (left: number): void =>
          queueMicrotask(() => {
            if (left > 0) return later(left - 1)
            wanted = FULL
            reconciler.markDirty(['web'])
          })
        later(delay)
      },
    })
    onCleanup(() => reconciler.stop())
    let delay = 0
    for (; delay < 8; delay++) {
      wanted = table(tableService(WEB, [A]))
      await reconciler.resync()
      for (let turn = 0; turn < 3; turn++) await setImmediate()
      await reconciler.idle()
      assert.deepEqual((await kernel.dump()).table, FULL, `after ${delay} microtasks`)
    }
  })

  it('writes what is desired at the end of the steps, also for a service that changed between them', async () => {
    const kernel = memoryKernel()
    const journal = memoryJournal()
    const batches: (readonly Change[])[] = []
    const { log } = recordingLog()
    const after = table(tableService(WEB, [A]), tableService(MAIL, [B]))
    const reconciler: Reconciler = new Reconciler({
      kernel: {
        ...kernel,
        dump: () => kernel.dump(),
        apply: changes => {
          batches.push(changes)
          return kernel.apply(changes)
        },
      },
      journal,
      log,
      desired: (_, names) => {
        assert.deepEqual(names, new Set(['web']))
        return { table: pick(after, [WEB]), ids: [WEB] }
      },
      *desiring() {
        yield
        reconciler.markDirty(['web'])
        yield
        return { table: table(tableService(WEB, [A, B]), tableService(MAIL, [B])), ids: [WEB, MAIL] }
      },
    })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    await reconciler.idle()
    assert.deepEqual((await kernel.dump()).table, after)
    assert.equal(batches.length, 1)
    assert.deepEqual(reconciler.wanted, after)
  })

  it('follows the mode at the end of the steps: nothing is written after a change to keep, nor removed after one from empty', async () => {
    let mode: TableMode = 'reconcile'
    let next: TableMode = 'keep'
    const kernel = memoryKernel()
    const reconciler = new Reconciler({
      ...{ kernel, journal: memoryJournal(), log: recordingLog().log },
      mode: () => mode,
      desired: () => assert.fail('nothing is dirty'),
      *desiring() {
        yield
        mode = next
        return { table: FULL, ids: [WEB] }
      },
    })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    assert.deepEqual((await kernel.dump()).table, new Map())
    next = 'reconcile'
    await reconciler.resync()
    assert.deepEqual((await kernel.dump()).table, FULL)
    mode = 'empty'
    await reconciler.resync()
    assert.deepEqual((await kernel.dump()).table, FULL)
  })

  it('has corrected the table when the kernel has answered to the first changes, not before', async () => {
    const kernel = memoryKernel()
    const seen: boolean[] = []
    const { reconciler } = stage(FULL, {
      ...kernel,
      dump: () => (seen.length === 0 ? Promise.reject(new Error('busy')) : kernel.dump()).finally(look),
      apply: async changes => {
        look()
        return kernel.apply(changes)
      },
    })
    const look = () => void seen.push(reconciler.hasCorrected)
    await reconciler.resync()
    assert.equal(reconciler.hasCorrected, false)
    await reconciler.resync()
    // One more reading follows where the retry after the refusal becomes due during this resync.
    assert.deepEqual(seen.slice(0, 3), [false, false, false])
    assert.equal(reconciler.hasCorrected, true)
  })

  it('writes nothing in the mode keep, reports no drift there, and corrects all of it afterwards', async () => {
    const { reconciler, kernel, state, batches, dump, lines } = stage(FULL)
    state.mode = 'keep'
    await reconciler.resync()
    assert.deepEqual([[...(await dump()).keys()], reconciler.hasCorrected], [[], true])
    reconciler.markDirty(['web'])
    await reconciler.idle()
    await kernel.apply(diff(table(tableService(WEB, [A])), new Map(), new Set()))
    await reconciler.resync()
    assert.deepEqual([batches.length, lines.length, reconciler.wanted], [0, 0, FULL])
    state.mode = 'reconcile'
    await reconciler.resync()
    assert.deepEqual([await dump(), batches.length, reconciler.stats.driftRepaired], [FULL, 1, 0])
  })

  it('removes its own services in the mode empty, and no other, and fills the table afterwards', async () => {
    const { reconciler, kernel, state, dump } = stage(FULL)
    await kernel.apply(diff(table(tableService(FOREIGN, [B])), new Map(), new Set()))
    await reconciler.resync()
    state.mode = 'empty'
    await reconciler.resync()
    assert.deepEqual([...(await dump()).keys()], [keyOfService(FOREIGN)])
    reconciler.markDirty(['web'])
    await reconciler.idle()
    assert.deepEqual([...(await dump()).keys()], [keyOfService(FOREIGN)])
    state.mode = 'reconcile'
    await reconciler.resync()
    assert.deepEqual((await dump()).get(keyOfService(WEB)), FULL.get(keyOfService(WEB)))
  })

  it('keeps services of its own in the mode empty, repairs them silently, and notes them before they are there', async () => {
    const { reconciler, kernel, journal, lines, state, dump } = stage(FULL)
    const own = tableService({ kind: 'fwmark', fwmark: 9, family: 'ipv6' }, [A])
    state.internal = table(own)
    const apply = kernel.apply
    kernel.apply = changes => {
      assert.deepEqual([...journal.marks], [['fwmark 9 ipv6', 0]])
      return apply(changes)
    }
    await reconciler.resync()
    assert.equal(reconciler.stats.changesApplied, 3, 'those of the configuration')
    kernel.apply = apply
    await kernel.apply(diff(new Map(), table(own), new Set(['fwmark 9 ipv6'])))
    state.mode = 'empty'
    await reconciler.resync()
    assert.deepEqual([...(await dump()).keys()], ['fwmark 9 ipv6'])
    assert.equal(reconciler.stats.driftRepaired, 0)
    assert.ok(!lines.some(({ event }) => event === 'drift.repaired'))
    state.internal = new Map()
    await reconciler.resync()
    assert.deepEqual([[...(await dump()).keys()], journal.owned.size, journal.marks.size], [[], 0, 0])
  })

  it('reads the table at its interval, counted from the end of each round, until it is stopped', async () => {
    const clock = new FakeClock()
    let readings = 0
    const kernel = memoryKernel()
    const counting = () => {
      readings++
      return kernel.dump()
    }
    const { reconciler } = stage(FULL, { ...kernel, dump: counting }, clock)
    const wind = async (ms: number) => {
      clock.wind(ms)
      await setImmediate()
      await reconciler.idle()
      await setImmediate()
    }
    reconciler.resyncEvery(1000)
    await wind(999)
    assert.equal(readings, 0)
    await wind(1)
    await wind(1000)
    assert.equal(readings, 2)
    await reconciler.stop()
    await wind(5000)
    assert.deepEqual([readings, clock.alarms], [2, 0])
  })

  describe('with auto', () => {
    const WEIGHT: Change = { op: 'set-real', id: WEB, real: { ...B, weight: 9 }, was: B }

    /** A reconciler that looks on its own clock; `kernel` counts readings and says what looks cost. */
    async function looking(cost = 3, servicesCost = 0.5) {
      const clock = new FakeClock()
      const kernel = memoryKernel()
      const count = { dumps: 0, looks: 0, services: 0, order: '' }
      const counting = {
        ...kernel,
        lookAtServices: () => {
          count.services++
          count.order += 'S'
          return { ...kernel.lookAtServices(), cost: servicesCost }
        },
        dump: (...args: Parameters<Kernel['dump']>) => {
          count.dumps++
          return kernel.dump(...args)
        },
        look: async () => {
          count.looks++
          count.order += 'T'
          return { ...(await kernel.look()), cost }
        },
      }
      const staged = stage(FULL, counting, clock)
      const wind = async (ms: number) => {
        clock.wind(ms)
        for (let i = 0; i < 4; i++) {
          await setImmediate()
          await staged.reconciler.idle()
        }
      }
      await staged.reconciler.resync()
      staged.reconciler.resyncEvery('auto')
      count.dumps = 0
      return { ...staged, memory: kernel, byHand: kernel.byHand, count, wind, clock }
    }

    it('looks once a second, computes nothing while all is as expected, and compares the whole within a minute', async () => {
      const { wind, count, batches, reconciler } = await looking()
      for (let i = 0; i < 59; i++) await wind(1000)
      assert.deepEqual([count.looks, count.dumps, batches.length], [59, 0, 1])
      await wind(1000)
      assert.deepEqual([count.dumps, batches.length, reconciler.stats.driftRepaired], [1, 1, 0])
      assert.deepEqual(reconciler.stats.reading, { interval: 1000, services: 1000, cost: 3 })
      assert.deepEqual([reconciler.stats.readingCost, count.services], [3 * count.looks, 0])
    })

    it('looks at the whole table less often where that costs more, and at the services between', async () => {
      const { wind, count, reconciler } = await looking(12, 1)
      for (let i = 0; i < 11; i++) await wind(1067)
      assert.deepEqual([count.order, count.dumps], ['TSSSSTSSSST', 0])
      const { reading, readingCost } = reconciler.stats
      assert.deepEqual(reading, { interval: 16_000 / 3, services: 16_000 / 3 / 5, cost: 12 })
      assert.equal(readingCost, 12 * count.looks + count.services)
    })

    it('repairs a service by a look at the services, and leaves real servers to one at the whole table', async () => {
      const { wind, byHand, dump, count, reconciler } = await looking(12, 1)
      await wind(1000)
      const service = { ...SERVICE_ATTRIBUTES, scheduler: 'rr' }
      await byHand.apply([{ op: 'set-service', id: WEB, was: SERVICE_ATTRIBUTES, service }])
      await wind(1067)
      assert.deepEqual([await dump(), count.looks, reconciler.stats.driftRepaired], [FULL, 1, 1])
      await byHand.apply([{ op: 'delete-service', id: WEB, was: tableService(WEB, [A, B]) }])
      await wind(1067)
      assert.deepEqual([await dump(), count.looks, reconciler.stats.driftRepaired], [FULL, 1, 4])
      await byHand.apply([WEIGHT])
      await wind(1067)
      assert.deepEqual([count.looks, reconciler.stats.driftRepaired], [1, 4])
      for (let i = 0; i < 3; i++) await wind(1067)
      assert.deepEqual([await dump(), count.looks, reconciler.stats.driftRepaired], [FULL, 2, 5])
    })

    it('looks at the whole table when it is to look soon', async () => {
      const { wind, byHand, dump, count, reconciler } = await looking(12, 1)
      await wind(1000)
      await wind(1067)
      assert.deepEqual([count.looks, count.services], [1, 1])
      await byHand.apply([WEIGHT])
      reconciler.lookSoon()
      await wind(0)
      assert.deepEqual([await dump(), count.looks, count.services], [FULL, 2, 1])
    })

    const hands: Record<string, Change> = {
      'a weight': WEIGHT,
      'a real server that is gone': { op: 'delete-real', id: WEB, was: A },
      'a service that is gone': { op: 'delete-service', id: WEB, was: tableService(WEB, [A, B]) },
      'another scheduler': {
        ...{ op: 'set-service', id: WEB, was: SERVICE_ATTRIBUTES },
        service: { ...SERVICE_ATTRIBUTES, scheduler: 'rr' },
      },
    }
    for (const [what, change] of Object.entries(hands))
      it(`repairs ${what} at the next look`, async () => {
        const { wind, byHand, dump, reconciler, lines } = await looking()
        await wind(1000)
        await byHand.apply([change])
        await wind(999)
        assert.notDeepEqual(await dump(), FULL)
        await wind(1)
        assert.deepEqual(await dump(), FULL)
        const told = lines.filter(({ msg }) => msg.startsWith('drift:')).length
        assert.equal(told, change.op === 'delete-service' ? 3 : 1)
        assert.equal(reconciler.stats.driftRepaired, told)
      })

    it('takes its own changes for no drift, and notices one that follows', async () => {
      const { wind, byHand, dump, reconciler, state, count } = await looking()
      const wanted = table(tableService(WEB, [A, { ...B, weight: 3 }]))
      state.wanted = wanted
      reconciler.markDirty(['web'])
      await wind(1000)
      assert.deepEqual([count.dumps, await dump(), reconciler.stats.driftRepaired], [0, wanted, 0])
      count.dumps = 0
      await byHand.apply([WEIGHT])
      await wind(1000)
      assert.deepEqual([count.dumps, await dump(), reconciler.stats.driftRepaired], [1, wanted, 1])
    })

    it('ignores services of other programs, and keeps them in its table', async () => {
      const { wind, byHand, count, reconciler } = await looking()
      await byHand.apply(diff(table(tableService(FOREIGN, [B])), new Map(), new Set()))
      await wind(1000)
      assert.deepEqual([count.dumps, reconciler.table?.has(keyOfService(FOREIGN))], [0, true])
    })

    it('does not look while the kernel refuses a change, which has its own resyncs', async () => {
      const { wind, reconciler, state, count, memory } = await looking()
      memory.refuse(command => (command === 'SET_DEST' ? 'EINVAL' : null))
      state.wanted = table(tableService(WEB, [A, { ...B, weight: 3 }]))
      reconciler.markDirty(['web'])
      await reconciler.idle()
      assert.equal(reconciler.stats.errors.length, 1)
      for (let i = 0; i < 3; i++) await wind(1000)
      assert.equal(count.looks, 0)
    })

    it('says why the table cannot be read, and repairs it afterwards', async () => {
      const { wind, byHand, dump, kernel, reconciler } = await looking()
      const { look, dump: read } = kernel
      const refused = () => Promise.reject(new KernelError('no such family', 'ENOENT'))
      Object.assign(kernel, { look: refused, dump: refused })
      await byHand.apply([WEIGHT])
      await wind(1000)
      assert.deepEqual(reconciler.stats.errors, ['no such family'])
      Object.assign(kernel, { look, dump: read })
      await reconciler.resync()
      assert.deepEqual([await dump(), reconciler.stats.errors], [FULL, []])
    })

    it('stops looking when another interval is set, and when it is stopped', async () => {
      const { wind, count, reconciler, clock } = await looking()
      reconciler.resyncEvery(5000)
      await wind(4999)
      assert.deepEqual(
        [count.looks, reconciler.stats.reading],
        [0, { interval: 5000, services: 5000, cost: null }],
      )
      reconciler.resyncEvery('auto')
      await wind(1000)
      await reconciler.stop()
      await wind(99_000)
      assert.deepEqual([count.looks, clock.alarms], [1, 0])
    })
  })

  it('writes nothing when nothing differs', async () => {
    const { reconciler, batches } = stage(FULL)
    await reconciler.resync()
    await reconciler.resync()
    assert.equal(batches.length, 1)
  })

  it('pauses three times the duration of a round, so that many results cause few rounds', async () => {
    const clock = new FakeClock()
    const kernel = memoryKernel()
    const slowly = (changes: readonly Change[]) => {
      clock.wind(20)
      return kernel.apply(changes)
    }
    const { reconciler, batches, state } = stage(FULL, { ...kernel, apply: slowly }, clock)
    await reconciler.resync()
    const want = async (weight: number) => {
      state.wanted = table(tableService(WEB, [A, { ...B, weight }]))
      reconciler.markDirty(['web'])
      // A round takes several turns of the event loop.
      for (let i = 0; i < 10; i++) await setImmediate()
    }
    await want(3)
    for (let ms = 0; ms < 60; ms++) {
      assert.equal(batches.length, 2, `${ms} ms after the round`)
      await want(4 + ms)
      clock.wind(1)
    }
    await reconciler.idle()
    assert.equal(batches.length, 3)
    assert.deepEqual((await kernel.dump()).table, state.wanted)
  })

  it('writes what has changed at once, without reading the table and without the pause', async () => {
    const clock = new FakeClock()
    const kernel = memoryKernel()
    let dumps = 0
    const { reconciler, batches, state } = stage(
      FULL,
      {
        ...kernel,
        dump: (...args) => {
          dumps++
          return kernel.dump(...args)
        },
        apply: changes => {
          clock.wind(20)
          return kernel.apply(changes)
        },
      },
      clock,
    )
    await reconciler.resync()
    for (const weight of [3, 4, 5]) {
      state.wanted = table(tableService(WEB, [A, { ...B, weight }]))
      await reconciler.write(['web'])
      assert.deepEqual(
        batches.at(-1)?.map(({ op }) => op),
        ['set-real'],
      )
    }
    assert.deepEqual([batches.length, dumps], [4, 1])
  })

  it('copies no service that the kernel then has as it is wanted', async () => {
    const { reconciler, state, dump } = stage(FULL)
    await reconciler.resync()
    state.wanted = table(tableService(WEB, [A, { ...B, weight: 5 }]))
    await reconciler.write(['web'])
    const key = keyOfService(WEB)
    assert.equal(reconciler.table?.get(key), state.wanted.get(key))
    assert.deepEqual(reconciler.table, await dump())
    state.wanted = new Map()
    await reconciler.resync()
    assert.deepEqual(reconciler.table, new Map())
  })

  it('ends the pause that a round waits for when something is to be written at once', async () => {
    const clock = new FakeClock()
    const kernel = memoryKernel()
    const slowly = (changes: readonly Change[]) => {
      clock.wind(20)
      return kernel.apply(changes)
    }
    const { reconciler, batches, state } = stage(FULL, { ...kernel, apply: slowly }, clock)
    await reconciler.resync()
    for (const weight of [3, 4]) {
      state.wanted = table(tableService(WEB, [A, { ...B, weight }]))
      reconciler.markDirty(['web'])
      for (let i = 0; i < 10; i++) await setImmediate()
    }
    assert.equal(batches.length, 2)
    await reconciler.write(['web'])
    assert.equal(batches.length, 3)
  })

  it('corrects all of the table in place of a part after the kernel has refused a change', async () => {
    const kernel = memoryKernel()
    const { reconciler, state, dump } = stage(FULL, kernel)
    await reconciler.resync()
    kernel.refuse(command => (command === 'SET_DEST' ? 'ENOMEM' : null))
    state.wanted = table(tableService(WEB, [A, { ...B, weight: 3 }]))
    await reconciler.write(['web'])
    kernel.refuse(null)
    await kernel.byHand.apply(diff(new Map(), FULL, new Set(FULL.keys())))
    await reconciler.write([])
    assert.deepEqual(await dump(), state.wanted)
  })

  it('has corrected all of the table when a write ends whose entry another program had deleted', async () => {
    const kernel = memoryKernel()
    const { reconciler, state, dump, lines } = stage(FULL, kernel)
    await reconciler.resync()
    await kernel.byHand.apply([{ op: 'delete-real', id: WEB, was: B }])
    state.wanted = table(tableService(WEB, [A, { ...B, weight: 3 }]))
    await reconciler.write(['web'])
    assert.deepEqual(await dump(), state.wanted)
    assert.deepEqual(
      lines.filter(({ event }) => event === 'drift.repaired').map(({ real }) => real),
      ['[fd00:1::b]:80'],
    )
    assert.equal(reconciler.stats.driftRepaired, 1)
    assert.ok(!lines.some(({ event }) => event === 'kernel.refused'))
    assert.deepEqual(reconciler.stats.errors, [])
  })

  it('tells of drift when a result is to be written for a service that another program has deleted', async () => {
    const kernel = memoryKernel()
    const { reconciler, state, dump, lines } = stage(FULL, kernel)
    await reconciler.resync()
    await kernel.byHand.apply(diff(new Map(), FULL, new Set(FULL.keys())))
    state.wanted = table(tableService(WEB, [A]))
    reconciler.markDirty(['web'])
    await reconciler.idle()
    assert.deepEqual(await dump(), state.wanted)
    assert.deepEqual(
      lines.filter(({ event }) => /^drift|refused/.test(event ?? '')).map(({ event }) => event),
      ['drift.repaired', 'drift.repaired', 'drift.repaired'],
    )
  })

  it('tells that the kernel refuses what another program has nothing to do with', async () => {
    const kernel = memoryKernel()
    const { reconciler, state, lines } = stage(FULL, kernel)
    await reconciler.resync()
    kernel.refuse(command => (command === 'SET_SERVICE' ? 'ENOENT' : null))
    state.wanted = table({ ...tableService(WEB, [A, B]), scheduler: 'mh' })
    reconciler.markDirty(['web'])
    await reconciler.idle()
    assert.equal(lines.filter(({ event }) => event === 'kernel.refused').length, 1)
    assert.equal(reconciler.stats.driftRepaired, 0)
    await reconciler.stop()
  })

  it('repairs what another program has changed when it is to look soon', async () => {
    const { reconciler, dump, kernel } = stage(FULL)
    await reconciler.resync()
    await kernel.apply(diff(new Map(), FULL, new Set(FULL.keys())))
    reconciler.lookSoon()
    await reconciler.idle()
    assert.deepEqual(await dump(), FULL)
  })

  it('runs one round for many requests', async () => {
    const { reconciler, batches, state } = stage(FULL)
    await reconciler.resync()
    state.wanted = table(tableService(WEB, [A]))
    reconciler.markDirty(['web'])
    reconciler.markDirty(['web'])
    await reconciler.idle()
    assert.deepEqual(
      batches[1]?.map(change => change.op),
      ['delete-real'],
    )
    assert.equal(batches.length, 2)
  })

  it('reverts changes by other programs, logs them, and does not change their services', async () => {
    const { reconciler, kernel, dump, lines } = stage(FULL)
    await reconciler.resync()
    await kernel.apply([
      { op: 'delete-real', id: WEB, was: A },
      { op: 'set-real', id: WEB, real: { ...B, weight: 77 }, was: B },
      { op: 'add-real', id: WEB, real: tableReal('fd00:1::bad') },
      { op: 'add-service', id: FOREIGN, service: SERVICE_ATTRIBUTES },
    ])
    await reconciler.resync()
    assert.deepEqual([...(await dump()).keys()].sort(), [keyOfService(WEB), keyOfService(FOREIGN)].sort())
    assert.deepEqual((await dump()).get(keyOfService(WEB)), FULL.get(keyOfService(WEB)))
    assert.equal(reconciler.stats.driftRepaired, 3)
    assert.equal(lines.filter(line => line.msg.startsWith('drift:')).length, 3)
  })

  it('logs how to drain a server after a manual change of its weight', async () => {
    const { reconciler, kernel, lines } = stage(FULL)
    await reconciler.resync()
    for (const weight of [9, 0]) {
      await kernel.apply([{ op: 'set-real', id: WEB, real: { ...B, weight }, was: B }])
      await reconciler.resync()
    }
    const [other, drained] = lines.filter(({ msg }) => msg.startsWith('drift:')).map(({ msg }) => msg)
    assert.doesNotMatch(other ?? '', /maintenancedir/)
    assert.match(
      drained ?? '',
      /lvsd reverts the change \(to drain it: weight: 0 and a reload, or a file in maintenancedir\)/,
    )
  })

  it('logs once that another director reverts all changes, and continues to count', async () => {
    const { reconciler, kernel, dump, lines } = stage(FULL)
    await reconciler.resync()
    for (let i = 0; i < 12; i++) {
      await kernel.apply([{ op: 'delete-real', id: WEB, was: A }])
      await reconciler.resync()
      assert.deepEqual((await dump()).get(keyOfService(WEB)), FULL.get(keyOfService(WEB)))
    }
    const told = lines.filter(({ msg }) => msg.startsWith('another program keeps changing'))
    assert.deepEqual(
      told.map(({ service, changes }) => [service, changes]),
      [[keyOfService(WEB), 3]],
    )
    assert.equal(lines.filter(({ msg, level }) => msg.startsWith('drift:') && level === 40).length, 3)
    assert.deepEqual(
      reconciler.stats.disputes.map(({ changes }) => changes),
      [12],
    )
    for (let i = 0; i < 10; i++) await reconciler.resync()
    assert.deepEqual(reconciler.stats.disputes, [])
  })

  it('names what another program changes as the configuration does, each address of a service', async () => {
    const wanted = table(tableService(WEB, [A, B]), tableService(MAIL, [A]))
    const virtual = { ...service('web').virtual, request: '[2001:db8::25]:25' }
    const also = [{ id: MAIL, virtual, attributes: SERVICE_ATTRIBUTES, fallback: null }]
    const reals = [{ ...real('fd00:1::a'), host: 'app1.example' }, real('fd00:1::b')]
    const web = service('web', { id: WEB, also, reals })
    const { reconciler, kernel, lines } = stage(wanted, memoryKernel(), systemClock, [web])
    const told = (event: string) =>
      lines.filter(line => line.event === event).map(line => [line.service, line.real])
    await reconciler.resync()
    for (let i = 0; i < 3; i++) {
      await kernel.apply([{ op: 'delete-real', id: MAIL, was: A }])
      await reconciler.resync()
    }
    const stranger = tableReal('fd00:1::c')
    await kernel.apply([{ op: 'add-real', id: WEB, real: stranger }])
    for (let i = 0; i < 12; i++) await reconciler.resync()
    assert.deepEqual(told('drift.repaired'), [
      ...Array.from({ length: 3 }, () => ['web', 'app1.example:80']),
      ['web', '[fd00:1::c]:80'],
    ])
    assert.deepEqual(told('table.dispute'), [['web', undefined]])
    assert.deepEqual(told('table.dispute-over'), [['web', undefined]])
  })

  it('creates a service again that another program deleted', async () => {
    const { reconciler, kernel, dump } = stage(FULL)
    await reconciler.resync()
    await kernel.apply([{ op: 'delete-service', id: WEB, was: tableService(WEB, []) }])
    await reconciler.resync()
    assert.deepEqual(await dump(), FULL)
  })

  it('deletes an owned service that is no longer desired, and removes it from the journal', async () => {
    const { reconciler, state, dump, journal } = stage(table(tableService(WEB, [A]), tableService(MAIL, [])))
    await reconciler.resync()
    state.wanted = FULL
    await reconciler.resync()
    assert.deepEqual(await dump(), FULL)
    assert.deepEqual([...journal.owned], [keyOfService(WEB)])
  })

  it('gives up an owned service that another program deleted, and does not change it if it is created later', async () => {
    const kernel = memoryKernel()
    const { reconciler, state, dump, journal } = stage(
      table(tableService(WEB, [A]), tableService(MAIL, [])),
      kernel,
    )
    await reconciler.resync()
    const was = tableService(MAIL, [])
    await kernel.byHand.apply([{ op: 'delete-service', id: MAIL, was }])
    state.wanted = FULL
    await reconciler.resync()
    assert.deepEqual([...journal.owned], [keyOfService(WEB)])
    await kernel.byHand.apply([{ op: 'add-service', id: MAIL, service: SERVICE_ATTRIBUTES }])
    await reconciler.resync()
    assert.equal((await dump()).has(keyOfService(MAIL)), true)
  })

  it('keeps the error of one service in the status while it changes another', async () => {
    const kernel = memoryKernel()
    const services = { web: tableService(WEB, [A]), mail: tableService(MAIL, [B]) }
    const reconciler = new Reconciler({
      kernel,
      journal: memoryJournal(),
      log: recordingLog().log,
      desired: (_actual, names) => {
        const asked = Object.entries(services).flatMap(([name, one]) =>
          names?.has(name) === false ? [] : one,
        )
        return { table: table(...asked), ids: asked.map(({ id }) => id) }
      },
    })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    kernel.refuse((command, key) => (command === 'SET_DEST' && key.includes('fd00:1::') ? 'ENOMEM' : null))
    for (const name of ['web', 'mail'] as const) {
      const { id, reals } = services[name]
      services[name] = tableService(
        id,
        [...reals.values()].map(real => ({ ...real, weight: 9 })),
      )
      reconciler.markDirty([name])
      await reconciler.idle()
    }
    assert.equal(reconciler.stats.errors.length, 2)
  })

  it('reads the kernel once for concurrent requests for counters', async () => {
    const kernel = memoryKernel()
    let readings = 0
    const { reconciler } = stage(FULL, {
      ...kernel,
      dump: () => {
        readings++
        return kernel.dump()
      },
    })
    const dumps = await Promise.all([1, 2, 3].map(() => reconciler.counters(0)))
    assert.deepEqual([readings, new Set(dumps).size], [1, 1])
  })

  it('applies all other changes if the kernel refuses one, and retries it', async () => {
    const kernel = memoryKernel()
    let isRefusing = true
    const stubborn: Kernel = {
      ...kernel,
      async apply(changes) {
        const isRefused = (change: Change) =>
          isRefusing && 'real' in change && change.real.address === A.address
        const outcomes = await kernel.apply(changes.filter(change => !isRefused(change)))
        const left = [...outcomes]
        return changes.map(change =>
          isRefused(change) ? new KernelError('no room for it', 'ENOMEM') : (left.shift() ?? null),
        )
      },
    }
    const { reconciler, dump, lines } = stage(FULL, stubborn)
    await reconciler.resync()
    assert.deepEqual([...((await dump()).get(keyOfService(WEB))?.reals.keys() ?? [])], ['[fd00:1::b]:80'])
    assert.deepEqual(reconciler.stats.errors, ['no room for it'])
    isRefusing = false
    await reconciler.resync()
    assert.deepEqual(await dump(), FULL)
    assert.deepEqual(reconciler.stats.errors, [])
    assert.equal(reconciler.stats.driftRepaired, 0, 'its own refused change is no drift')
    assert.equal(
      lines.filter(line => line.kernel === 'no room for it').length,
      1,
      'told once, not at every try',
    )
  })

  it('repairs other services while the kernel refuses again and again what one needs', async () => {
    const kernel = memoryKernel()
    const both = table(tableService(WEB, [A]), tableService(MAIL, [B]))
    const { reconciler, state, dump } = stage(both, kernel)
    await reconciler.resync()
    kernel.refuse((command, key) => (command === 'SET_DEST' && key.includes('fd00:1::a') ? 'ENOMEM' : null))
    state.wanted = table(tableService(WEB, [{ ...A, weight: 9 }]), tableService(MAIL, [B]))
    await reconciler.write(['web'])
    await kernel.byHand.apply([{ op: 'delete-real', id: MAIL, was: B }])
    // As with a server that changes all the time.
    const isRepaired = async () => (await dump()).get(keyOfService(MAIL))?.reals.size === 1
    for (let round = 0; round < 150 && !(await isRepaired()); round++) {
      reconciler.markDirty(['web'])
      await reconciler.idle()
      await sleep(20)
    }
    assert.ok(await isRepaired())
  })

  it('does not try again and again at once where the kernel says that what it lacks is there', async () => {
    const kernel = memoryKernel()
    let tries = 0
    kernel.refuse(command => (command === 'NEW_DEST' && ++tries < 100 ? 'EEXIST' : null))
    const { reconciler, lines } = stage(FULL, kernel)
    await reconciler.resync()
    assert.ok(tries <= 4, `${tries} tries`)
    assert.ok(lines.some(({ event }) => event === 'kernel.refused'))
    await reconciler.stop()
  })

  it('keeps a service in the journal that the kernel does not delete, and deletes it later', async () => {
    const kernel = memoryKernel()
    const both = table(tableService(WEB, [A, B]), tableService(MAIL, []))
    const { reconciler, state, dump, journal } = stage(both, kernel)
    await reconciler.resync()
    kernel.refuse(command => (command === 'DEL_SERVICE' ? 'ENOMEM' : null))
    state.wanted = FULL
    await reconciler.resync()
    assert.ok(journal.owned.has(keyOfService(MAIL)))
    kernel.refuse(null)
    await reconciler.resync()
    assert.deepEqual(await dump(), FULL)
    assert.deepEqual([...journal.owned], [keyOfService(WEB)])
  })

  it('continues if the kernel cannot be read, and converges when it can', async () => {
    const kernel = memoryKernel()
    let isReadable = false
    const blind: Kernel = {
      ...kernel,
      dump: () => (isReadable ? kernel.dump() : Promise.reject(new KernelError('not permitted', 'EPERM'))),
    }
    const { reconciler, batches, dump } = stage(FULL, blind)
    await reconciler.resync()
    assert.deepEqual([batches.length, reconciler.stats.errors], [0, ['not permitted']])
    isReadable = true
    await reconciler.resync()
    assert.deepEqual(await dump(), FULL)
  })

  it('continues if the journal cannot be written', async () => {
    const { reconciler, journal, dump, lines } = stage(FULL)
    journal.record = () => {
      throw new Error('no space left on device')
    }
    for (let i = 0; i < 3; i++) await reconciler.resync()
    assert.deepEqual(await dump(), FULL)
    assert.equal(lines.filter(line => line.error === 'no space left on device').length, 1, 'told once')
  })

  it('does nothing after it is stopped', async () => {
    const { reconciler, batches } = stage(FULL)
    await reconciler.stop()
    reconciler.markDirty(['web'])
    await reconciler.resync()
    assert.equal(batches.length, 0)
  })
})

describe('reconciler: an incomplete dump, because other programs change the table', () => {
  const site = table(tableService(WEB, [A, B]), tableService(MAIL, [A]))

  it('is not drift, and nothing is written', async () => {
    const kernel = memoryKernel()
    const { reconciler, lines, batches } = stage(site, kernel)
    await reconciler.resync()
    for (const key of [keyOfService(MAIL), `${keyOfService(WEB)} [${A.address.text}]:80`]) {
      let left = 1
      kernel.hide(found => found === key && left-- > 0)
      await reconciler.resync()
    }
    assert.deepEqual(
      lines.filter(({ msg }) => /drift|refused/.test(msg)),
      [],
    )
    assert.equal(batches.length, 1)
    assert.equal(reconciler.stats.driftRepaired, 0)
  })

  it('does not lose a service that a reload removes at the same time', async () => {
    const kernel = memoryKernel()
    const { reconciler, state, dump, journal } = stage(site, kernel)
    await reconciler.resync()
    kernel.hide(key => key === keyOfService(MAIL))
    state.wanted = table(tableService(WEB, [A, B]))
    await reconciler.resync()
    kernel.hide(null)
    assert.deepEqual([...(await dump()).keys()], [keyOfService(WEB)])
    assert.deepEqual([...journal.owned], [keyOfService(WEB)])
  })

  it('shows every service in the status', async () => {
    const kernel = memoryKernel()
    const { reconciler } = stage(site, kernel)
    await reconciler.resync()
    kernel.hide(key => key === keyOfService(MAIL))
    const dump = await reconciler.counters(0)
    assert.deepEqual([...(dump?.table.keys() ?? [])].sort(), [...site.keys()].sort())
  })

  it('recognizes a service that was deleted, and one that is no longer owned', async () => {
    const kernel = memoryKernel()
    const { reconciler, lines, dump } = stage(site, kernel)
    await reconciler.resync()
    await kernel.byHand.apply([{ op: 'delete-service', id: MAIL, was: tableService(MAIL, [A]) }])
    await reconciler.resync()
    assert.equal(lines.filter(({ msg }) => msg.includes('deleted by another program')).length, 2)
    assert.deepEqual(await dump(), site)
  })
})
