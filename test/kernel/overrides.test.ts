/** Overrides that operators give by commands, with traffic, through reloads, crashes and a full disk. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import {
  DEFAULT_SOCKET,
  endOverrides,
  fetchEvents,
  giveOverride,
  requestReload,
} from '../../src/api/client.js'
import type { GiveRequest } from '../../src/api/override-types.js'
import { onCleanup } from '../support/after-each.js'
import { pause, until } from '../support/until.js'
import { fetchAndReset, steadyClient } from './site/client.js'
import { type Lvsd, lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { DOWNLOAD } from './site/real-server.js'
import { tableBecomes } from './site/site.js'
import { countsOf } from './site/table.js'
import { watchTable } from './site/watcher.js'
import { webTable as table, WEB, webSite, whyOf } from './site/web.js'

const R12 = '[fc00::12]:80'
const STORED = '/var/lib/lvsd/lvsd-overrides.json'
const SMALL = '/run/small-overrides'

const config = ({ name = 'web', settings = '', reals = [11, 12], patience = 1 } = {}) => `
settings: { resync: 1s${settings} }
defaults: { check: { kind: http, interval: 1s, timeout: ${patience}s, fall: 2 }, scheduler: rr }
services:
  ${name}:
    virtual: '[fc00::80]:80'
    reals: [${reals.map(n => `'[fc00::${n}]:80 masq 5'`).join(', ')}]
`

/** Asks over the control socket, without the second that a command takes to start. */
async function give(
  effect: GiveRequest['effect'],
  service: string,
  n: number | null,
  forMs: number | null = null,
): Promise<void> {
  const until = forMs === null ? null : Date.now() + forMs
  const request = { targets: [targetOf(service, n)], effect, reason: '', until }
  const { ok, message } = await giveOverride(DEFAULT_SOCKET, request)
  assert.ok(ok, message)
}

async function enable(service: string, n: number | null): Promise<void> {
  const effects = ['drain', 'disable', 'weight', 'force-up', 'force-down'] as const
  const { ended } = await endOverrides(DEFAULT_SOCKET, {
    targets: [targetOf(service, n)],
    effects: [...effects],
  })
  assert.ok(ended > 0)
}

function targetOf(service: string, n: number | null) {
  return { service, real: n === null ? null : `[fc00::${n}]:80` }
}

async function reload(isForced = false): Promise<void> {
  const { ok, message } = await requestReload(DEFAULT_SOCKET, isForced)
  assert.ok(ok, message)
}

async function asked(...words: readonly string[]): Promise<string> {
  const { code, output } = await lvsdCommand(...words)
  assert.equal(code, 0, output)
  return output
}

/** The time of a state survives a restart; the clocks of two processes may differ by some milliseconds. */
function assertSameTime(actual: string, expected: string): void {
  assert.ok(Math.abs(Date.parse(actual) - Date.parse(expected)) < 500, `${actual} for ${expected}`)
}

/** Waits until each server has a result of this run. */
async function checked(lvsd: Lvsd, service: string): Promise<void> {
  const isChecked = async () => {
    const { services } = await lvsd.status()
    const reals = services.find(({ name }) => name === service)?.reals ?? []
    return reals.length > 0 && reals.every(({ checks }) => checks.every(({ lastAt }) => lastAt !== null))
  }
  await until(isChecked, { what: 'results' })
}

describe('overrides: an operator', () => {
  let lvsd: Lvsd
  const web = webSite()

  it('waits for a drain with a ramp during kill -9: no request fails, downloads complete, connections end', async () => {
    const site = () => writeConfig(config({ patience: 20 }))
    lvsd = await startLvsd(site())
    await tableBecomes(table({ 11: 5, 12: 5 }))
    const downloads = [1, 2].map(() => fetchAndReset('fc00::80', DOWNLOAD, 'end\n'))
    const client = steadyClient('fc00::80', {
      fetch: async () => ({ status: 200, body: await fetchAndReset('fc00::80', '/', '\n') }),
    })
    await until(() => web.servers.every(({ requests }) => requests > 20), { what: 'requests' })
    const watcher = watchTable('director')
    const words = ['web/::12', '--ramp', '4s', '--wait', '90s', '--reason', 'disk swap']
    let isOver = false
    const drained = lvsdCommand('drain', ...words).finally(() => {
      isOver = true
    })
    let lastConnected = 0
    const look = setInterval(() => {
      const { active = 0, inactive = 0 } = countsOf('director', R12) ?? {}
      if (active + inactive > 0) lastConnected = performance.now()
    }, 20)
    onCleanup(() => clearInterval(look))
    await until(() => (countsOf('director', R12)?.weight ?? 5) < 5, {
      what: 'the first step',
    })
    await lvsd.kill()
    lvsd = await startLvsd(site())
    await tableBecomes(table({ 11: 5, 12: 0 }))
    const weights = watcher.take().map(change => change.split(' masq ').slice(1).map(Number.parseFloat))
    assert.ok(weights.every(([from = 0, to = 9]) => to < from) && weights.length > 1, `${weights}`)
    assert.match((await lvsd.real('web', 'fc00::12')).reason, /^drain over 4s by root: disk swap; /)
    await pause(1000)
    assert.deepEqual((await client.stop()).failures, [])
    // Of its clients only the one that downloads is left.
    await until(() => countsOf('director', R12)?.active === 1, { what: 'one client' })
    assert.equal(isOver, false)
    for (const server of web.servers) server.finishDownloads()
    for (const download of await Promise.all(downloads)) assert.match(download, /^r1\d\n0\n1\n(\d+\n)*end\n$/)
    const { code, output } = await drained
    const late = performance.now() - lastConnected
    assert.equal(code, 0, output)
    assert.match(output, /drain, weight 0 at .*, by root: disk swap\n(.*\n)*.* active/)
    assert.match(output, /web\/\[fc00::12\]:80: empty after \d+s\n$/)
    // A question each second, and the end of the process on a busy machine.
    assert.ok(lastConnected > 0 && late < 10_000, `${late} ms after the last connection`)
  })

  it('keeps an override through reload, rename of the service and restart, and then ends it', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await give({ kind: 'drain' }, 'web', 12)
    await give({ kind: 'weight', weight: 7 }, 'web', 11)
    await tableBecomes(table({ 11: 7, 12: 0 }))
    const watcher = watchTable('director')
    writeConfig(config({ name: 'www' }))
    await reload()
    const { since } = await lvsd.real('www', 'fc00::11')
    await lvsd.stop()
    lvsd = await startLvsd(writeConfig(config({ name: 'www' })))
    await checked(lvsd, 'www')
    assert.deepEqual(watcher.take(), [])
    assertSameTime((await lvsd.real('www', 'fc00::11')).since, since)
    assert.match((await lvsd.real('www', 'fc00::12')).reason, /^drain by root; 200/)
    const { sentence, real, table: held } = await whyOf(12, 'www')
    assert.match(
      sentence,
      /^up, but without new connections since .* because root drained it; this ends with: /,
    )
    assert.deepEqual([real.weight.kernel, held.written?.weight, held.written?.isEarlier], [0, 0, true])
    const { events } = await fetchEvents(DEFAULT_SOCKET, { event: 'daemon.*' })
    const names = events.map(({ event }) => event).slice(-3)
    assert.deepEqual(names, ['daemon.started', 'daemon.stopped', 'daemon.started'])
    const ids = events.map(({ id }) => id)
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    )
    await enable('www', 12)
    await tableBecomes(table({ 11: 7, 12: 5 }))
    await enable('www', 11)
    await tableBecomes(table({ 11: 5, 12: 5 }))
  })

  it('disables and forces a server regardless of its checks', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await give({ kind: 'disable' }, 'web', 11)
    await tableBecomes(table({ 12: 5 }))
    web.servers[1]?.kill()
    await tableBecomes({ [WEB]: {} })
    await give({ kind: 'force-up' }, 'web', 12)
    await tableBecomes(table({ 12: 5 }))
    await give({ kind: 'force-down' }, 'web', null)
    await tableBecomes({ [WEB]: {} })
    assert.match(await asked('enable', 'web', '--yes'), /::12\]:80 {2}force-up, by root/)
    await enable('web', 11)
    await tableBecomes(table({ 11: 5, 12: 5 }))
  })

  it('has an override that expires, also while lvsd does not run, and does not return', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await give({ kind: 'drain' }, 'web', 11, 1500)
    await tableBecomes(table({ 11: 0, 12: 5 }))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await give({ kind: 'drain' }, 'web', 11, 2000)
    await tableBecomes(table({ 11: 0, 12: 5 }))
    await lvsd.kill()
    await pause(2000)
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    const isStored = () => readFileSync(STORED, 'utf8').includes('drain')
    await until(() => !isStored(), { what: 'the file without it' })
  })

  it('gets a warning that the server is not in the configuration; the override applies when it returns', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await give({ kind: 'drain' }, 'web', 12)
    await tableBecomes(table({ 11: 5, 12: 0 }))
    writeConfig(config({ reals: [11] }))
    await reload(true)
    await tableBecomes(table({ 11: 5 }))
    assert.equal(lvsd.lines.filter(({ event }) => event === 'override.unmatched').length, 1)
    writeConfig(config())
    await reload()
    await tableBecomes(table({ 11: 5, 12: 0 }))
  })

  it('can set an override with a full disk, gets a warning, and lvsd stores it when there is space', async () => {
    mkdirSync(SMALL, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', SMALL])
    try {
      lvsd = await startLvsd(writeConfig(config({ settings: `, state: ${SMALL}/state` })))
      await tableBecomes(table({ 11: 5, 12: 5 }))
      execFileSync('sh', ['-c', `dd if=/dev/zero of=${SMALL}/filling bs=4k 2>/dev/null; true`])
      assert.match(await asked('drain', 'web/::12'), /a restart would not know it/)
      await tableBecomes(table({ 11: 5, 12: 0 }))
      rmSync(`${SMALL}/filling`)
      const stored = `${SMALL}/state/lvsd-overrides.json`
      await until(() => existsSync(stored) && readFileSync(stored, 'utf8').includes('drain'), {
        what: 'the file',
      })
      await lvsd.kill()
      lvsd = await startLvsd(writeConfig(config({ settings: `, state: ${SMALL}/state` })))
      await checked(lvsd, 'web')
      await tableBecomes(table({ 11: 5, 12: 0 }))
    } finally {
      await lvsd.stop()
      execFileSync('umount', ['-l', SMALL])
    }
  })

  it('has a server drained, out and back by a maintenance window that reloads find open', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    const now = new Date()
    const begin = now.getTime() - (now.getTime() % 60_000)
    const at = `${now.getUTCMinutes()} ${now.getUTCHours()} * * *`
    const open = async (times: string) => {
      writeConfig(`${config()}    windows: [{ at: '${at}', zone: UTC, ${times}, reals: ['::11'] }]\n`)
      await reload()
    }
    await open('for: 1h, drain: 1h')
    await tableBecomes(table({ 11: 0, 12: 5 }))
    await open('for: 1h')
    await tableBecomes(table({ 12: 5 }))
    await open(`for: ${Date.now() - begin + 2000}ms`)
    await tableBecomes(table({ 11: 5, 12: 5 }))
  })
})
