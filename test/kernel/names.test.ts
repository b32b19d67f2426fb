/** Tests of names on a director: a name server that rotates its answers, and one that stops responding. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pointerName } from '../../src/names/lookup.js'
import { dnsServer, type Zone } from '../support/dns-server.js'
import { pause } from '../support/until.js'
import { steadyClient } from './site/client.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, tableBecomes, tableIs } from './site/site.js'
import { watchTable } from './site/watcher.js'

const MAINTENANCE = '/run/maintenance'

/** Replaces a file in /etc in this lab only, because the guest's root is that of the machine. */
function systemFile(name: string, text: string): void {
  const path = join('/run', name)
  writeFileSync(path, text)
  execFileSync('mount', ['--bind', path, join('/etc', name)])
}

const config = (services: string, more = '') => `
settings: { resync: 1s, resolve: 1s${more} }
defaults: { check: { kind: http, interval: 2s, timeout: 2s, fall: 3 }, scheduler: rr }
services:
${services}
`

describe('the names of a director', () => {
  before(async () => {
    await buildSite(
      ['fc00::80', 'fc00::81'],
      [11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
    systemFile('resolv.conf', 'nameserver fc00::c\noptions timeout:1 attempts:1\n')
    systemFile('hosts', '127.0.0.1 localhost\n')
  })

  beforeEach(async () => {
    await freshDirector()
    for (const n of [11, 12]) startRealServer(`r${n}`)
  })

  it('keep their addresses while the name server rotates them, and change if the addresses disappear', async () => {
    const zone = {
      'vip.example AAAA': ['fc00::80', 'fc00::81'],
      'app.example AAAA': ['fc00::11', 'fc00::12'],
    }
    await dnsServer(zone, 'fc00::c', 53)
    await startLvsd(
      writeConfig(
        config("  web: { virtual: 'vip.example:80', family: ipv6, reals: ['app.example:80 masq'] }"),
      ),
    )
    await tableBecomes({ 'tcp [fc00::80]:80': { '[fc00::11]:80': 'masq 1' } })
    for (let i = 0; i < 16; i++) {
      zone['vip.example AAAA'].reverse()
      zone['app.example AAAA'].reverse()
      await pause(250)
      tableIs({ 'tcp [fc00::80]:80': { '[fc00::11]:80': 'masq 1' } })
    }
    zone['app.example AAAA'] = ['fc00::12']
    await tableBecomes({ 'tcp [fc00::80]:80': { '[fc00::12]:80': 'masq 1' } })
  })

  it('cause no failed request, for any answer of the name server, and if it is silent at the first start', async () => {
    const both = {
      'vip.example AAAA': ['fc00::80', 'fc00::81'],
      'app.example AAAA': ['fc00::11', 'fc00::12'],
    }
    const zone: Zone = { ...both }
    await dnsServer(zone, 'fc00::c', 53)
    const all = (answer: Zone[string]) => {
      for (const name of Object.keys(both)) zone[name] = answer
    }
    const services = `
  web: { virtual: 'vip.example:80', reals: ['app.example:80 masq', '[fc00::12]:80 masq'] }
  fixed: { virtual: '[fc00::81]:80', reals: ['app.example:80 masq'] }`
    const file = writeConfig(config(services))
    const table = {
      'tcp [fc00::80]:80': { '[fc00::11]:80': 'masq 1', '[fc00::12]:80': 'masq 1' },
      'tcp [fc00::81]:80': { '[fc00::11]:80': 'masq 1' },
    }
    const first = await startLvsd(file)
    await tableBecomes(table)
    const client = steadyClient('fc00::80', { rate: 20, limit: 2000 })
    const watcher = watchTable(DIRECTOR)
    /** Asserts that neither the table nor the client's requests were affected. */
    const passes = async (ms: number, what: string) => {
      await pause(ms)
      assert.deepEqual([watcher.take(), client.failed], [[], 0], what)
    }

    for (let i = 0; i < 16; i++) {
      for (const addresses of Object.values(both)) addresses.reverse()
      await passes(250, 'names that turn round')
    }
    all('silence')
    await passes(3000, 'a silent name server')
    all('NXDOMAIN')
    zone['vip.example A'] = ['192.0.2.80']
    await first.hears(/vip\.example has no IPv6 address; it has 192\.0\.2\.80; fc00::80 stays in use/)
    await passes(1000, 'a virtual address of the other family')

    all('silence')
    zone['vip.example A'] = 'silence'
    await first.kill()
    rmSync('/var/lib/lvsd', { recursive: true })
    const second = await startLvsd(file)
    await second.hears(/vip\.example does not resolve: .*stay unchanged until/)
    await passes(4000, 'a first start with a silent name server')
    Object.assign(zone, both)
    zone['vip.example A'] = ['192.0.2.80']
    await second.hears('name resolved')
    await passes(2000, 'a name server that answers at last')
    assert.equal((await second.status()).services[0]?.key, 'tcp [fc00::80]:80')

    const { sent, answered, failures } = await client.stop()
    assert.deepEqual([Object.keys(answered).sort(), failures], [['r11', 'r12'], []])
    console.log(`      0 of ${sent} requests failed`)
  })

  it('keep a server in maintenance after kill -9 while the name server is silent', async () => {
    rmSync(MAINTENANCE, { recursive: true, force: true })
    mkdirSync(MAINTENANCE)
    writeFileSync(join(MAINTENANCE, 'web1'), '')
    const pointer = (n: number) => `${pointerName(`fc00::${n}`, 'ipv6')} PTR`
    const zone: Record<string, string[] | 'silence'> = {
      [pointer(11)]: ['web2.example'],
      [pointer(12)]: ['web1.example'],
    }
    await dnsServer(zone, 'fc00::c', 53)
    const file = writeConfig(
      config(
        "  web: { virtual: '[fc00::80]:80', reals: ['[fc00::11]:80', '[fc00::12]:80'] }",
        `, maintenancedir: ${MAINTENANCE}`,
      ),
    )
    const held = { 'tcp [fc00::80]:80': { '[fc00::11]:80': 'masq 1' } }
    const first = await startLvsd(file)
    await tableBecomes(held)
    for (const n of [11, 12]) zone[pointer(n)] = 'silence'
    await first.kill()
    const second = await startLvsd(file)
    for (let i = 0; i < 12; i++) {
      await pause(250)
      tableIs(held)
    }
    assert.equal(
      (await second.real('web', 'fc00::12')).reason.startsWith('held down by the maintenance file'),
      true,
    )
    rmSync(join(MAINTENANCE, 'web1'))
    await tableBecomes({ 'tcp [fc00::80]:80': { '[fc00::11]:80': 'masq 1', '[fc00::12]:80': 'masq 1' } })
  })
})
