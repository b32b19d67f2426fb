import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { acceptedPath } from '../../../src/accepted/accepted-path.js'
import { firstChecksFile, firstChecksPath } from '../../../src/accepted/first-checks.js'
import { sumsOf } from '../../../src/accepted/held-blocks.js'
import { openThreadsEarly } from '../../../src/cli/early-threads.js'
import { SMALL } from '../../../src/config/reader.js'
import type { Service } from '../../../src/core/model.js'
import { type EngineThread, engineProgram } from '../../../src/schedule/engine/early-engine.js'
import { encodeFirst } from '../../../src/schedule/engine/first-orders.js'
import type { EngineWork } from '../../../src/schedule/engine/protocol.js'
import { earlyThread, takeEarlyThread } from '../../../src/system/early-threads.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'
import { address } from '../../support/tables.js'

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

const EVERY = { interval: 3_600_000, timeout: 1000, firstIn: 0 }

/** A check of a port on which nothing listens. */
function refused(): EngineWork {
  const to = { address: address('::1'), port: 1 }
  const judge = { kind: 'connected' } as const
  const probe = { kind: 'tcp', ...to, end: false, reset: false, send: Buffer.alloc(0), judge } as const
  return { probe, connects: 0, target: to }
}

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

  it('has the first checks that were stored with this text, or those of its services that are in another one', () => {
    const state = temporaryFolder()
    const block = (name: string) => `  ${name}:\n    virtual: fwmark 1\n`
    const text = `services:\n${block('web')}${block('mail')}${block('ftp')}`
    const file = temporaryFile('small.yaml', text)
    const program = engineProgram()
    const jobs = ['a', 'b'].map(id => ({ id, work: refused(), timing: EVERY }))
    const orders = { cap: 1, hasSources: false, virtual: [], jobs }
    const services = ['web', 'mail', 'ftp'].map(name => ({ name }) as Service)
    const sums = sumsOf({ file, text, services }, [['web'], ['mail']])
    const stored = firstChecksFile({ file, text, program, sums }, encodeFirst(orders))
    writeFileSync(firstChecksPath(state, file), stored, { mode: 0o600 })
    writeFileSync(acceptedPath(state, file), '')
    const firstOf = (text: string) => {
      writeFileSync(file, text)
      openFor('run', file, '--state', state)
      const engine = takeEarlyThread<EngineThread>('engine')
      engine?.worker.postMessage(null)
      return engine?.first ?? null
    }
    assert.deepEqual(firstOf(text), orders)
    assert.deepEqual(firstOf(text.replace('web', 'new')), { ...orders, jobs: jobs.slice(1) })
    assert.equal(firstOf(text.replace('web', 'new').replace('mail', 'post')), null)
    assert.equal(firstOf(`${text}settings: {}\n`), null)
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
