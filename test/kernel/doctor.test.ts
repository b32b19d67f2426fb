/** lvsd doctor on a director, and the sysctls that a configuration declares. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Finding } from '../../src/doctor/finding.js'
import { until } from '../support/until.js'
import { lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { runOnDirector } from './site/run.js'
import { buildSite, DIRECTOR, freshDirector, ip, set } from './site/site.js'

const SITE = `
services:
  web:
    virtual: '[fc00::80]:80'
    check: { kind: connect, interval: 1s, source: kernel }
    reals: ['[fc00::3]:80 masq']
`

describe('lvsd doctor', () => {
  before(() => buildSite(['fc00::80'], [{ name: 'r3', address: 'fc00::3' }]))
  beforeEach(freshDirector)

  async function errors(config: string): Promise<readonly Finding[]> {
    const { output } = await lvsdCommand('doctor', config, '--json')
    const { findings } = JSON.parse(output) as { findings: readonly Finding[] }
    return findings.filter(({ severity }) => severity === 'error')
  }

  it('finds the problems, and the commands that it shows correct them', async () => {
    within(DIRECTOR, () => set('ipv6/conf/all/forwarding', 0))
    ip(DIRECTOR, ['addr change fc00::80/128 dev lan preferred_lft forever'])
    const config = writeConfig(SITE)
    const found = await errors(config)
    assert.deepEqual(
      found.map(({ id, commands }) => [id, commands]),
      [
        ['check-source', ['ip address change fc00::80/128 dev lan preferred_lft 0']],
        ['forwarding', ['sysctl -w net.ipv6.conf.all.forwarding=1']],
      ],
    )
    for (const command of found.flatMap(({ commands }) => commands))
      assert.equal((await runOnDirector('sh', ['-c', command])).code, 0, command)
    assert.deepEqual(await errors(config), [])
  })

  it('sysctls are set, survive kill -9, and are restored at the end', async () => {
    const conntrack = () =>
      within(DIRECTOR, () => readFileSync('/proc/sys/net/ipv4/vs/conntrack', 'utf8')).trim()
    assert.equal(conntrack(), '0')
    const config = writeConfig(
      `${SITE}\nsettings: { resync: 500ms }\nsysctls: { net.ipv4.vs.conntrack: 1 }\n`,
    )
    const first = await startLvsd(config)
    assert.equal(conntrack(), '1')
    within(DIRECTOR, () => set('ipv4/vs/conntrack', 0))
    await until(() => conntrack() === '1', { what: 'lvsd has set it again' })
    await first.kill()
    const second = await startLvsd(config)
    const { sysctls } = await second.status()
    assert.deepEqual(
      sysctls.map(({ name, value, former }) => [name, value, former]),
      [['net.ipv4.vs.conntrack', '1', '0']],
    )
    assert.equal(await second.stop(), 0)
    assert.equal(conntrack(), '0')
  })
})
