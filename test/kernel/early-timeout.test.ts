/**
 * A server that does not answer any more while clients ask it: out long before the time limit of its check has passed.
 * Lost packets take none out.
 */
import assert from 'node:assert/strict'
import { pause, until } from '../support/until.js'
import { fetchPage, steadyClient } from './site/client.js'
import { addressOf, buildLinks, nameOf, setDropping, setLosing, VIRTUAL } from './site/links.js'
import { type Line, type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { freshDirector, tableBecomes } from './site/site.js'

/** Seconds for which packets are lost. */
const LOSSY = Number(process.env.LOSSY_SECONDS ?? 20)

const keyOf = (i: number) => `[${addressOf(i)}]:80`
const tableOf = (...servers: readonly number[]) => ({
  [`tcp [${VIRTUAL}]:80`]: Object.fromEntries(servers.map(i => [keyOf(i), 'masq 1'])),
})

const siteWith = (check: string) =>
  writeConfig(`
settings: { log-level: debug, resync: 10m }
services:
  web:
    virtual: '[${VIRTUAL}]:80'
    scheduler: rr
    check: { kind: http, interval: 2s, timeout: 20s, fall: 2, rise: 1${check} }
    reals: [${[1, 2, 3].map(i => `'${keyOf(i)} masq'`).join(', ')}]
`)

const client = () => {
  const fetch = () => fetchPage(VIRTUAL, '/', { timeout: 2000 })
  return steadyClient(VIRTUAL, { rate: 50, limit: 100_000, fetch })
}

/** Results of the first server that a hint has brought forward. */
const earlyOf = ({ lines }: Lvsd): readonly Line[] =>
  lines.filter(({ job, hint }) => job === `web/${keyOf(1)}/http` && hint !== undefined)

describe('a server that is silent while clients ask it', () => {
  before(async () => {
    buildLinks(3)
    await freshDirector()
  })
  afterEach(() => setDropping(1, 'nothing'))

  async function begin(check = ''): Promise<Lvsd> {
    await freshDirector()
    for (const i of [1, 2, 3]) startRealServer(nameOf(i))
    const lvsd = await startLvsd(siteWith(check))
    await tableBecomes(tableOf(1, 2, 3))
    // The first connections of a process take longer.
    const isQuick = ({ job, reason, ms }: Line) =>
      job === `web/${keyOf(1)}/http` && reason === 'passed' && Number(ms) < 25
    await until(() => lvsd.lines.some(isQuick), { what: 'a check that takes a moment' })
    return lvsd
  }

  it('is out after two checks that nobody answers, long before their time limit, and back when it answers', async () => {
    const lvsd = await begin(', early-timeout: true')
    const steady = client()
    await pause(500)
    await setDropping(1, 'TCP')
    const out = await tableBecomes(tableOf(2, 3))
    const back = tableBecomes(tableOf(1, 2, 3))
    // The table is written before the line is read here.
    const down = await lvsd.hears('real server down')
    assert.equal(down.real, keyOf(1))
    // On a slow machine the list of connections may tell it sooner.
    assert.match(
      `${down.hint}`,
      /^\d+ (new )?connections? of clients to .*(, and none ends| without an answer)$/,
    )
    assert.match(`${down.detail}`, /^no connection within \d+ ms, and no answer to 6 more attempts$/)
    assert.equal(earlyOf(lvsd).filter(({ reason }) => reason === 'timeout').length, 2)
    await setDropping(1, 'nothing')
    console.log(`      out after ${Math.round(out)} ms, back after ${Math.round(await back)} ms`)
    await steady.stop()
  })

  it('stays in the table without early-timeout, whose checks wait for their time limit', async () => {
    const lvsd = await begin()
    const steady = client()
    await setDropping(1, 'TCP')
    await until(async () => (await lvsd.status()).hints.given['half-open'] > 0, { what: 'a hint' })
    await pause(2000)
    await tableBecomes(tableOf(1, 2, 3))
    assert.deepEqual(earlyOf(lvsd), [])
    await steady.stop()
  })

  it(`stays while a fifth of its packets is lost for ${LOSSY} s, though hints bring its check forward`, async () => {
    const lvsd = await begin(', early-timeout: true')
    await setLosing(1, 20)
    const steady = client()
    await pause(1000 * LOSSY)
    const { sent, failures } = await steady.stop()
    await setLosing(1, 0)
    const hints = (await lvsd.status()).hints.given['half-open']
    console.log(
      `      ${hints} hints, ${earlyOf(lvsd).length} checks, ${failures.length} of ${sent} requests failed`,
    )
    assert.ok(hints > 0)
    assert.deepEqual(
      lvsd.lines.filter(({ event }) => event === 'real.down'),
      [],
    )
  })
})
