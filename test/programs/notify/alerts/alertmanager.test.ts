/** The whole way: real checks, a daemon that is restarted, two real Alertmanagers, and the webhook behind them. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { loadConfig } from '../../../../src/config/load.js'
import { openAlerts } from '../../../../src/director/alert-listener.js'
import { startDaemon } from '../../../../src/director/daemon.js'
import { EventMemory } from '../../../../src/history/event-memory.js'
import { memoryKernel } from '../../../../src/ipvs/memory.js'
import { openResolver } from '../../../../src/names/lookup.js'
import { memoryJournal } from '../../../../src/storage/journal.js'
import { onCleanup } from '../../../support/after-each.js'
import { folderOf, freePort, programOr, start } from '../../../support/checks/programs.js'
import { temporaryFolder } from '../../../support/folder.js'
import { recordingLog } from '../../../support/logs.js'
import { httpServer } from '../../../support/servers.js'
import { until } from '../../../support/until.js'

/** A notification of an Alertmanager, as it comes to its webhook. */
interface Notification {
  readonly status: string
  readonly labels: Readonly<Record<string, string>>
  readonly startsAt: string
}

/** Starts an Alertmanager that tells each alert alone, as soon as it can. */
async function alertmanager(file: string) {
  const got: Notification[] = []
  const { port: hook } = await httpServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      got.push(...(JSON.parse(body) as { alerts: Notification[] }).alerts)
      response.end()
    })
  })
  const port = await freePort()
  const folder = folderOf({
    'alertmanager.yml': `
route: { receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 4h }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://[::1]:${hook}/', send_resolved: true }] }]
`,
  })
  const flags = {
    'config.file': join(folder, 'alertmanager.yml'),
    'storage.path': join(folder, 'data'),
    'web.listen-address': `[::1]:${port}`,
    'cluster.listen-address': '',
  }
  await start(
    file,
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    [port],
  )
  /** `firing real.down [::1]:80`, in the order of arrival. */
  const words = () =>
    got.map(({ status, labels }) => `${status} ${labels.alertname} ${labels.real ?? ''}`.trim())
  return { url: `http://[::1]:${port}`, got, words }
}

/** A real server that can be closed and opened again at its port. */
async function shopServer() {
  const port = await freePort()
  let close = () => Promise.resolve()
  const open = async () => {
    const server = createServer(socket => socket.on('error', () => {}).end())
    await new Promise<void>(resolve => server.listen(port, '::1', resolve))
    close = () => new Promise(resolve => server.close(() => resolve()))
  }
  await open()
  onCleanup(() => close())
  return { port, open, close: () => close() }
}

type Shop = Awaited<ReturnType<typeof shopServer>>

async function director(folder: string, urls: readonly string[], shops: readonly Shop[]) {
  const text = `
settings: { socket: ${join(folder, 'socket')}, state: ${folder} }
defaults: { check: { kind: connect, interval: 100ms, fastinter: 100ms, timeout: 2s, fall: 1 }, forwarding: masq }
alerts:
  am: { alertmanager: [${urls.map(url => `'${url}'`).join(', ')}] }
services:
  web:
    virtual: '[2001:db8::1]:80'
    reals: [${shops.map(({ port }) => `'[::1]:${port}'`).join(', ')}]
`
  const loaded = await loadConfig('site.yaml', { text })
  const { config } = loaded
  assert.ok(config, JSON.stringify(loaded.problems))
  const { log, lines } = recordingLog('info')
  const eventMemory = await EventMemory.open({ folder: join(folder, 'events'), log })
  const resolver = openResolver()
  const path = join(folder, 'alerts.json')
  const alerts = await openAlerts({ log: eventMemory.log, eventMemory, resolver, path })
  const daemon = await startDaemon({
    loaded: { ...loaded, config },
    load: async () => loaded,
    kernel: memoryKernel(),
    kernelName: 'memory',
    journal: memoryJournal(),
    log,
    eventMemory,
    resolver,
    memoryPath: join(folder, 'health.json'),
    notify: { ready() {}, reloading() {}, stopping() {}, close() {} },
    listeners: [alerts],
  })
  onCleanup(() => daemon.stop())
  return { daemon, lines }
}

describe('a real Alertmanager', function () {
  this.timeout(60_000)

  it('tells each alert and its end once over a restart of lvsd, and so does a second one', async function () {
    const file = programOr(() => this.skip(), 'prometheus-alertmanager', 'prometheus-alertmanager')
    const managers = await Promise.all([alertmanager(file), alertmanager(file)])
    const urls = managers.map(({ url }) => url)
    const [one, two, three] = await Promise.all([shopServer(), shopServer(), shopServer()])
    const shops = [one, two, three] as const
    const down = ({ port }: Shop) => `firing real.down [::1]:${port}`
    const up = ({ port }: Shop) => `resolved real.down [::1]:${port}`
    const all = (test: (words: readonly string[]) => boolean) =>
      until(() => managers.every(({ words }) => test(words())), {
        what: () => JSON.stringify(managers.map(({ words }) => words())),
      })
    const folder = temporaryFolder()
    const first = await director(folder, urls, shops)
    await until(() => first.lines.filter(({ event }) => event === 'real.up').length === 3)

    await Promise.all([one.close(), two.close()])
    await all(words => words.includes(down(one)) && words.includes(down(two)))
    await first.daemon.stop()
    await two.open()
    const second = await director(folder, urls, shops)
    await all(words => words.includes(up(two)))
    await one.open()
    await all(words => words.includes(up(one)))

    for (const { got, words } of managers) {
      assert.deepEqual([...words()].sort(), [down(one), down(two), up(one), up(two)].sort())
      for (const shop of [one, two]) {
        const mine = got.filter(({ labels }) => labels.real === `[::1]:${shop.port}`)
        assert.equal(new Set(mine.map(({ startsAt }) => startsAt)).size, 1)
      }
    }
    assert.deepEqual(
      second.lines.filter(({ event }) => event.startsWith('alert.')),
      [],
    )
    await second.daemon.stop()
  })
})
