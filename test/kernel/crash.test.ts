/** Kills lvsd at random moments and starts it again. */
import assert from 'node:assert/strict'
import { pause } from '../support/until.js'
import { spawnLvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { randomFrom } from './site/random.js'
import { type RealServer, startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes } from './site/site.js'
import { type Seen, watchTable } from './site/watcher.js'

const SEED = Number(process.env.SEED ?? 20_261_122)
/** Number of kills. DEATHS=100 for a long run. */
const DEATHS = Number(process.env.DEATHS ?? 12)
/** Milliseconds after a server's return during which lvsd may still apply results from before. */
const NEWS_TRAVEL = 1500

const WEB = 'tcp [fc00::80]:80'
const API = 'tcp [fc00::81]:80'
const web = [11, 12, 13]
const api = [14, 15, 16]

describe('kill -9', () => {
  before(async () => {
    await buildSite(
      ['fc00::80', 'fc00::81'],
      [...web, ...api, 99].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
  })
  beforeEach(freshDirector)

  it(`at ${DEATHS} random moments never removes a healthy server from the table`, async function () {
    this.timeout(120_000 + DEATHS * 45_000)
    const random = randomFrom(SEED)
    const fleet = new Fleet(random)
    startRealServer('r99')
    const config = writeConfig(`
settings: { resync: 1s, removal-limit: 100% }
defaults: { check: { kind: http, interval: 500ms, timeout: 1s, fastinter: 250ms, fall: 2 }, scheduler: rr }
services:
  web:
    virtual: '[fc00::80]:80'
    reals: [${web.map(n => `'[fc00::${n}]:80 masq ${n}'`).join(', ')}]
    fallback: '[fc00::99]:80'
  api:
    virtual: '[fc00::81]:80'
    quiescent: true
    reals: [${api.map(n => `'[fc00::${n}]:80 masq ${n}'`).join(', ')}]
`)
    let startTime = 0
    const start = async () => {
      const began = performance.now()
      const lvsd = await startLvsd(config)
      startTime = performance.now() - began
      return lvsd
    }
    const first = await start()
    await tableBecomes(fleet.table())
    await first.kill()

    const wrongs: string[] = []
    const watcher = watchTable('director', seen => wrongs.push(...wrongIn(seen, fleet)))
    let duringStart = 0
    for (let death = 0; death < DEATHS; death++) {
      // Half of the kills happen during the start, the other half later.
      const lvsd = death % 2 === 0 ? spawnLvsd(config) : await start()
      await fleet.live(random() * (death % 2 === 0 ? startTime : 1000))
      if (lvsd.said('lvsd runs').length === 0) duringStart++
      await lvsd.kill()
      await fleet.live(random() * 200)
    }
    fleet.settle()
    await startLvsd(config)
    await tableBecomes(fleet.table())
    await pause(2000)
    await tableBecomes(fleet.table(), 0)

    console.log(
      `      seed ${SEED}: ${duringStart} deaths during the start, ${DEATHS - duringStart} afterwards; ` +
        `${fleet.turns} deaths and returns of servers, ${watcher.seen.length} changes of the table, ` +
        `read every ${Math.round(watcher.longestGap)} ms at worst`,
    )
    assert.deepEqual(wrongs, [])
    assert.ok(Math.min(duringStart, DEATHS - duringStart) >= DEATHS / 6, 'kills at all stages')
    assert.ok(watcher.seen.length >= DEATHS / 2, 'servers came and went')
  })
})

/** Servers that fail and return at random. */
class Fleet {
  readonly #random: () => number
  readonly #servers = new Map<number, { server: RealServer; since: number }>()
  turns = 0

  constructor(random: () => number) {
    this.#random = random
    for (const n of [...web, ...api])
      this.#servers.set(n, { server: startRealServer(`r${n}`), since: performance.now() })
  }

  /** Waits `ms` milliseconds. About every half second a server fails or returns. */
  async live(ms: number): Promise<void> {
    const end = performance.now() + ms
    for (;;) {
      const next = 200 + this.#random() * 600
      await pause(Math.min(next, Math.max(0, end - performance.now())))
      if (performance.now() >= end) return
      this.#turn([...this.#servers.keys()][Math.floor(this.#random() * this.#servers.size)] ?? 0)
    }
  }

  /** Final state: one server of web and one of api are down, the others are up. */
  settle(): void {
    for (const [n, { server }] of this.#servers) if (server.isUp === (n === 12 || n === 15)) this.#turn(n)
  }

  #turn(n: number): void {
    const entry = this.#servers.get(n)
    if (!entry) return
    if (entry.server.isUp) entry.server.kill()
    else entry.server.revive()
    this.#servers.set(n, { server: entry.server, since: performance.now() })
    this.turns++
  }

  isUp(n: number): boolean {
    return this.#servers.get(n)?.server.isUp === true
  }

  /** Returns for how many milliseconds the server has been up without interruption. */
  upFor(n: number, now: number): number {
    return this.isUp(n) ? now - (this.#servers.get(n)?.since ?? now) : 0
  }

  /** Returns the expected table for the present state of the servers. */
  table(): Record<string, Record<string, string>> {
    const held = (numbers: readonly number[], down: string | null) =>
      Object.fromEntries(
        numbers.flatMap(n =>
          this.isUp(n) ? [[`[fc00::${n}]:80`, `masq ${n}`]] : down ? [[`[fc00::${n}]:80`, down]] : [],
        ),
      )
    return { [WEB]: held(web, null), [API]: held(api, 'masq 0') }
  }
}

/** Returns an error if the change affects a service, or removes a healthy server or changes its weight. */
function wrongIn({ at, change }: Seen, fleet: Fleet): string[] {
  const [, op, service, n, rest = ''] =
    /^(\S+) (tcp \S+)(?: \[fc00::(\d+)\]:80)?(?: (.*))?$/.exec(change) ?? []
  if (op === '+' || n === '99') return []
  if (n === undefined) return [`${change}: ${service} is touched`]
  const isLost = op === '-' || op === 'replaced' || rest.endsWith('-> masq 0')
  const healthy = fleet.upFor(Number(n), at)
  if (!isLost && rest.endsWith(`-> masq ${n}`)) return []
  return healthy > NEWS_TRAVEL ? [`${change}, although it has been up for ${Math.round(healthy)} ms`] : []
}
