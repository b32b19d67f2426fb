import assert from 'node:assert/strict'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StateFile } from '../../../src/storage/state-file.js'
import { temporaryFolder } from '../../support/folder.js'
import { linesUntilKilled } from '../../support/killed-process.js'
import { recordingLog } from '../../support/logs.js'
import { FORM } from './state-file-form.js'

/** For longer: STATE_KILLS=1000. */
const KILLS = Number(process.env.STATE_KILLS ?? 12)
const CHILD = fileURLToPath(new URL('state-file-child.ts', import.meta.url))

/** Lets a process write until it is killed at a random moment; resolves to the last round that was on the disk by its word. */
async function writtenUntilKilled(path: string): Promise<number> {
  return Number((await linesUntilKilled(CHILD, [path])).at(-1))
}

describe('StateFile: a process that is killed while it writes', function () {
  this.timeout(10_000 + KILLS * 10_000)

  it(`leaves what was written last, or the round after it, whole, ${KILLS} times`, async () => {
    const path = join(temporaryFolder(), 'rounds.json')
    let last = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const confirmed = await writtenUntilKilled(path)
      assert.ok(confirmed > last, 'it went on where the one before had ended')
      const { log, lines } = recordingLog()
      const { entries } = await StateFile.open({ path, form: FORM, log })
      const [{ round } = { round: 0 }] = entries
      assert.ok(round === confirmed || round === confirmed + 1, `${round} after ${confirmed}`)
      assert.deepEqual(
        entries,
        Array.from({ length: 1 + (round % 200) }, (_, i) => ({ round, i })),
      )
      assert.deepEqual(lines, [])
      last = confirmed
    }
  })
})
