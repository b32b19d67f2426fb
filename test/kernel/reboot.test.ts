/**
 * A power failure: the guest boots again in the middle of the test, without a sync, and the test goes on after the boot.
 * The state folder of lvsd is on the disk of the real machine.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_SOCKET, fetchEvents, giveOverride } from '../../src/api/client.js'
import type { GiveRequest } from '../../src/api/override-types.js'
import type { EventRecord } from '../../src/history/event-record.js'
import { pause, until } from '../support/until.js'
import { type Lvsd, lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'
import { webTable as table, WEB, webSite, whyOf } from './site/web.js'

const DISK = join(process.env.LAB_SCRATCH ?? '', 'state')
const HEALTH = join(DISK, 'lvsd-health.json')
/** What the test knows when the power fails. */
const NOTES = join(process.env.LAB_SCRATCH ?? '', 'notes.json')
const SERVERS = [11, 12, 13, 14, 15]
/** After this time the events before are on the disk. In milliseconds. */
const SYNCED = 3000

interface Notes {
  readonly boot: string
  readonly config: string
  /** When the override ends that expires while the machine is off. In milliseconds of the wall clock. */
  readonly expires: number
  readonly events: readonly EventRecord[]
  /** The server that is down. */
  readonly down: { readonly since: string }
  readonly writtenAt: string
}

describe('a power failure', () => {
  const web = webSite(SERVERS)

  it('leaves overrides, windows, events and times; what has expired does not return', async function () {
    this.timeout(600_000)
    // In namespaces the test would reboot the real machine.
    if (process.env.LAB_KIND !== 'uml') this.skip()
    if (!existsSync(NOTES)) await beforeTheFailure()
    await afterTheBoot(JSON.parse(readFileSync(NOTES, 'utf8')) as Notes)
  })

  /** Does not return: the guest boots. */
  async function beforeTheFailure(): Promise<void> {
    const text = siteWithOpenWindow()
    const lvsd = await startLvsd(writeConfig(text))
    await tableBecomes(table({ 11: 5, 12: 5, 13: 5, 14: 5, 15: 0 }))
    web.servers[2]?.kill()
    await give(11, { kind: 'weight', weight: 7 })
    await give(12, { kind: 'drain' }, 3_600_000)
    await tableBecomes(table({ 11: 7, 12: 0, 14: 5, 15: 0 }))
    const { events } = await fetchEvents(DEFAULT_SOCKET, { limit: 1000 })
    const { since } = await lvsd.real('web', 'fc00::13')
    const writtenAt = (await whyOf(11)).table.written?.at ?? ''
    await pause(SYNCED)
    // lvsd writes it a second after the change, or later where writing takes long.
    const isStored = () => /\[fc00::13\]:80","state":"down"/.test(readFileSync(HEALTH, 'utf8'))
    await until(() => existsSync(HEALTH) && isStored(), { what: 'the stored state' })
    const expires = await give(14, { kind: 'drain' }, 8000)
    await tableBecomes(table({ 11: 7, 12: 0, 14: 0, 15: 0 }))
    const notes: Notes = { boot: bootId(), config: text, expires, events, down: { since }, writtenAt }
    writeFileSync(NOTES, JSON.stringify(notes), { flush: true })
    writeFileSync('/proc/sysrq-trigger', 'b')
    await pause(60_000)
  }

  async function afterTheBoot({ boot, config, expires, events, down, writtenAt }: Notes): Promise<void> {
    assert.notEqual(bootId(), boot)
    await tableBecomes({}, 0)
    await until(() => Date.now() > expires, { what: 'the end of the override' })
    web.servers[2]?.kill()
    const watcher = watchTable('director')
    const lvsd = await startLvsd(writeConfig(config))
    await tableBecomes(table({ 11: 7, 12: 0, 14: 5, 15: 0 }))
    await until(async () => (await lvsd.real('web', 'fc00::13')).checks[0]?.state === 'down', {
      what: 'a result of each check',
    })
    const weights = watcher.take().filter(change => change.includes(' masq '))
    const added = { 11: 7, 12: 0, 14: 5, 15: 0 } as const
    assert.deepEqual(
      weights.sort(),
      Object.entries(added).map(([n, weight]) => `+ ${WEB} [fc00::${n}]:80 masq ${weight}`),
    )
    assert.match((await lvsd.real('web', 'fc00::12')).reason, /^drain until .* by root/)
    assert.match((await lvsd.real('web', 'fc00::15')).reason, /window/)
    assertSameTime((await lvsd.real('web', 'fc00::13')).since, down.since)
    const { written } = (await whyOf(11)).table
    assert.deepEqual([written?.weight, written?.isEarlier], [7, false])
    assert.ok(Date.parse(written?.at ?? '') > Date.parse(writtenAt) + SYNCED, `${written?.at}`)
    await assertEvents(lvsd, events)
  }

  /** The same events as before with the same ids, and greater ids for later ones. */
  async function assertEvents(lvsd: Lvsd, before: readonly EventRecord[]): Promise<void> {
    const { code, output } = await lvsdCommand('events', '--json', '--lines', '1000')
    assert.equal(code, 0, output)
    const events = output
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as EventRecord)
    assert.deepEqual(
      events.slice(0, before.length),
      before.map(event => ({ schema: 1, ...event })),
    )
    const ids = events.map(({ id }) => id)
    assert.ok(
      ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? 0)),
      `${ids}`,
    )
    const names = events.map(({ event }) => event)
    assert.ok(names.filter(name => name === 'daemon.started').length >= 2, `${names}`)
    assert.ok(!names.includes('daemon.stopped'))
    assert.ok(names.includes('override.ended'), `${lvsd.lines.map(({ event }) => event)}`)
  }
})

/** A site with a window that began with this minute and drains fc00::15 for an hour. */
function siteWithOpenWindow(): string {
  const now = new Date()
  const at = `${now.getUTCMinutes()} ${now.getUTCHours()} * * *`
  return `
settings: { resync: 1s, state: ${DISK} }
defaults: { check: { kind: http, interval: 1s, timeout: 3s, fall: 2 }, scheduler: rr }
services:
  web:
    virtual: '[fc00::80]:80'
    reals: [${SERVERS.map(n => `'[fc00::${n}]:80 masq 5'`).join(', ')}]
    windows: [{ at: '${at}', zone: UTC, for: 2h, drain: 1h, reals: ['::15'] }]
`
}

/** Returns the end of the override. */
async function give(n: number, effect: GiveRequest['effect'], forMs?: number): Promise<number> {
  const end = forMs === undefined ? null : Date.now() + forMs
  const targets = [{ service: 'web', real: `[fc00::${n}]:80` }]
  const { ok, message } = await giveOverride(DEFAULT_SOCKET, { targets, effect, reason: '', until: end })
  assert.ok(ok, message)
  return end ?? 0
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
}

/** The clock of a restart differs by some milliseconds. */
function assertSameTime(actual: string, expected: string): void {
  assert.ok(Math.abs(Date.parse(actual) - Date.parse(expected)) < 500, `${actual} for ${expected}`)
}
