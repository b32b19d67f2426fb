import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import {
  debugSink,
  fileSink,
  type Sink,
  supervisedSink,
  syslogLine,
} from '../../../src/ldirectord-command/sinks.js'
import type { LogLine } from '../../../src/system/log.js'
import { temporaryFolder } from '../../support/folder.js'
import { until } from '../../support/until.js'

const LINE: LogLine = { level: 'info', time: new Date(2026, 10, 2, 1, 58, 54), text: 'a message' }
const WHEN = 'Mon Nov  2 01:58:54 2026'

describe('sinks: the log of ldirectord', () => {
  it('has its lines in its file, and begins a new one when that is moved away', async () => {
    const path = join(temporaryFolder(), 'ldirectord.log')
    const sink = fileSink(path, 'web.cf', collector([]))
    // Its thread may take longer to start than the patience of `close`.
    const has = (text: string) =>
      until(
        () => existsSync(path) && readFileSync(path, 'utf8') === `[${WHEN}|web.cf|${process.pid}] ${text}\n`,
      )
    sink.write(LINE)
    await has('a message')
    renameSync(path, `${path}.1`)
    sink.write({ ...LINE, level: 'warn' })
    await has('warning: a message')
    await sink.close()
  })

  it('goes on elsewhere, told once, where the file cannot be written', async () => {
    const told: string[] = []
    const path = join(temporaryFolder(), 'none/ldirectord.log')
    const sink = fileSink(path, 'web.cf', collector(told))
    sink.write(LINE)
    await until(() => told.length === 1)
    sink.write(LINE)
    await sink.close()
    sink.writeNow({ ...LINE, text: 'last words' })
    assert.equal(existsSync(path), false)
    assert.equal(told.length, 2)
    assert.match(told[0] as string, /none\/ldirectord\.log cannot be written: ENOENT/)
    assert.equal(told[1], 'last words')
  })

  it('is plain on a terminal, and dated for a supervisor', () => {
    const lines: string[] = []
    debugSink(text => lines.push(text)).write({ ...LINE, level: 'error' })
    supervisedSink(text => lines.push(text)).write(LINE)
    assert.deepEqual(lines, ['error: a message', `[${WHEN}] a message`])
  })

  const facilities: [facility: string, priority: number][] = [
    ['daemon', 3 * 8 + 6],
    ['local0', 16 * 8 + 6],
    ['LOG_LOCAL7', 23 * 8 + 6],
    ['authpriv', 10 * 8 + 6],
    ['no such', 3 * 8 + 6],
  ]
  for (const [facility, priority] of facilities)
    it(`goes to syslog's facility ${facility}`, () =>
      assert.equal(syslogLine(LINE, facility, 42), `<${priority}>Nov  2 01:58:54 ldirectord[42]: a message`))
})

function collector(told: string[]): Sink {
  const write = ({ text }: LogLine) => void told.push(text)
  return { write, writeNow: write, close: async () => {} }
}
