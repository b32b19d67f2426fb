/** Clients of a running lvsd: a firewall-mark service, NAT and direct routing. */
import assert from 'node:assert/strict'
import { pause } from '../support/until.js'
import { fetchPage, steadyClient, type Tally } from './site/client.js'
import { lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { type RealServer, startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, ipvsadm, onDirector, tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'

const CHECK = 'check: { kind: http, interval: 1s, timeout: 1s, fall: 1, rise: 1 }'

describe('clients', () => {
  before(async () => {
    await buildSite(
      ['fc00::1', 'fc00::80', 'fc00::81'],
      [
        ...[2, 11, 12, 13].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
        ...[21, 22, 23].map(n => ({ name: `r${n}`, address: `fc00::${n}`, virtual: ['fc00::81'] })),
      ],
    )
  })
  beforeEach(freshDirector)

  describe('of an IPv6 firewall-mark service behind NAT', () => {
    const YAML = `
services:
  marked:
    fwmark: 1
    family: ipv6
    ${CHECK}
    reals: ['[fc00::2]:80 masq']
`
    const CF = `
checkinterval = 1
virtual6 = 1
       real6 = [fc00::2]:80 masq
       service = http
       scheduler = wlc
       checktype = negotiate
`

    before(async () => {
      await onDirector(
        'nft',
        ['-f', '-'],
        `table bridge site {
          chain arrivals {
            type filter hook prerouting priority -200;
            ip6 daddr fc00::1 tcp dport { 80, 8080 } meta mark set 1
          }
        }\n`,
      )
    })

    for (const [name, text] of Object.entries({ 'site.yaml': YAML, 'ldirectord.cf': CF }))
      it(`reach it as with a table made by ipvsadm, from ${name}`, async () => {
        await ipvsadm('-A', '-f', '1', '-6')
        await ipvsadm('-a', '-f', '1', '-6', '-r', '[fc00::2]:80', '-m')
        const expected = await ipvsadm('-Sn')
        await ipvsadm('-C')

        const real = startRealServer('r2')
        await startLvsd(writeConfig(text, name))
        await tableBecomes({ 'fwmark 1': { '[fc00::2]:80': 'masq 1' } })
        assert.equal(await ipvsadm('-Sn'), expected)
        for (const port of [80, 8080]) assert.equal((await fetchPage('fc00::1', '/', { port })).body, 'r2\n')

        real.kill()
        await tableBecomes({ 'fwmark 1': {} })
        await assert.rejects(fetchPage('fc00::1', '/', { timeout: 200 }))
        real.revive()
        await tableBecomes({ 'fwmark 1': { '[fc00::2]:80': 'masq 1' } })
        assert.equal(await ipvsadm('-Sn'), expected)
        assert.equal((await fetchPage('fc00::1')).body, 'r2\n')
      })
  })

  for (const { name, virtual, machines, forwarding, held } of [
    { name: 'NAT', virtual: 'fc00::80', machines: [11, 12, 13], forwarding: 'masq', held: 'masq' },
    {
      name: 'direct routing',
      virtual: 'fc00::81',
      machines: [21, 22, 23],
      forwarding: 'gate',
      held: 'route',
    },
  ] as const)
    it(`of ${name} lose only the requests to a dead server, and none in a recovery, reload or restart`, async () => {
      const servers = machines.map(n => startRealServer(`r${n}`)) as [RealServer, RealServer, RealServer]
      const config = (weight: number) =>
        writeConfig(`
services:
  web:
    virtual: '[${virtual}]:80'
    scheduler: wrr
    ${CHECK}
    reals: [${machines.map(n => `'[fc00::${n}]:80 ${forwarding} ${weight}'`).join(', ')}]
`)
      const table = (weight: number, numbers: readonly number[]) => ({
        [`tcp [${virtual}]:80`]: Object.fromEntries(
          numbers.map(n => [`[fc00::${n}]:80`, `${held} ${weight}`]),
        ),
      })
      let lvsd = await startLvsd(config(1))
      await tableBecomes(table(1, machines))
      const during = (work: () => Promise<unknown>) => measured(virtual, work)

      await during(async () => {
        const { output } = await lvsdCommand('top', '--json', '--every', '2')
        const { rates, reals } = JSON.parse(output).services[0]
        // The client sends 50 a second where the machine is not busy.
        assert.ok(rates.connections > 3 && rates.connections < 100, output)
        assert.ok(
          rates.inBytes > 0 && (forwarding === 'gate' ? rates.outBytes === 0 : rates.outBytes > 0),
          output,
        )
        for (const real of reals) assert.ok(real.rates.connections > 1, output)
      })
      const kill = await during(async () => {
        servers[0].kill()
        await tableBecomes(table(1, machines.slice(1)))
      })
      const recovery = await during(async () => {
        servers[0].revive()
        await tableBecomes(table(1, machines))
      })
      const reload = await during(async () => {
        config(2)
        lvsd.signal('SIGHUP')
        await tableBecomes(table(2, machines))
      })
      const watcher = watchTable('director')
      const restart = await during(async () => {
        assert.equal(await lvsd.stop(), 0)
        await pause(500)
        lvsd = await startLvsd(config(2))
      })
      assert.deepEqual(watcher.take(), [])
      for (const [what, tally] of Object.entries({ kill, recovery, reload, restart })) tell(what, tally)
      // One of three servers is down, and gets a third of the requests until lvsd detects it.
      assert.ok(kill.failures.length <= kill.sent / 2, 'more failed than the dead server was asked')
      assert.deepEqual([...recovery.failures, ...reload.failures, ...restart.failures], [])
      for (const tally of [recovery, reload, restart])
        assert.deepEqual(
          Object.keys(tally.answered).sort(),
          servers.map(({ namespace }) => namespace),
        )
    })
})

/** Sends fifty requests per second from half a second before `work` until a second after it. Returns their results. */
async function measured(virtual: string, work: () => Promise<unknown>): Promise<Tally> {
  const client = steadyClient(virtual, { rate: 50, limit: 1500 })
  await pause(500)
  await work()
  await pause(1000)
  return client.stop()
}

function tell(what: string, { sent, failures }: Tally): void {
  const reasons = [...new Set(failures.map(({ why }) => why))].join(', ')
  console.log(`      ${what}: ${failures.length} of ${sent} requests failed${reasons && ` (${reasons})`}`)
}
