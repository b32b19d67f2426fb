/** Where a worker for shipped checks begins, which is a thread. Nothing of a check is loaded before the guards stand. */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { type MessagePort, workerData } from 'node:worker_threads'
import { onGroups } from '../children.js'
import { beatWhileLoading, startBeat } from './beat.js'
import { guardThread } from './guards.js'
import type { Order, Terms } from './messages.js'
import { Outbox } from './outbox.js'
import { boundOutput } from './output.js'
import { Runs } from './runs.js'
import { MemoryWords, SharedState } from './shared.js'
import { tellSpawns } from './spawns.js'

const { port, memory, terms } = workerData as { port: MessagePort; memory: SharedArrayBuffer; terms: Terms }

const shared = new SharedState(new MemoryWords(memory))
const outbox = new Outbox(reports => port.postMessage(reports))
// To know it costs each promise something, and only lvsd's own code runs here: culprits are found without it.
const currentRun = () => null
const runs = new Runs(outbox, shared, (_run, begin) => begin())

shared.thread = threadNumber()
if (terms.niceness > 0) setPriority(terms.niceness)
guardThread(outbox, currentRun)
boundOutput(outbox, currentRun)
beatWhileLoading(shared)
tellSpawns(shared, true)
onGroups({ begun: group => shared.addGroup(group), ended: group => shared.removeGroup(group) })
startBeat(shared, terms, () => runs.notePhases())

port.on('message', (orders: readonly Order[]) => {
  for (const order of orders) {
    // Many orders may come at once; each has the time that one may take.
    shared.beat()
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
