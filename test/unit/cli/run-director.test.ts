import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { runDirector } from '../../../src/cli/run-director.js'
import { dropEarlyEngine } from '../../../src/schedule/engine/early-engine.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFile } from '../../support/folder.js'

const TEXT = 'services:\n  web: 7\n'

function run(stopped: Promise<void>): Promise<number> {
  onCleanup(async () => {
    await import('../../../src/director/compose.js')
    await setImmediate()
    await dropEarlyEngine()
  })
  return runDirector({
    file: temporaryFile('lvsd.yaml', TEXT),
    options: { kernel: 'memory', socket: undefined, state: undefined },
    env: {},
    screen: { width: 80, colour: false },
    warn: () => {},
    onSignal: () => () => {},
    signals: { stopped, isStopped: () => false, onReload: () => {} },
  } as unknown as Parameters<typeof runDirector>[0])
}

describe('run-director', () => {
  it('ends at once when it is stopped while it reads the configuration', async () => {
    assert.equal(await run(Promise.resolve()), 0)
  })

  it('refuses a configuration with errors otherwise', async () => {
    await assert.rejects(run(new Promise(() => {})), /has errors, and none was accepted before/)
  })
})
