import assert from 'node:assert/strict'
import { Console } from 'node:console'
import { PassThrough } from 'node:stream'
import { MOST_WARNINGS, tellWarnings } from '../../../../src/cluster/redis/thread-warnings.js'

describe('warnings in the thread of Redis', () => {
  it('are told, some in a minute, without secrets and without an end', () => {
    const told: string[] = []
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    let now = 0
    tellWarnings({
      outputs: [stdout, stderr],
      secrets: new Set(['geheim']),
      tell: text => told.push(text),
      now: () => now,
    })
    const console = new Console(stdout, stderr)
    console.warn('AUTH lvsd geheim fails')
    console.log('x'.repeat(5000))
    assert.deepEqual([told[0], told[1]?.length], ['AUTH lvsd *** fails', 1000])
    for (let i = 0; i < 1000; i++) console.error(`warning ${i}`)
    assert.equal(told.length, MOST_WARNINGS)
    now = 60_000
    console.warn('another')
    assert.equal(told.at(-1), 'another')
    assert.equal(stderr.readableLength + stdout.readableLength, 0)
  })

  it('call back who waits until they are written', async () => {
    const stderr = new PassThrough()
    tellWarnings({ outputs: [stderr], secrets: new Set(), tell: () => {} })
    await new Promise(resolve => stderr.write('x', resolve))
  })
})
