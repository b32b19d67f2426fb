/** Runs the unmodified configuration from the IPv6 page of the LVS knowledge base. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fetchPage } from './site/client.js'
import { installCommand } from './site/command.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'

const CONFIG = `virtual = [fc00::1]:80
       protocol = tcp
       scheduler = wlc
       quiescent = no
       real = [fc00::3]:80 gate 1000
       real = [fc00::4]:80 gate 1000
       service = http
       checktype = external
       checkcommand = /usr/local/bin/my-custom-ipv6-http-test
`

/** A check command that fetches a page over IPv6 and records its arguments. */
const CHECKCOMMAND = `#!/bin/bash
echo "$@" >>/run/called
real=\${3#[}
exec 3<>"/dev/tcp/\${real%]}/$4" || exit 1
printf 'GET / HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' "$1" >&3
read -r status <&3
[[ $status == HTTP/1.?' 200 '* ]]
`

const SERVICE = 'tcp [fc00::1]:80'

describe('the configuration of the knowledge base', () => {
  before(async () => {
    await buildSite(
      ['fc00::1'],
      [
        { name: 'r3', address: 'fc00::3', virtual: ['fc00::1'] },
        { name: 'r4', address: 'fc00::4', virtual: ['fc00::1'] },
      ],
    )
    installCommand('my-custom-ipv6-http-test', CHECKCOMMAND)
  })
  beforeEach(freshDirector)

  it('works unchanged: a dead server is removed, and added again with its weight', async () => {
    const [r3] = [startRealServer('r3'), startRealServer('r4')]
    const lvsd = await startLvsd(writeConfig(CONFIG, 'ldirectord.cf'))
    const both = { [SERVICE]: { '[fc00::3]:80': 'route 1000', '[fc00::4]:80': 'route 1000' } }
    await tableBecomes(both)
    const watcher = watchTable('director')
    assert.deepEqual(await pages(4), ['r3', 'r4'])
    const called = new Set(readFileSync('/run/called', 'utf8').trim().split('\n'))
    assert.deepEqual([...called].sort(), ['[fc00::1] 80 [fc00::3] 80', '[fc00::1] 80 [fc00::4] 80'])

    r3.kill()
    // The default of ldirectord's checkinterval is 10 s.
    const gone = await tableBecomes({ [SERVICE]: { '[fc00::4]:80': 'route 1000' } }, 15_000)
    const { service, real, from, to, reason } = await lvsd.hears('real server down')
    assert.deepEqual(
      { real, from, to, reason },
      { real: '[fc00::3]:80', from: 'up', to: 'down', reason: 'status' },
    )
    assert.deepEqual(await pages(4), ['r4'])

    r3.revive()
    const back = await tableBecomes(both, 15_000)
    assert.equal((await lvsd.hears('real server up')).real, '[fc00::3]:80')
    assert.deepEqual(await pages(4), ['r3', 'r4'])
    assert.deepEqual(watcher.take(), [
      `- ${SERVICE} [fc00::3]:80 route 1000`,
      `+ ${SERVICE} [fc00::3]:80 route 1000`,
    ])
    console.log(`      ${service}: out after ${ms(gone)}, back after ${ms(back)}`)
  })

  it('with quiescent = yes, a dead server stays at weight 0', async () => {
    const [r3] = [startRealServer('r3'), startRealServer('r4')]
    const config = `checkinterval = 1\n${CONFIG.replace('quiescent = no', 'quiescent = yes')}`
    await startLvsd(writeConfig(config, 'ldirectord.cf'))
    const both = { [SERVICE]: { '[fc00::3]:80': 'route 1000', '[fc00::4]:80': 'route 1000' } }
    await tableBecomes(both)
    const watcher = watchTable('director')
    r3.kill()
    await tableBecomes({ [SERVICE]: { '[fc00::3]:80': 'route 0', '[fc00::4]:80': 'route 1000' } })
    assert.deepEqual(await pages(4), ['r4'])
    r3.revive()
    await tableBecomes(both)
    assert.deepEqual(await pages(4), ['r3', 'r4'])
    assert.deepEqual(watcher.take(), [
      `~ ${SERVICE} [fc00::3]:80 route 1000 -> route 0`,
      `~ ${SERVICE} [fc00::3]:80 route 0 -> route 1000`,
    ])
  })
})

/** Returns the names of the servers that answer on the virtual address. */
async function pages(count: number): Promise<string[]> {
  const names = new Set<string>()
  for (let i = 0; i < count; i++) names.add((await fetchPage('fc00::1')).body.trim())
  return [...names].sort()
}

function ms(time: number): string {
  return `${Math.round(time)} ms`
}
