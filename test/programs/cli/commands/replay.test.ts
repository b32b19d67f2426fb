/** `lvsd replay` as a process. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { installed } from '../../../support/compile.js'
import { temporaryFile } from '../../../support/folder.js'
import { recordingOf } from '../../../support/simulate/recordings.js'

const MAIN = installed('main')
const SITE = `services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: connect, interval: 10s, timeout: 3s, fall: 1 }
    reals: ['[fd00::1]:80']
`
const CHECK = 'web/[fd00::1]:80/connect'
const result = (t: number, ok: boolean) => ({
  t,
  check: CHECK,
  ok,
  reason: ok ? null : 'refused',
  detail: '',
  ms: 1,
})
const RECORDED = [result(1, true), result(30_001, false), result(40_001, true), { t: 60_000, end: true }]

function replay(path: string, site: string, ...words: readonly string[]) {
  const config = temporaryFile('other.yaml', site)
  const line = [MAIN, 'replay', path, '--config', config, ...words]
  return spawnSync(process.execPath, line, { encoding: 'utf8' })
}

describe('lvsd replay', () => {
  it('compares a recording with a configuration', () => {
    const { stdout, stderr, status } = replay(recordingOf(RECORDED), SITE, '--json')
    assert.deepEqual([stderr, status], ['', 0])
    const { servers, hasPolicies } = JSON.parse(stdout)
    assert.equal(hasPolicies, false)
    assert.deepEqual([servers[0].was.outages.length, servers[0].would.outages.length], [0, 1])
  })

  it('says which lines of the configuration are wrong', () => {
    const { stdout, stderr, status } = replay(recordingOf(RECORDED), SITE.replace('fall:', 'fal:'))
    assert.deepEqual([stdout, status], ['', 1])
    assert.match(stderr, /other\.yaml:4:\d+ UNKNOWN_KEY/)
  })

  it('says that a path holds no recording', () => {
    const { stdout, stderr, status } = replay('/nonexistent', SITE)
    assert.deepEqual([stdout, stderr, status], ['', 'lvsd: /nonexistent does not exist\n', 1])
  })
})
