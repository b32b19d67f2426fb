/** What it costs, and how long it takes, to notice changes of a large table by other programs. */
import assert from 'node:assert/strict'
import { pause, until } from '../support/until.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { buildSite, DIRECTOR, freshDirector, ipvsadm } from './site/site.js'
import { readText } from './site/table.js'

describe('a director of 1,000 real servers with resync: auto', () => {
  const SERVICES = 10
  /** At different phases of the interval of the looks. */
  const DELETIONS = 6
  /** Milliseconds from a look that finds a difference to the table that is whole again, in a guest beside other work. */
  const REPAIR = 1500
  const vip = (service: number) => `[fc00::81:${service}]:80`
  const real = (service: number, n: number) => `[fd00:${service}::${(n + 1).toString(16)}]:80`
  const site = `
defaults: { check: on, scheduler: wlc }
services:
${Array.from({ length: SERVICES }, (_, service) => {
  const reals = Array.from({ length: 100 }, (_, n) => `'${real(service, n)} masq ${n + 1}'`)
  return `  s${service}: { virtual: '${vip(service)}', reals: [${reals.join(', ')}] }`
}).join('\n')}
`

  const hands: Record<string, string[]> = {
    'a service deleted': ['-D', '-t', vip(7)],
    'a server deleted': ['-d', '-t', vip(3), '-r', real(3, 70)],
    'a server added': ['-a', '-t', vip(3), '-r', '[fd00:99::1]:80', '-m', '-w', '9'],
    'a weight changed': ['-e', '-t', vip(9), '-r', real(9, 99), '-m', '-w', '1'],
    'everything flushed': ['-C'],
  }

  before(() => buildSite(['fc00::80'], []))

  it('reverts manual changes with the next look that sees them, and looks as often as that costs at most 0.3 % of a processor', async () => {
    await freshDirector()
    const lvsd = await startLvsd(writeConfig(site))
    const sorted = () => readText(DIRECTOR).split('\n').sort()
    const isServer = (line: string) => line.startsWith('  -> [')
    await until(() => sorted().filter(isServer).length === 1000, { what: 'all real servers in the table' })
    const asItWas = sorted().join()
    const reading = async () => (await lvsd.status()).reconcile
    // The first readings cost more, as nothing is compiled yet. On a slow machine they stay further apart.
    const from = performance.now()
    const isSteady = async () => {
      const { readEvery, readCost } = await reading()
      return readCost !== null && readEvery !== null && readEvery <= 2000
    }
    while (!(await isSteady()) && performance.now() - from < 60_000) await pause(1000)
    for (const [what, command] of Object.entries(hands)) {
      await ipvsadm(...command)
      const began = performance.now()
      await until(() => sorted().join() === asItWas, { what: `${what}: as it was` })
      const ms = Math.round(performance.now() - began)
      const { readEvery, servicesEvery, readCost } = await reading()
      console.log(
        `      ${what}: healed after ${ms} ms; a look each ${readEvery} ms costs ${readCost} ms, one at the services each ${servicesEvery} ms`,
      )
      assert.ok(readCost !== null && readEvery !== null && servicesEvery !== null)
      assert.ok(servicesEvery >= 999 && servicesEvery <= readEvery, `${servicesEvery} of ${readEvery} ms`)
      // The interval is told in whole milliseconds, the cost in hundredths.
      assert.ok(
        readCost - 0.01 <= 0.003 * (readEvery + 1) || readEvery === 10_000,
        `${readCost} ms of ${readEvery} ms`,
      )
    }
    for (let k = 0; k < DELETIONS; k++) {
      const before = await reading()
      // Counted from the last reading: at another phase of the interval each time.
      const sinceLast = Date.now() - Date.parse(before.lastResync ?? '')
      const every = before.servicesEvery ?? 0
      const phase = ((k + 0.5) / DELETIONS) * every
      await pause((((phase - sinceLast) % every) + every) % every)
      await ipvsadm('-D', '-t', vip(k))
      const began = performance.now()
      await until(() => sorted().join() === asItWas, { what: `service ${k} as it was` })
      const ms = Math.round(performance.now() - began)
      const { servicesEvery, readCost } = await reading()
      console.log(
        `      a service deleted ${Math.round(phase)} ms after a look: healed after ${ms} ms; a look at the services each ${every} ms, at all each ${before.readEvery} ms for ${before.readCost} ms`,
      )
      const announced = Math.max(every, servicesEvery ?? 0)
      assert.ok(ms <= announced + REPAIR, `${ms} ms, with a look each ${announced} ms`)
      if (Math.max(before.readCost ?? 0, readCost ?? 0) <= 3) assert.ok(ms <= 2000, `${ms} ms`)
    }
    const { driftRepaired, changesApplied } = await reading()
    assert.ok(driftRepaired > 1000 && changesApplied > 2000)
  })
})
