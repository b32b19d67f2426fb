import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EventMemory } from '../../../src/history/event-memory.js'
import { temporaryFolder } from '../../support/folder.js'
import { linesUntilKilled } from '../../support/killed-process.js'
import { recordingLog } from '../../support/logs.js'

/** For longer: STATE_KILLS=1000. */
const KILLS = Number(process.env.STATE_KILLS ?? 4)
const TYPE = extname(fileURLToPath(import.meta.url))
const CHILD = fileURLToPath(new URL(`event-memory-child${TYPE}`, import.meta.url))

describe('EventMemory: a process that is killed while it writes', function () {
  this.timeout(10_000 + KILLS * 10_000)

  it(`loses no event that was written, and gives no id twice, ${KILLS} times`, async () => {
    const folder = join(temporaryFolder(), 'events')
    /** What each id was given to. */
    const given = new Map<number, string>()
    let newest = 0
    for (let run = 0; run < KILLS; run++) {
      const before = newest
      let written = 0
      for (const line of await linesUntilKilled(CHILD, [folder, String(run)])) {
        const [word, id = '', what = ''] = line.split(' ')
        if (word === 'written') written = Number(id)
        else {
          assert.ok(Number(id) > before, `run ${run} gives the id ${id} after ${before}`)
          given.set(Number(id), what)
          newest = Math.max(newest, Number(id))
        }
      }
      const { log, lines } = recordingLog()
      const memory = await EventMemory.open({ folder, log })
      const { events, oldest } = memory.query({ limit: 1e6 })
      await memory.close(5000)
      assert.deepEqual(lines, [], `run ${run}`)
      const found = new Map(events.map(({ id, hook }) => [id, String(hook).split(' ')[0]]))
      assert.equal(found.size, events.length, 'no id is there twice')
      for (const [id, what] of given)
        if (id >= oldest && id <= written && id > before)
          assert.equal(found.get(id), what, `id ${id} of run ${run}`)
      for (const [id, what] of found) if (given.has(id)) assert.equal(what, given.get(id))
    }
    const bytes = readdirSync(folder).map(name => statSync(join(folder, name)).size)
    assert.ok(bytes.reduce((sum, size) => sum + size, 0) <= 18 << 20)
  })
})
