/** Entry point of a worker. The guards are active before any check is loaded. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { workBelow } from '../system/process-marks.js'
import { beatWhileLoading, startBeat } from './beat.js'
import { hearCore, sendToCore, yieldToOthers } from './core-link.js'
import { Descriptors } from './descriptors.js'
import { DESCRIPTORS } from './frames.js'
import { guardDirector, guardProcess } from './guards.js'
import type { Order, Terms } from './messages.js'
import { Outbox } from './outbox.js'
import { boundOutput } from './output.js'
import { readReports } from './read-reports.js'
import { type Attribute, Runs } from './runs.js'
import { OwnState } from './shared.js'
import { reportSpawns } from './spawns.js'

/** Number of beats between two checks of the descriptors. */
const LOOK_EVERY = 8

function begin(terms: Terms): (orders: readonly Order[]) => void {
  const { isGuarded } = terms
  const shared = new OwnState(DESCRIPTORS.shared)
  // Validated and copied here as lvsd does on receipt; long texts are cut before they are sent.
  const outbox = new Outbox(reports => sendToCore(readReports(reports), true))
  // AsyncLocalStorage makes promises slower. For shipped checks, culprits are found without it.
  const storage = isGuarded ? new AsyncLocalStorage<number>() : null
  const currentRun = () => storage?.getStore() ?? null
  const attribute: Attribute = storage ? (run, start) => storage.run(run, start) : (_run, start) => start()
  const runs = new Runs(outbox, shared, attribute, isGuarded)
  process.title = `lvsd: ${terms.name}`
  yieldToOthers(terms.niceness)
  workBelow(terms.oomScore)
  const tell = guardProcess(outbox, currentRun)
  if (isGuarded) guardDirector()
  else beatWhileLoading(shared)
  boundOutput(outbox, currentRun)
  reportSpawns(shared, !isGuarded)
  const descriptors = new Descriptors(
    () => runs.count,
    what => tell('held', what),
  )
  let beats = 0
  startBeat(shared, terms, () => {
    runs.notePhases()
    if (isGuarded && ++beats % LOOK_EVERY === 0) descriptors.look()
  })
  outbox.say({ say: 'ready' })
  return orders => {
    for (const order of orders) {
      // Many orders can arrive together. With shipped checks, each order gets the full time limit of one.
      if (!isGuarded) shared.beat()
      runs.take(order)
    }
  }
}

let take: ReturnType<typeof begin> | null = null
hearCore(value => {
  if (take) take(value as readonly Order[])
  else take = begin(value as Terms)
})
