/** The whole way: checks that run, a table, a real mail server. The clock of the mails runs fast, that of the checks does not. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../../src/config/load.js'
import { startDaemon } from '../../../../src/director/daemon.js'
import { defaultListeners } from '../../../../src/director/default-listeners.js'
import { openEventBus } from '../../../../src/events/event-bus.js'
import { memoryKernel } from '../../../../src/ipvs/memory.js'
import { openResolver } from '../../../../src/names/lookup.js'
import { openCommandQueue } from '../../../../src/notify/command-queue.js'
import { MailAlerts } from '../../../../src/notify/mail/mail-alerts.js'
import { mailQueue } from '../../../../src/notify/mail/mail-queue.js'
import { deliverer, prepareDelivery } from '../../../../src/notify/mail/transport.js'
import { memoryJournal } from '../../../../src/storage/journal.js'
import { type Clock, systemClock } from '../../../../src/util/clock.js'
import { onCleanup } from '../../../support/after-each.js'
import { temporaryFolder } from '../../../support/folder.js'
import { recordingLog } from '../../../support/logs.js'
import { type Listening, tcpServer } from '../../../support/servers.js'
import { smtpServer } from '../../../support/smtp-server.js'
import { config, real, service, serviceId, tableReal } from '../../../support/tables.js'
import { until } from '../../../support/until.js'

/** Twenty times as fast: what is 2 s for an operator is 100 ms here. */
const fast: Clock = {
  ...systemClock,
  now: () => performance.now() * 20,
  alarm: (ms, ring) => systemClock.alarm(ms / 20, ring),
}

async function start(text: string, clock = fast) {
  const folder = temporaryFolder()
  const settings = `settings: { socket: ${join(folder, 'socket')}, state: ${folder} }\n`
  const loaded = await loadConfig('site.yaml', { text: settings + text })
  const { config: site } = loaded
  assert.ok(site, JSON.stringify(loaded.problems))
  const kernel = memoryKernel()
  const { log, lines } = recordingLog('info')
  const queue = mailQueue({ clock, log, deliver: deliverer({ host: 'director1' }) })
  const daemon = await startDaemon({
    loaded: { ...loaded, config: site },
    load: async () => loaded,
    kernel,
    kernelName: 'memory',
    journal: memoryJournal(),
    log,
    notify: { ready() {}, reloading() {}, stopping() {}, close() {} },
    listeners: [new MailAlerts({ clock: fast, host: 'director1', queue })],
  })
  onCleanup(() => daemon.stop())
  const inTable = async () => {
    const { table } = await kernel.dump()
    return [...table.values()].reduce((sum, { reals }) => sum + reals.size, 0)
  }
  return { daemon, inTable, lines }
}

/** A server that can be shut, and says when it was asked. */
async function shopServer() {
  const asked: number[] = []
  const server = createServer(socket => {
    asked.push(performance.now())
    socket.on('error', () => {}).end()
  })
  await new Promise<void>(resolve => server.listen(0, '::1', resolve))
  const close = () => new Promise(resolve => server.close(resolve))
  onCleanup(close)
  return { port: (server.address() as { port: number }).port, asked, close }
}

const shopSite = (mail: Pick<Listening, 'port'>, port: number, reals: readonly string[], more = '') => `
defaults:
  mail: { to: [ops@example.com], server: '[::1]:${mail.port}' }
  check: { kind: connect, checkport: ${port}, interval: 100ms, fastinter: 100ms, timeout: 2s, fall: 1 }
services:
  web:
    virtual: '[2001:db8::1]:80'
    label: Shop
    reals: [${reals.map(each => `'${each}'`).join(', ')}]
${more}`

describe('daemon-mails: a daemon with mail alerts', () => {
  it('sends mails when servers go down and come up', async () => {
    const mail = await smtpServer()
    const shop = await shopServer()
    const { daemon, inTable } = await start(shopSite(mail, shop.port, ['[::1]:80']))
    await until(() => mail.mails.length === 1)
    await shop.close()
    await until(() => mail.mails.length === 2)
    assert.equal(await inTable(), 0)
    await daemon.stop()
    assert.deepEqual(
      mail.mails.map(({ subject }) => subject),
      [
        '[Shop] Added real server: [::1]:80 ([2001:db8::1]:80) (Weight set to 1)',
        '[Shop] Deleted real server: [::1]:80 ([2001:db8::1]:80)',
      ],
    )
    assert.match(mail.mails[0]?.text ?? '', /Daemon-Status: starting\n/)
    // A connection that the server has not taken yet when it closes is reset.
    const fallen = /Daemon-Status: running\n\nService name: Shop\nReason: (?:refused|reset): /
    assert.match(mail.mails[1]?.text ?? '', fallen)
  })

  it('sends mails at a stop about the services that it removes', async () => {
    const mail = await smtpServer()
    const shop = await shopServer()
    const { daemon } = await start(shopSite(mail, shop.port, ['[::1]:80'], '    cleanstop: true\n'))
    await until(() => mail.mails.length === 1)
    await daemon.stop()
    assert.equal(mail.mails[1]?.subject, '[Shop] Purged real server (stop): [::1]:80 ([2001:db8::1]:80)')
    assert.match(mail.mails[1]?.text ?? '', /Daemon-Status: stopping\n/)
  })

  it('sends one mail when 200 servers go down at once', async () => {
    const mail = await smtpServer()
    const shop = await shopServer()
    const reals = Array.from({ length: 200 }, (_, i) => `[::1]:${i + 1}`)
    const { daemon, inTable } = await start(shopSite(mail, shop.port, reals))
    await until(async () => (await inTable()) === 200)
    await until(() => mail.mails.length === 1)
    await shop.close()
    await until(() => mail.mails.length === 2)
    // Whatever there is still to be told goes now.
    await daemon.stop()
    assert.deepEqual(
      mail.mails.map(({ subject }) => subject),
      ['[Shop] 200 changes: 200 Added real server', '[Shop] 200 changes: 200 Deleted real server'],
    )
  })

  it('sends one mail when a panic begins, and one when it is over', async () => {
    const mail = await smtpServer()
    const shop = await shopServer()
    const reals = Array.from({ length: 30 }, (_, i) => `[::1]:${i + 1}`)
    const panic = '    panic: { share: 50%, within: 10s, for: 3s }\n'
    const { daemon, inTable } = await start(shopSite(mail, shop.port, reals, panic))
    await until(async () => (await inTable()) === 30)
    await until(() => mail.mails.length === 1)
    await shop.close()
    await until(() => mail.mails.length === 2, { patience: 30_000 })
    assert.equal(await inTable(), 30)
    const [, begun] = mail.mails
    assert.match(
      begun?.subject ?? '',
      /^\[Shop\] Panic: \d+ of 30 real servers of web went down at once and keep their weights$/,
    )
    assert.match(begun?.text ?? '', /\n {2}\[::1\]:7 -- /)
    await until(async () => (await inTable()) === 0, { patience: 30_000 })
    await daemon.stop()
    const [, , over, gone, ...more] = mail.mails.map(({ subject }) => subject)
    assert.match([over, gone].join(), /Panic over: the table of web follows the checks again|31 changes/)
    assert.deepEqual(more, [])
  })

  it('checks on time and changes its table while the mail server hangs', async () => {
    const heard: (() => void)[] = []
    const mail = await tcpServer(socket => void heard.push(() => socket.destroy()))
    const [shop, other] = [await shopServer(), await shopServer()]
    const second = `
  other:
    virtual: '[2001:db8::2]:80'
    check: { checkport: ${other.port} }
    reals: ['[::1]:80']
`
    const { inTable, lines } = await start(shopSite(mail, shop.port, ['[::1]:80'], second), systemClock)
    await until(() => heard.length === 1)
    const from = other.asked.length
    await shop.close()
    const shut = performance.now()
    await until(async () => (await inTable()) === 1)
    const detected = performance.now() - shut
    await until(() => other.asked.length >= from + 12)
    const gaps = other.asked.slice(from).flatMap((at, i, all) => (i === 0 ? [] : [at - (all[i - 1] ?? 0)]))
    assert.equal(lines.filter(({ msg }) => /a mail/.test(msg)).length, 0, 'the mail still hangs')
    // Other work on this machine may cost a second; a check that waited for the mail would cost thirty.
    assert.ok(detected < 5000, `detected after ${detected} ms`)
    assert.ok(Math.max(...gaps) < 3000, `gaps between checks: ${gaps.map(Math.round)}`)
    for (const hangUp of heard) hangUp()
  })
})

describe('daemon-mails: the listeners of every daemon', () => {
  it('include the mail alerts', async () => {
    await prepareDelivery()
    const mail = await smtpServer()
    const { log } = recordingLog()
    const id = serviceId('2001:db8::1')
    const server = { host: '::1', port: mail.port }
    const policy = { to: ['ops@example.com'], from: null, repeat: null, during: ['running' as const], server }
    const resolver = openResolver()
    onCleanup(() => resolver.close())
    const commands = openCommandQueue(log)
    const told = openEventBus(defaultListeners({ log, journal: memoryJournal(), resolver, commands }), log)
    told.emit('phase', 'running')
    told.emit('config', config([service('web', { id, mail: policy, reals: [real('fd00::a')] })]))
    told.emit('applied', [{ op: 'delete-real', id, was: tableReal('fd00::a') }])
    await told.close()
    assert.deepEqual(
      mail.mails.map(({ subject }) => subject),
      ['Deleted real server: [fd00::a]:80 ([2001:db8::1]:80)'],
    )
    assert.match(mail.mails[0]?.text ?? '', new RegExp(`^ldirectord host: ${hostname()}$`, 'm'))
  })
})
