import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ControlError, fetchEvents } from '../../../src/api/client.js'
import { loadConfig } from '../../../src/config/load.js'
import { startDirector } from '../../../src/director/compose.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { pause } from '../../support/until.js'

const SITE = `settings: { socket: s.sock, state: state }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: 'on'
    reals: ['[fd00::1]:80']
`

/** Follows the events as `lvsd events --follow` does, until the daemon is gone. */
async function followed(socket: string, delay: number): Promise<string[]> {
  const events: string[] = []
  for (let after = 0; ; )
    try {
      const answer = await fetchEvents(socket, { after, wait: '20s' })
      events.push(...answer.events.map(({ event }) => event))
      after = answer.newest
      await pause(delay)
    } catch (error) {
      assert.ok(error instanceof ControlError)
      return events
    }
}

describe('a director that is stopped', () => {
  it('sends the last events to the clients that follow before it closes their connections', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'site.yaml')
    writeFileSync(file, SITE)
    const loaded = await loadConfig(file)
    const { config } = loaded
    assert.ok(config)
    const { log, lines } = recordingLog('info')
    const daemon = await startDirector({
      loaded: { ...loaded, config },
      kept: null,
      keep: async () => {},
      load: () => loadConfig(file),
      table: 'memory',
      log,
      env: {},
    })
    onCleanup(() => daemon.stop())
    const followers = [0, 60].map(delay => followed(join(folder, 's.sock'), delay))
    await pause(100)
    await daemon.reload(false)
    await daemon.stop()
    for (const events of await Promise.all(followers)) {
      assert.equal(events.at(-1), 'daemon.stopped')
      assert.deepEqual(
        events,
        lines.filter(({ id }) => id !== undefined).map(({ event }) => event),
      )
    }
  })
})
