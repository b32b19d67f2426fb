import assert from 'node:assert/strict'
import { type LogLine, openLineLog, readable } from '../../../src/system/log.js'

describe('log line on a terminal', () => {
  it('has the time, the level, the sentence and its fields', () => {
    const line = JSON.stringify({
      level: 40,
      time: '2026-01-02T03:04:05.678Z',
      pid: 1,
      event: 'real.down',
      id: 7,
      service: 'web',
      detail: 'no answer in 3000 ms',
      ms: 3000,
      msg: 'real server down',
    })
    assert.equal(
      readable(line),
      '03:04:05.678 WARN  real server down  service=web  detail="no answer in 3000 ms"  ms=3000\n',
    )
  })

  it('keeps control characters of a peer off the terminal', () => {
    const line = JSON.stringify({ level: 30, time: '', msg: 'x', detail: '\u001b[2J' })
    assert.ok(!readable(line).includes('\u001b'))
  })
})

describe('log that is kept in another form', () => {
  it('hands over level, time, and the sentence with its fields', () => {
    const lines: LogLine[] = []
    const log = openLineLog('info', line => lines.push(line))
    log.debug('daemon.stopped', {}, 'not wanted')
    log.warn('real.down', { service: 'web', detail: 'no answer' }, 'real server down')
    assert.equal(lines.length, 1)
    const [{ level, time, text } = {} as LogLine] = lines
    assert.deepEqual([level, text], ['warn', 'real server down  service=web  detail="no answer"'])
    assert.ok(Math.abs(time.getTime() - Date.now()) < 60_000)
  })
})
