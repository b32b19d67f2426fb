import assert from 'node:assert/strict'
import { loggingFirst } from '../../../src/director/first-check.js'
import { recordingLog } from '../../support/logs.js'
import { passed } from '../../support/tables.js'

describe('first check: its log line', () => {
  it('tells once when the check of the first result has begun, and hands on all results', () => {
    const { log, lines } = recordingLog()
    const seen: string[] = []
    const onResult = loggingFirst(
      log,
      id => seen.push(id),
      () => null,
      () => 150,
    )
    onResult('a', { ...passed(), ms: 30.4 })
    onResult('b', { ...passed(), ms: 1 })
    assert.deepEqual(seen, ['a', 'b'])
    assert.deepEqual(
      lines.map(({ event, afterMs }) => ({ event, afterMs })),
      [{ event: 'check.first', afterMs: 120 }],
    )
  })

  it('tells when it has begun where that is known, however late its result comes', () => {
    const { log, lines } = recordingLog()
    loggingFirst(
      log,
      () => {},
      () => 43.2,
      () => 150,
    )('a', { ...passed(), ms: 1 })
    assert.deepEqual(
      lines.map(({ afterMs }) => afterMs),
      [43],
    )
  })
})
