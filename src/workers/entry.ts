/** Where a worker begins. Nothing of a check is loaded before the guards stand. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { onGroups } from '../children.js'
import { beatWhileLoading, startBeat } from './beat.js'
import { Descriptors } from './descriptors.js'
import { guardProcess, guardThread } from './guards.js'
import type { Order, Terms } from './messages.js'
import { Outbox } from './outbox.js'
import { boundOutput } from './output.js'
import { refuseWhatAllBear } from './refusals.js'
import { type Attribute, Runs } from './runs.js'
import { SharedState } from './shared.js'
import { tellSpawns } from './spawns.js'

interface Given {
  port?: MessagePort
  terms?: Terms
}

const { port, terms } = workerData as Required<Given>
// What checks find here is not the way to the core.
delete (workerData as Given).port
delete (workerData as Given).terms
// What is sent there would be read by the core's thread, however much it is.
parentPort?.close()

const shared = new SharedState(terms.memory)
const outbox = new Outbox(port)
// It costs each promise something: where only lvsd's own code runs, culprits are found without it.
const storage = terms.isGuarded ? new AsyncLocalStorage<number>() : null
const currentRun = () => storage?.getStore() ?? null
const attribute: Attribute = storage ? (run, begin) => storage.run(run, begin) : (_run, begin) => begin()
const runs = new Runs(outbox, shared, attribute)

shared.thread = threadNumber()
if (terms.niceness > 0) setPriority(terms.niceness)
const tell = guardThread(outbox, currentRun)
boundOutput(outbox, currentRun)
if (terms.isGuarded) guardProcess()
else beatWhileLoading(shared)
tellSpawns(shared, !terms.isGuarded)
onGroups({ begun: group => shared.addGroup(group), ended: group => shared.removeGroup(group) })
const descriptors = terms.isGuarded
  ? new Descriptors(
      () => runs.count,
      most => tell('held', `more than ${most} files and sockets`),
    )
  : null
let beats = 0
startBeat(shared, terms.beat, terms.limit, () => {
  runs.notePhases()
  if (++beats % 8 === 0) descriptors?.look()
})
if (terms.isGuarded) refuseWhatAllBear()

port.on('message', (orders: readonly Order[]) => {
  for (const order of orders) {
    // Many orders may come at once; where lvsd's own code runs, each has the time that one may take.
    if (!terms.isGuarded) shared.beat()
    runs.take(order)
  }
})
outbox.say({ say: 'ready' })

/** As /proc has it: `PID/task/NUMBER`. */
function threadNumber(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1))
  } catch {
    return 0
  }
}
