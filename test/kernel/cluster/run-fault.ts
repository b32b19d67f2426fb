/** One fault under a steady client. */
import { pause } from '../../support/until.js'
import { type Watcher, watchTable } from '../site/watcher.js'
import { watchHolders } from './addresses.js'
import { type Losses, lossesOf, startClient } from './client.js'
import { type Cluster, DIRECTORS, type DirectorName, VIRTUAL } from './cluster.js'
import type { Fault } from './faults.js'
import { timesDown } from './haproxy-state.js'

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
  /** How often a haproxy took an application server that worked for down: it had no processor for its check. */
  readonly falseDowns: number
}

/** Runs a fault from its begin to the moment at which all is well again. */
export async function runFault(cluster: Cluster, fault: Fault, durations: Durations): Promise<Outcome> {
  const before = await downsOf(cluster)
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
  const after = await downsOf(cluster)
  return {
    ...lossesOf(requests, ended),
    fault,
    holders: [holders.between(began, ended), holders.between(ended, performance.now())],
    falseDowns: falseDowns(fault, before, after),
    removals: watchers.flatMap(({ name, watcher }) => removals(fault, name, watcher)),
  }
}

type Downs = Readonly<Record<(typeof HAPROXIES)[number], ReadonlyMap<string, number>>>

const HAPROXIES = ['haproxy1', 'haproxy2'] as const

async function downsOf({ machines }: Cluster): Promise<Downs> {
  const [haproxy1, haproxy2] = await Promise.all(HAPROXIES.map(name => timesDown(machines[name])))
  return { haproxy1: haproxy1 ?? new Map(), haproxy2: haproxy2 ?? new Map() }
}

function falseDowns(fault: Fault, before: Downs, after: Downs): number {
  const counts = HAPROXIES.filter(name => name !== fault.server).flatMap(name =>
    [...after[name]]
      .filter(([server]) => server !== fault.application)
      .map(([server, count]) => count - (before[name].get(server) ?? 0)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
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
