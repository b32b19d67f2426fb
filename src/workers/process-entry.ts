/** Where a worker for a user's file begins, which is a process. Nothing of the file is loaded before the guards stand. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { startBeat } from './beat.js'
import { hearCore, tellCore, yieldToOthers } from './core-link.js'
import { Descriptors } from './descriptors.js'
import { DESCRIPTORS } from './frames.js'
import { guardProcess, guardThread } from './guards.js'
import type { Order, Terms } from './messages.js'
import { Outbox } from './outbox.js'
import { boundOutput } from './output.js'
import { readReports } from './read-reports.js'
import { Runs } from './runs.js'
import { FileWords, SharedState } from './shared.js'
import { tellSpawns } from './spawns.js'

/** Beats between two looks at the descriptors. */
const LOOK_EVERY = 8

function begin(terms: Terms): (orders: readonly Order[]) => void {
  const shared = new SharedState(new FileWords(DESCRIPTORS.shared))
  // Copied as lvsd would copy them: what is too long is cut here.
  const outbox = new Outbox(reports => tellCore(readReports(reports)))
  const storage = new AsyncLocalStorage<number>()
  const currentRun = () => storage.getStore() ?? null
  const runs = new Runs(outbox, shared, (run, start) => storage.run(run, start))
  shared.thread = process.pid
  yieldToOthers(terms.niceness)
  const tell = guardThread(outbox, currentRun)
  guardProcess()
  boundOutput(outbox, currentRun)
  tellSpawns(shared, false)
  const descriptors = new Descriptors(
    () => runs.count,
    most => tell('held', `more than ${most} files and sockets`),
  )
  let beats = 0
  startBeat(shared, terms, () => {
    runs.notePhases()
    if (++beats % LOOK_EVERY === 0) descriptors.look()
  })
  outbox.say({ say: 'ready' })
  return orders => {
    for (const order of orders) runs.take(order)
  }
}

let take: ReturnType<typeof begin> | null = null
hearCore(value => {
  if (take) take(value as readonly Order[])
  else take = begin(value as Terms)
})
