import assert from 'node:assert/strict'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandOverrides } from '../../../src/overrides/command-overrides.js'
import { temporaryFolder } from '../../support/folder.js'
import { linesUntilKilled } from '../../support/killed-process.js'
import { recordingLog } from '../../support/logs.js'
import { inForceAfter } from './overrides-model.js'

/** For longer: STATE_KILLS=1000. */
const KILLS = Number(process.env.STATE_KILLS ?? 2)
const TYPE = extname(fileURLToPath(import.meta.url))
const CHILD = fileURLToPath(new URL(`overrides-child${TYPE}`, import.meta.url))

describe('CommandOverrides: a process that is killed while overrides are given and ended', function () {
  this.timeout(20_000 + KILLS * 10_000)

  it(`leaves each that was on the disk, and none that was ended, ${KILLS} times`, async () => {
    const path = join(temporaryFolder(), 'overrides.json')
    let last = -1
    let between = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const lines = await linesUntilKilled(CHILD, [path, String(last + 1)])
      const newest = (what: string) =>
        Number(lines.findLast(line => line.startsWith(what))?.split(' ')[1] ?? last)
      const [kept, begun] = [newest('kept'), newest('begun')]
      const { log, lines: said } = recordingLog()
      const overrides = new CommandOverrides({ path, log, onChange: () => {} })
      await overrides.load()
      await overrides.close(1000)
      const found = overrides.orders.map(order => Number.parseInt(order.override.reason, 10))
      const state = JSON.stringify(found.sort((a, b) => a - b))
      const steps = Array.from({ length: begun - kept + 1 }, (_, i) => kept + i)
      const step = steps.find(n => JSON.stringify(inForceAfter(n)) === state)
      assert.notEqual(
        step,
        undefined,
        `kill ${kill}: ${state} is in force after no step of ${kept} to ${begun}`,
      )
      assert.deepEqual(said, [])
      if (step !== kept) between++
      last = step ?? last
    }
    if (KILLS > 100) console.log(`      ${last + 1} steps; ${between} kills between a write and its answer`)
  })
})
