import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ctime, MonitorFiles, monitorLine, openMonitorFile } from '../../../src/events/monitor-file.js'
import type { Subscriber } from '../../../src/health/jobs.js'
import { openWriter } from '../../../src/system/writer-thread.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { config, failed, passed, real, service, use } from '../../support/tables.js'

const NOW = new Date(2026, 10, 2, 1, 8, 5)

function line(kind: string, result = passed('200 OK'), parts = {}, options = {}) {
  const subscriber = {
    service: service('web', parts),
    real: real('10.0.0.1', { weight: 5 }),
    use: use(kind, { request: '/', receive: null, ...options }),
  } as Subscriber
  return monitorLine(subscriber, result, NOW, 23) ?? ''
}

describe('monitor-file: the monitorfile', () => {
  it('has the lines of ldirectord', () => {
    assert.equal(ctime(NOW), 'Mon Nov  2 01:08:05 2026')
    assert.equal(
      line('http'),
      '[Mon Nov  2 01:08:05 2026] [23] negotiate http tcp 10.0.0.1 80 5 masq /  [up] 200 OK\n',
    )
    assert.match(
      line('ping', failed('timeout')),
      / \[23\] ping tcp 10\.0\.0\.1 80 5 masq \/ {2}\[down\] timeout\n$/,
    )
    const external = { request: undefined, checkcommand: '/bin/true' }
    assert.match(
      line('external', passed(), {}, external),
      / external \/bin\/true tcp 10\.0\.0\.1 80 5 masq \/ {2}/,
    )
    assert.match(line('http', passed(), {}, { virtualhost: 'www' }), / http tcp 10\.0\.0\.1 80 www 5 masq /)
    assert.equal(line('on'), '')
    const mark = { id: { kind: 'fwmark', fwmark: 1, family: 'ipv4' } }
    assert.match(line('http', passed(), mark), /negotiate http fwm /)
  })

  it('keeps every result on one line', () => {
    assert.match(line('http', passed('50% | a\r\nb')), /\[up\] 50%25 %7C a%0D%0Ab\n$/)
  })

  it('may be moved away at any time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-monitor-'))
    onCleanup(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'mon.log')
    const file = openMonitorFile(path, openWriter(), recordingLog().log)
    file.write('one\n')
    file.write('two\n')
    await file.idle()
    renameSync(path, `${path}.1`)
    file.write('three\n')
    await file.idle()
    assert.deepEqual(
      [readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')],
      ['one\ntwo\n', 'three\n'],
    )
  })

  it('that cannot be written is told once and stops nothing', async () => {
    const { log, lines } = recordingLog()
    const file = openMonitorFile('/nonexistent/mon.log', openWriter(), log)
    for (const text of ['one\n', 'two\n']) {
      file.write(text)
      await file.idle()
    }
    assert.equal(lines.length, 1)
  })
})

describe('MonitorFiles', () => {
  it('hear results while a service has a monitorfile, and write those of its servers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-monitor-'))
    onCleanup(() => rmSync(folder, { recursive: true }))
    const monitorfile = join(folder, 'mon.log')
    const files = new MonitorFiles(recordingLog().log)
    const isHearing = () => files.result !== undefined
    const asked = (parts = {}) =>
      ({ service: service('web', parts), real: real('fd00::1'), use: use('http') }) as Subscriber
    assert.equal(isHearing(), false)
    files.config(config([service('web', { monitorfile })]))
    files.result?.([asked({ monitorfile }), asked()], passed('200 OK'))
    await files.close()
    assert.match(readFileSync(monitorfile, 'utf8'), /^[^\n]* \[up\] 200 OK\n$/)
    files.config(config([service('web')]))
    assert.equal(isHearing(), false)
  })
})
