/**
 * Direct routing, and the virtual address is the source that the kernel prefers on the director: a real server has the
 * same address on lo and answers to itself, so a check from there never gets an answer.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { pause, until } from '../support/until.js'
import { lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, tableBecomes } from './site/site.js'

const VIRTUAL = ['fc00::80', '10.0.0.80']
const SERVERS = [11, 12]
/** Written by the external command: the source that it gets. */
const TRACE = '/run/sources'
const PREFERRED = 'addr change fc00::80/128 dev lan preferred_lft forever'

const config = (command: string) => `
defaults: { check: { interval: 300ms, timeout: 2s, fall: 1, fastinter: 300ms } }
services:
  web:
    virtual: '[fc00::80]:80'
    check: http
    reals:
      - '[fc00::11]:80 gate'
      - { address: '[fc00::12]:80', forwarding: gate, check: { source: kernel } }
      - '[fc00::d]:80 gate'
  web4:
    virtual: 10.0.0.80:80
    check: http
    reals:
      - '10.0.0.11:80 gate'
      - { address: '10.0.0.12:80', forwarding: gate, check: { source: kernel } }
  apart:
    virtual: '[fc00::80]:81'
    checks: [ping, { kind: http, checkport: 80, redirects: 1 }, { kind: external, checkcommand: ${command} }]
    reals: ['[fc00::11]:81 gate']
`
/** With time limits and intervals that no test waits for. */
const NAMED = `
settings: { resolve: 1s }
defaults: { check: { kind: http, interval: 60s, timeout: 30s, fall: 1 } }
services:
  web: { virtual: 'vip.test:80', family: ipv6, reals: ['[fc00::11]:80 gate'] }
  other: { virtual: '[fc00::90]:80', reals: ['[fc00::11]:80 gate'] }
`
/** Mounted over that of the machine, in this lab only. */
const HOSTS = '/run/hosts'
const TABLE = {
  'tcp [fc00::80]:80': { '[fc00::11]:80': 'route 1', '[fc00::d]:80': 'route 1' },
  'tcp 10.0.0.80:80': { '10.0.0.11:80': 'route 1' },
  'tcp [fc00::80]:81': { '[fc00::11]:81': 'route 1' },
}

describe('the source of checks with direct routing', () => {
  before(async () => {
    await buildSite(
      ['fc00::80'],
      SERVERS.map(n => ({ name: `r${n}`, address: `fc00::${n}`, virtual: VIRTUAL.slice(0, 1) })),
    )
    // The first IPv4 address of a subnet is the source that the kernel chooses.
    ip(DIRECTOR, ['addr add 10.0.0.80/24 dev lan', 'addr add 10.0.0.1/24 dev lan'])
    writeFileSync(HOSTS, '')
    execFileSync('mount', ['--bind', HOSTS, '/etc/hosts'])
    for (const n of SERVERS) ip(`r${n}`, [`addr add 10.0.0.${n}/24 dev eth0`, 'addr add 10.0.0.80/32 dev lo'])
  })
  beforeEach(freshDirector)

  it('is never the virtual address, for every kind of run, and a server elsewhere is not mistaken for down', async () => {
    for (const name of [DIRECTOR, 'r11', 'r12']) startRealServer(name)
    ip(DIRECTOR, [PREFERRED])
    rmSync(TRACE, { force: true })
    const command = '/run/from-director'
    writeFileSync(command, `#!/bin/sh\necho "$LVSD_SOURCE" >> ${TRACE}\n`)
    chmodSync(command, 0o755)
    const lvsd = await startLvsd(writeConfig(config(command)))
    await tableBecomes(TABLE)
    assert.deepEqual(new Set(readFileSync(TRACE, 'utf8').trim().split('\n')), new Set(['fc00::d']))
    // Left to the kernel, the same check has the virtual address as its source.
    for (const [service, server] of [
      ['web', '[fc00::12]:80'],
      ['web4', '10.0.0.12'],
    ] as const) {
      await until(async () => (await lvsd.real(service, server)).state === 'down', {
        what: `${server} is down`,
      })
      assert.match(
        (await lvsd.real(service, server)).reason,
        /no connection within 2000 ms|server unreachable/,
      )
    }
    const sources = async (service: string, server: string) =>
      (await lvsd.real(service, server)).checks.map(({ source }) => source)
    const guarded = { address: 'fc00::d', by: 'lvsd', insteadOf: 'fc00::80' }
    assert.deepEqual(await sources('web', '[fc00::11]:80'), [guarded])
    assert.deepEqual(await sources('web', '[fc00::12]:80'), [null])
    assert.deepEqual(await sources('web', '[fc00::d]:80'), [null])
    assert.deepEqual(await sources('apart', '[fc00::11]:81'), [guarded, guarded, guarded])
    assert.deepEqual(await sources('web4', '10.0.0.11'), [
      { address: '10.0.0.1', by: 'lvsd', insteadOf: '10.0.0.80' },
    ])
    assert.deepEqual(
      lvsd.lines
        .filter(({ event }) => event === 'check.source-replaced')
        .map(({ source }) => source)
        .sort(),
      ['10.0.0.1', 'fc00::d'],
    )
    const { output } = await lvsdCommand('why', 'web/[fc00::11]:80')
    assert.match(output, /source {4}fc00::d; the kernel would choose fc00::80/)
    // The virtual address moves to the other director and back.
    const before = lvsd.lines.length
    for (let i = 0; i < 12; i++) {
      ip(DIRECTOR, [i % 2 === 0 ? 'addr del fc00::80/128 dev lan' : 'addr add fc00::80/128 dev lan nodad'])
      await pause(120)
    }
    await tableBecomes(TABLE)
    // The server whose checks are left to the kernel may come and go with the address.
    const falls = lvsd.lines
      .slice(before)
      .filter(({ event, real }) => event === 'real.down' && real !== '[fc00::12]:80')
      .map(({ real, check, detail }) => `${real} ${check}: ${detail}`)
    assert.deepEqual(falls, [])
  })

  for (const when of ['before the first check', 'later'])
    it(`is not the virtual address where that is a name whose address is known ${when}`, async () => {
      startRealServer('r11')
      ip(DIRECTOR, [PREFERRED])
      const isLater = when === 'later'
      const tellName = () => writeFileSync(HOSTS, 'fc00::80 vip.test\n')
      writeFileSync(HOSTS, '127.0.0.1 localhost\n')
      if (!isLater) tellName()
      const lvsd = await startLvsd(writeConfig(NAMED))
      await pause(1000)
      const state = async (service: string) => (await lvsd.real(service, '[fc00::11]:80')).state
      if (isLater) {
        assert.equal(await state('other'), 'unknown', 'its check waits for an answer that does not come')
        tellName()
      }
      for (const service of ['web', 'other'])
        await until(async () => (await state(service)) === 'up', {
          patience: 20_000,
          what: `${service} is up`,
        })
      const without = lvsd.lines.filter(({ event }) => event === 'run.no-verdict')
      assert.deepEqual(without, [])
    })
})
