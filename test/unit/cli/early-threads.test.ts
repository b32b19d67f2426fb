import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { acceptedPath } from '../../../src/accepted/accepted-path.js'
import { firstChecksFile, firstChecksPath } from '../../../src/accepted/first-checks.js'
import { openThreadsEarly } from '../../../src/cli/early-threads.js'
import { SMALL } from '../../../src/config/reader.js'
import { type EngineThread, engineProgram } from '../../../src/schedule/engine/early-engine.js'
import { encodeFirst } from '../../../src/schedule/engine/first-orders.js'
import { earlyThread, takeEarlyThread } from '../../../src/system/early-threads.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'

const NAMES = ['engine', 'reader'] as const

/** Returns the names of the threads that are open for these words. */
function openFor(...words: readonly string[]): readonly string[] {
  openThreadsEarly(words)
  onCleanup(async () => {
    for (const name of NAMES) await takeEarlyThread(name)?.worker.terminate()
  })
  return NAMES.filter(name => earlyThread(name) !== null)
}

const small = () => temporaryFile('small.yaml', 'services: {}\n')
const long = () => temporaryFile('long.yaml', '#'.repeat(SMALL + 1))

describe('early threads: what a director opens before its program is loaded', () => {
  it('is the engine for a small configuration, whatever options stand before it', () => {
    assert.deepEqual(openFor('run', '--kernel', 'memory', '--state=/tmp', small()), ['engine'])
  })

  it('is the engine for a file that is not there: the program says so', () => {
    assert.deepEqual(openFor('run', '/nowhere/lvsd.yaml'), ['engine'])
  })

  it('is the reader for a long configuration', () => {
    assert.deepEqual(openFor('run', long(), '--kernel', 'memory'), ['reader'])
  })

  it('is the engine for a long configuration that was accepted before: it need not be read', () => {
    const [file, state] = [long(), temporaryFolder()]
    writeFileSync(acceptedPath(state, file), '')
    assert.deepEqual(openFor('run', file, '--state', state), ['engine'])
  })

  it('is the reader for a long configuration that was accepted with another state folder', () => {
    const [file, state] = [long(), temporaryFolder()]
    writeFileSync(acceptedPath(state, file), '')
    assert.deepEqual(openFor('run', file, `--state=${temporaryFolder()}`), ['reader'])
  })

  it('has the first checks that were stored with this text', () => {
    const [file, state] = [small(), temporaryFolder()]
    const program = engineProgram()
    const orders = { cap: 1, hasSources: false, virtual: [], jobs: [] }
    const text = readFileSync(file, 'utf8')
    const stored = firstChecksFile({ file, text, program }, encodeFirst(orders))
    writeFileSync(firstChecksPath(state, file), stored, { mode: 0o600 })
    openFor('run', file, '--state', state)
    const first = () => (earlyThread('engine') as EngineThread | null)?.first
    assert.deepEqual(first(), orders)
    takeEarlyThread('engine')?.worker.terminate()
    writeFileSync(file, 'services: {} # more\n')
    openFor('run', file, '--state', state)
    assert.equal(first(), null)
  })

  it('is nothing for other commands, for a help text, and without a file', () => {
    assert.deepEqual(openFor('validate', small()), [])
    assert.deepEqual(openFor('run', '--help', small()), [])
    assert.deepEqual(openFor('run', '--kernel', 'memory'), [])
    assert.deepEqual(openFor(), [])
  })

  it('is not kept after it has ended', async () => {
    openFor('run', small())
    const engine = earlyThread('engine')
    assert.ok(engine)
    const ended = once(engine.worker, 'exit')
    void engine.worker.terminate()
    await ended
    assert.equal(earlyThread('engine'), null)
  })
})
