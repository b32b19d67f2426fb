import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pino } from 'pino'
import { type LogLine, openLineLog, readable, withNativeJson } from '../../../src/system/log.js'

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

describe('log line as JSON', () => {
  const FIXED = {
    ...{ level: 'info', base: { pid: 7 }, timestamp: () => ',"time":"now"' },
    formatters: { level: (label: string) => ({ level: label }) },
  }
  /** The line with these fields, as pino makes it, and as it is made natively. */
  const bothOf = (fields: object, message: string) => {
    const lines: string[] = []
    const into = { write: (line: string) => lines.push(line) }
    pino(FIXED, into).info(fields, message)
    withNativeJson(pino(FIXED, into)).info(fields, message)
    return lines
  }

  it('is that of pino, whatever the fields are', () => {
    // Of half a surrogate pair pino makes what is no UTF-8.
    const text = fc.string({ unit: 'grapheme' })
    const value = fc.oneof(
      text,
      fc.double(),
      fc.boolean(),
      fc.constantFrom(null, undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1, 'a"b\\c\n\u0007\u007f'),
      fc.array(text),
      fc.dictionary(text, text),
      fc.date({ noInvalidDate: true }),
    )
    const fields = fc.dictionary(fc.oneof(text, fc.constantFrom('a"b', 'service', 'ms')), value)
    fc.assert(
      fc.property(fields, text, (given, message) => {
        const [byPino, natively] = bothOf(given, message)
        assert.equal(natively, byPino)
      }),
    )
  })

  it('has the stack of an error, and what JSON does not have, as pino writes it', () => {
    const circle: Record<string, unknown> = { name: 'circle' }
    circle.self = circle
    for (const fields of [{ err: new Error('broken') }, { circle }, { count: 7n }]) {
      const [byPino, natively] = bothOf(fields, 'what')
      assert.ok(byPino?.includes('what'))
      assert.equal(natively, byPino)
    }
  })
})
