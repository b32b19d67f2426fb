/** One fault under a steady client. */
import { pause } from '../../support/until.js'
import { type Watcher, watchTable } from '../site/watcher.js'
import { watchHolders } from './addresses.js'
import { type Losses, lossesOf, startClient } from './client.js'
import { type Cluster, DIRECTORS, type DirectorName, VIRTUAL } from './cluster.js'
import type { Fault } from './faults.js'

export interface Durations {
  /** Milliseconds of the fault. */
  readonly fault: number
  /** Milliseconds before it, and after its end. */
  readonly calm: number
  /** After how many milliseconds a request has failed. */
  readonly limit: number
}

export interface Outcome extends Losses {
  readonly fault: Fault
  /** Who had the IPv6 address in turn, during the fault and after it. */
  readonly holders: readonly [during: string, after: string]
  /** Changes that took a healthy server from a table. */
  readonly removals: readonly string[]
}

/** Runs a fault from its begin to the moment at which all is well again. */
export async function runFault(cluster: Cluster, fault: Fault, durations: Durations): Promise<Outcome> {
  const watchers = DIRECTORS.map(name => ({ name, watcher: watchTable(name) }))
  const holders = watchHolders()
  const client = startClient(VIRTUAL.ipv6, durations.limit)
  await pause(durations.calm)
  const began = performance.now()
  await fault.begin(cluster)
  await pause(durations.fault)
  const ended = performance.now()
  await fault.end(cluster)
  await cluster.settle()
  await pause(durations.calm)
  const requests = await client.stop()
  return {
    ...lossesOf(requests, ended),
    fault,
    holders: [holders.between(began, ended), holders.between(ended, performance.now())],
    removals: watchers.flatMap(({ name, watcher }) => removals(fault, name, watcher)),
  }
}

/** Returns the changes by which servers that were healthy left a table, or got no weight. */
function removals(fault: Fault, director: DirectorName, watcher: Watcher): string[] {
  const changes = watcher.take()
  watcher.stop()
  if (fault.died === director) return []
  const sick = fault.server === undefined ? null : /2001:db8::1|192\.0\.2\.1/
  const number = fault.server?.slice(-1)
  return changes
    .filter(change => /^- |^replaced | -> \S+ 0 /.test(`${change} `))
    .filter(change => sick === null || !new RegExp(`(${sick.source})${number}\\]?:80`).test(change))
    .map(change => `${director}: ${change}`)
}
