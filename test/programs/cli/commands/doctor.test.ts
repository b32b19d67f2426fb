/** `lvsd doctor` as a process that cannot read what it asks the machine for. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { needsRoot } from '../../../support/as-root.js'
import { installed } from '../../../support/compile.js'
import { temporaryFile } from '../../../support/folder.js'

const MAIN = installed('main')
const SITE = `services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: ping, interval: 10s }
    reals: ['[fd00::1]:80 masq', '[fd00::2]:80 gate']
`
const FILES = [
  ...['net/dev', 'net/if_inet6', 'net/fib_trie', 'net/ipv6_route', 'net/ip_vs', 'modules'],
  ...['self/status', 'self/limits', 'sys/net/ipv6/conf/all/forwarding', 'sys/net/ipv4/ip_forward'],
]
const EMPTY = FILES.map(file => `! test -e /proc/${file} || mount --bind /dev/null /proc/${file}`).join('; ')

/** Runs it in a mount namespace after `mount`. Returns what it finds, by name. */
function foundAfter(mount: string): Readonly<Record<string, string>> {
  const file = temporaryFile('site.yaml', SITE)
  const words = [
    '-m',
    'sh',
    '-c',
    `${mount}; exec "$0" "$@"`,
    process.execPath,
    MAIN,
    'doctor',
    file,
    '--json',
  ]
  const { stdout, stderr, status } = spawnSync('unshare', words, { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.ok(status === 0 || status === 1, `${status}`)
  const { findings } = JSON.parse(stdout) as { findings: { id: string; severity: string }[] }
  return Object.fromEntries(findings.map(({ id, severity }) => [id, severity]))
}

describe('lvsd doctor', () => {
  before(function () {
    needsRoot(() => this.skip())
  })

  it('says what it cannot read, and claims nothing of it, where there is no /proc and no /sys', () => {
    const found = foundAfter('mount -t tmpfs none /proc && mount -t tmpfs none /sys')
    const dependent = ['ipvs-module', 'virtual-address', 'forwarding', 'ping-rights', 'descriptors']
    assert.deepEqual(
      dependent.map(id => found[id]),
      dependent.map(() => 'not known'),
    )
  })

  it('ends in order where each file is empty', () => {
    assert.ok(Object.keys(foundAfter(EMPTY)).length > 0)
  })
})
