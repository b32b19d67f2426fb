/** Other programs add and delete services while the table is read, between any two messages of the dump. */
import assert from 'node:assert/strict'
import { type Change, keyOfReal, keyOfService, type Table } from '../../src/core/model.js'
import { connect, openKernel } from '../../src/ipvs/client.js'
import type { Kernel } from '../../src/ipvs/kernel.js'
import type { Socket } from '../../src/netlink/connection.js'
import { openSocket } from '../../src/netlink/socket.js'
import { Reconciler } from '../../src/reconcile/reconciler.js'
import { memoryJournal } from '../../src/storage/journal.js'
import { onCleanup } from '../support/after-each.js'
import { recordingLog } from '../support/logs.js'
import { SERVICE_ATTRIBUTES, serviceId, table, tableReal, tableService } from '../support/tables.js'

const SERVICES = 400
const REALS = 25
const FOREIGN = 30
/** Duration of the test in milliseconds. */
const DURATION = 1000 * Number(process.env.CHURN_SECONDS ?? 6)

const reals = Array.from({ length: REALS }, (_, i) => tableReal(`fd00:1::${(i + 1).toString(16)}`))
const ours = table(
  ...Array.from({ length: SERVICES }, (_, i) =>
    tableService(serviceId(`fd00:f::${(i + 1).toString(16)}`), reals),
  ),
)
const foreign = Array.from({ length: FOREIGN }, (_, i) => serviceId(`fd00:e::${(i + 1).toString(16)}`))

/** The other programs: each `change` adds or deletes the next foreign service. */
function otherPrograms(kernel: Kernel) {
  const there = new Set<number>()
  let turn = 0
  const changeOne = (i: number) => {
    const id = foreign[i]
    if (!id) return
    const step: Change = there.has(i)
      ? { op: 'delete-service', id, was: tableService(id, []) }
      : { op: 'add-service', id, service: SERVICE_ATTRIBUTES }
    if (!there.delete(i)) there.add(i)
    void kernel.apply([step])
  }
  return {
    change: () => changeOne(turn++ % FOREIGN),
    /** Adds all foreign services: the next changes delete them. A dump skips a service after each that is deleted before its place. */
    addAll() {
      for (let i = 0; i < FOREIGN; i++) if (!there.has(i)) changeOne(i)
      turn = 0
    },
  }
}

/** Wraps a socket: `change` is called before each receive. */
const churned = (socket: Socket, change: () => void): Socket => ({
  ...socket,
  receive(into) {
    change()
    return socket.receive(into)
  },
})

const missing = (found: Table) =>
  [...ours].flatMap(([key, { reals: wanted }]) => {
    const held = found.get(key)
    return held ? [...wanted.values()].filter(real => !held.reals.has(keyOfReal(real))).map(keyOfReal) : [key]
  })

describe('a table that other programs change during a read', () => {
  let others: Kernel
  let programs: ReturnType<typeof otherPrograms>
  let kernel: Kernel

  beforeEach(async () => {
    others = await openKernel()
    programs = otherPrograms(others)
    kernel = connect(churned(openSocket(), programs.change))
    onCleanup(() => others.close())
    onCleanup(() => kernel.close())
  })

  it('is read completely, shows no drift, and keeps its services', async () => {
    const { log, lines } = recordingLog('info')
    const journal = memoryJournal()
    const reconciler = new Reconciler({
      kernel,
      journal,
      log,
      desired: () => ({ table: ours, ids: [...ours.values()].map(({ id }) => id) }),
    })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    let hidden = 0
    let readings = 0
    for (const end = performance.now() + DURATION; performance.now() < end; readings++) {
      programs.addAll()
      hidden += missing((await kernel.dump()).table).length
      assert.deepEqual(missing((await kernel.dump(ours)).table), [])
      await reconciler.resync()
    }
    assert.ok(hidden > 0, `in ${readings} readings nothing was hidden: this shows nothing`)
    assert.deepEqual(lines, [])
    assert.equal(reconciler.stats.driftRepaired, 0)
    assert.equal(journal.owned.size, SERVICES)
  })

  it('loses every service that the configuration no longer has', async () => {
    const { log } = recordingLog('info')
    const journal = memoryJournal()
    journal.record({ add: [...ours.values()].map(({ id }) => id) })
    let wanted: Table = ours
    const desired = () => ({ table: wanted, ids: [...wanted.values()].map(({ id }) => id) })
    const reconciler = new Reconciler({ kernel, journal, log, desired })
    onCleanup(() => reconciler.stop())
    await reconciler.resync()
    const keys = [...ours.keys()]
    for (let left = SERVICES - 20; left >= 0; left -= 20) {
      wanted = new Map([...ours].filter(([key]) => keys.indexOf(key) < left))
      await reconciler.resync()
    }
    const { table: found } = await others.dump()
    assert.deepEqual(
      [...found.values()].map(({ id }) => keyOfService(id)).filter(key => ours.has(key)),
      [],
    )
    assert.equal(journal.owned.size, 0)
  })
})
