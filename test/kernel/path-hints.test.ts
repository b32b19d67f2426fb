/**
 * What the kernel tells of the way to a server, with a real kernel: the check that it brings forward. Checks are ten
 * minutes apart, so nothing else explains a change within seconds.
 */
import assert from 'node:assert/strict'
import { until } from '../support/until.js'
import { fetchPage, steadyClient } from './site/client.js'
import {
  addressOf,
  buildLinks,
  ipIn,
  nameOf,
  networkOf,
  setCable,
  setDropping,
  setIn,
  VIRTUAL,
} from './site/links.js'
import { type Line, type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { DIRECTOR, freshDirector, tableBecomes } from './site/site.js'

const WEB = `tcp [${VIRTUAL}]:80`
const [FIRST, SECOND] = [1, 2].map(i => `[${addressOf(i)}]:80`) as [string, string]
const BOTH = { [WEB]: { [FIRST]: 'masq 1', [SECOND]: 'masq 1' } }
const ONE = { [WEB]: { [SECOND]: 'masq 1' } }

const SITE = `
settings: { log-level: debug, resync: 10m }
services:
  web:
    virtual: '[${VIRTUAL}]:80'
    scheduler: rr
    check: { kind: http, interval: 10m, timeout: 1s, fall: 1, rise: 1 }
    reals: ['${FIRST} masq', '${SECOND} masq']
`

/** Waits for a result of the first server that a hint with this beginning has brought forward. */
async function hinted(lvsd: Lvsd, hint: string): Promise<Line> {
  const found = () =>
    lvsd.lines.find(
      line => line.job === `web/${FIRST}/http` && typeof line.hint === 'string' && line.hint.startsWith(hint),
    )
  await until(() => found() !== undefined, {
    what: () => `a check because ${hint}; there were ${lvsd.lines.flatMap(line => line.hint ?? [])}`,
  })
  return found() as Line
}

/** Waits until both servers are in the table. Of several hints the first brings the check forward. */
async function isBack(lvsd: Lvsd): Promise<void> {
  await tableBecomes(BOTH)
  const ups = () => lvsd.lines.filter(({ event, real }) => event === 'real.up' && real === FIRST)
  await until(() => ups().length === 2, { what: 'the line of the second real.up' })
  assert.equal(typeof ups()[1]?.hint, 'string')
}

describe('the kernel reports of the way to a server', () => {
  before(async () => {
    buildLinks(2)
    // The table can be read then.
    await freshDirector()
  })

  // Also after a test that has failed.
  afterEach(async () => {
    await setDropping(1, 'nothing')
    await ipIn(DIRECTOR, `link set ${nameOf(1)} up`, `route flush type unreachable`)
    await setCable(1, true)
  })

  async function begin(): Promise<Lvsd> {
    await freshDirector()
    for (const i of [1, 2]) startRealServer(nameOf(i))
    // The first check asks for the neighbour, and the kernel reports it.
    await ipIn(DIRECTOR, `neigh flush dev ${nameOf(1)}`)
    const lvsd = await startLvsd(writeConfig(SITE))
    await tableBecomes(BOTH)
    return lvsd
  }

  it('that its interface is switched off and on: it is out, and back', async () => {
    const lvsd = await begin()
    await ipIn(DIRECTOR, `link set ${nameOf(1)} down`)
    await hinted(lvsd, `the interface ${nameOf(1)} has gone down`)
    await tableBecomes(ONE)
    await ipIn(DIRECTOR, `link set ${nameOf(1)} up`)
    await isBack(lvsd)
  })

  it('that its cable is pulled and plugged in: it is out, and back', async () => {
    const lvsd = await begin()
    await setCable(1, false)
    await hinted(lvsd, `the interface ${nameOf(1)} has gone down`)
    await tableBecomes(ONE)
    await setCable(1, true)
    await isBack(lvsd)
  })

  // Its client leaves connections without an answer, which the kernel keeps for a minute: they are no hint for the tests after it.
  it('that its neighbour does not answer: it is out', async () => {
    const lvsd = await begin()
    // Asked again after a second without an answer, three times.
    for (const [name, value] of [
      ['base_reachable_time_ms', 1000],
      ['delay_first_probe_time', 1],
      ['retrans_time_ms', 300],
    ] as const)
      setIn(DIRECTOR, `ipv6/neigh/${nameOf(1)}/${name}`, value)
    await setDropping(1, 'everything')
    // The kernel asks for a neighbour to which it sends.
    const client = steadyClient(VIRTUAL, {
      rate: 10,
      limit: 10_000,
      fetch: () => fetchPage(VIRTUAL, '/', { timeout: 2000 }),
    })
    const { reason } = await hinted(lvsd, `the neighbour ${addressOf(1)} does not answer the kernel`)
    assert.notEqual(reason, 'passed')
    await tableBecomes(ONE)
    await client.stop()
  })

  it('that its neighbour has another hardware address: it is checked and stays', async () => {
    const lvsd = await begin()
    // It tells its neighbours of its new address.
    setIn(nameOf(1), 'ipv6/conf/eth0/ndisc_notify', 1)
    await ipIn(nameOf(1), 'link set eth0 address 02:00:00:00:00:99')
    const { reason } = await hinted(lvsd, `the neighbour ${addressOf(1)} has another hardware address`)
    assert.equal(reason, 'passed')
    await tableBecomes(BOTH)
  })

  it('that its route is gone and back: it is out, and back', async () => {
    const lvsd = await begin()
    await ipIn(DIRECTOR, `route add unreachable ${addressOf(1)}/128`)
    await hinted(lvsd, 'the route to the server has changed')
    await tableBecomes(ONE)
    await ipIn(DIRECTOR, `route del unreachable ${addressOf(1)}/128`)
    await isBack(lvsd)
  })

  it('that the source address towards it is another: it is checked and stays', async () => {
    const lvsd = await begin()
    const own = (last: string) => `${networkOf(1)}::${last}/64 dev ${nameOf(1)}`
    await ipIn(DIRECTOR, `addr add ${own('e')} nodad`, `addr del ${own('d')}`)
    const { reason } = await hinted(lvsd, 'the source address towards the server has changed')
    assert.equal(reason, 'passed')
    await ipIn(DIRECTOR, `addr add ${own('d')} nodad`, `addr del ${own('e')}`)
    await tableBecomes(BOTH)
  })
})
