/**
 * The cluster of deploy/cluster/haproxy from its own files, under a steady client, while its parts are killed, stopped
 * and cut off, and come back. The short form has a choice of faults, and longer limits than the recipe. The long form,
 * CLUSTER_FAULTS=all, has all, with the recipe's limits, and writes deploy/cluster/FAULTS.md.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programOr } from '../support/checks/programs.js'
import { Cluster } from './cluster/cluster.js'
import { FAULTS } from './cluster/faults.js'
import { faultsPage } from './cluster/page.js'
import { type Durations, type Outcome, runFault } from './cluster/run-fault.js'

const wanted = process.env.CLUSTER_FAULTS ?? ''
const isLong = wanted !== ''
const durations: Durations = isLong
  ? { fault: 6000, calm: 1000, limit: 1000 }
  : { fault: 4000, calm: 500, limit: 10_000 }
const chosen = FAULTS.filter(({ isShort, part, what }) =>
  isLong ? wanted === 'all' || `${part}: ${what}`.includes(wanted) : isShort,
)

describe('cluster: a steady client of two directors with haproxies and Redis', function () {
  // The page has one run of each fault.
  if (isLong) this.retries(0)
  let cluster: Cluster | undefined
  const outcomes: Outcome[] = []

  before(async function () {
    const skip = () => this.skip()
    for (const name of ['haproxy', 'keepalived', 'redis-server']) programOr(skip, name, name)
    cluster = new Cluster({ ofRecipe: isLong })
    await cluster.start()
    await cluster.settle()
  })
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.log(cluster?.report())
  })
  after(async () => {
    if (wanted === 'all')
      writeFileSync(join(process.env.LAB_SCRATCH ?? '', 'FAULTS.md'), faultsPage(FAULTS, outcomes, durations))
    await cluster?.end()
  })

  for (const fault of chosen)
    it(`${fault.part}, ${fault.what}: no healthy server leaves a table, and the service comes back`, async () => {
      assert.ok(cluster)
      await cluster.settle()
      if (fault.inGroup) await cluster.useSyncGroup()
      const outcome = await runFault(cluster, fault, durations)
      const { sent, during, after, failing, silence, holders, kinds, falseDowns } = outcome
      const told = {
        sent,
        during,
        after,
        failing: Math.round(failing),
        silence: Math.round(silence),
        holders,
        kinds,
        falseDowns,
      }
      console.log(`      ${JSON.stringify(told)}`)
      outcomes.push(outcome)
      assert.deepEqual(outcome.removals, [])
      if (fault.isUnseen && !isLong) assert.equal(during + after, 0, JSON.stringify(kinds))
    })
})
