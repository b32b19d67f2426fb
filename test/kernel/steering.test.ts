/** Slow start, damping, why, recheck, and drains of services without connections: as the kernel held them. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { existsSync, readFileSync } from 'node:fs'
import { onCleanup } from '../support/after-each.js'
import { until } from '../support/until.js'
import { lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { tableBecomes } from './site/site.js'
import { countsOf } from './site/table.js'
import { watchTable } from './site/watcher.js'
import { webTable as table, webSite, whyOf } from './site/web.js'

const STORED = '/var/lib/lvsd/lvsd-health.json'

const config = (keys: string) => `
settings: { resync: 1s }
defaults: { check: { kind: http, interval: 300ms, timeout: 2s, fall: 1 }, scheduler: wrr, ${keys} }
services:
  web:
    virtual: '[fc00::80]:80'
    reals: ['[fc00::11]:80 masq 100', '[fc00::12]:80 masq 100']
`

describe('steering', () => {
  const web = webSite()

  it('raises the weight of a server that is back by slow start, which goes on after kill -9', async () => {
    const path = writeConfig(config('slow-start: 60s'))
    const lvsd = await startLvsd(path)
    await tableBecomes(table({ 11: 100, 12: 100 }))
    web.servers[1]?.kill()
    await tableBecomes(table({ 11: 100 }))
    const watcher = watchTable('director')
    web.servers[1]?.revive()
    const now = () => lvsd.real('web', 'fc00::12')
    await until(async () => (await now()).slowStart?.weight === 100, { what: 'the slow start' })
    assert.match((await now()).reason, /^slow start: \d+ % of 100, full in \d+s; 200/)
    await until(() => existsSync(STORED) && /fc00::12[^\n]*"rising":\d/.test(readFileSync(STORED, 'utf8')), {
      what: 'the clock in the file',
    })
    await lvsd.kill()
    const before = watcher.take()
    await startLvsd(path)
    await until(() => watcher.seen.length > before.length, { what: 'a step after the crash' })
    const weights = watcher.seen.map(({ change }) => Number(/masq (\d+)$/.exec(change)?.[1]))
    assert.equal(weights[0], 10)
    for (const [i, weight] of weights.entries())
      assert.ok(weight > (weights[i - 1] ?? 0) && weight < 100, weights.join(' '))
  })

  it('holds a server that flaps, and lets it go', async () => {
    const lvsd = await startLvsd(writeConfig(config('damping: { changes: 3, within: 1m, hold: 4s }')))
    await tableBecomes(table({ 11: 100, 12: 100 }))
    for (const gone of [true, false, true]) {
      if (gone) web.servers[1]?.kill()
      else web.servers[1]?.revive()
      await tableBecomes(gone ? table({ 11: 100 }) : table({ 11: 100, 12: 100 }))
    }
    await lvsd.hears('real server flaps')
    web.servers[1]?.revive()
    await until(async () => (await lvsd.real('web', 'fc00::12')).checks[0]?.state === 'up', {
      what: 'a check that passes',
    })
    const { state, reason, damping } = await lvsd.real('web', 'fc00::12')
    assert.deepEqual([state, damping?.isSpared], ['down', false])
    assert.match(reason, /^flaps: held down until .*; 200/)
    const why = await whyOf(12)
    assert.match(why.sentence, /^down since .*flap/)
    assert.deepEqual([why.real.weight.kernel, why.table.written?.weight], [null, null])
    web.servers[0]?.kill()
    await tableBecomes(table({ 12: 100 }))
    web.servers[0]?.revive()
    await tableBecomes(table({ 11: 100 }))
    await tableBecomes(table({ 11: 100, 12: 100 }))
    // The table comes first.
    await until(() => lvsd.lines.some(({ event }) => event === 'real.released'), {
      what: 'its release in the log',
    })
    assert.deepEqual(
      lvsd.lines.flatMap(({ event }) =>
        /^real\.(damped|spared|released)$/.test(String(event)) ? [event] : [],
      ),
      ['real.damped', 'real.spared', 'real.damped', 'real.released'],
    )
  })

  it('says why a server is down, and rechecks it long before its interval', async () => {
    await startLvsd(writeConfig(config('quiescent: false').replace('interval: 300ms', 'interval: 1h')))
    await tableBecomes(table({ 11: 100, 12: 100 }))
    const slot = (await whyOf(12)).checks[0]?.nextAt
    web.servers[1]?.kill()
    const down = await lvsdCommand('recheck', 'web/::12', '--wait')
    assert.equal(down.code, 1, down.output)
    assert.match(down.output, /\[fc00::12\]:80 {2}down {2}http failed .* refused/)
    await tableBecomes(table({ 11: 100 }))
    assert.ok(Date.parse(slot ?? '') > Date.now(), `the check was due at ${slot} anyway`)
    const { table: held, real } = await whyOf(12)
    assert.deepEqual([real.weight.kernel, held.written?.weight], [null, null])
    const { code, output } = await lvsdCommand('why', 'web/::12')
    assert.equal(code, 0, output)
    assert.match(output, /^web\/\[fc00::12\]:80 {2}down\nDown since .* refused/)
    assert.match(output, /\n {2}kernel +no entry.*\n +lvsd removed it at \d\d:\d\d:\d\d\n/)
    web.servers[1]?.revive()
    const up = await lvsdCommand('recheck', 'web/::12', '--wait')
    assert.equal(up.code, 0, up.output)
    assert.match(up.output, /\[fc00::12\]:80 {2}up {2}http passed/)
    await tableBecomes(table({ 11: 100, 12: 100 }))
  })

  it('drains UDP, one-packet and persistent services, and says what the kernel does not tell', async () => {
    const service = (port: number, more = '') =>
      `{ virtual: '[fc00::80]:${port}', protocol: udp, check: 'on', reals: ['[fc00::12]:${port} masq']${more} }`
    await startLvsd(
      writeConfig(`
settings: { timeouts: { udp: 2s } }
services:
  dns: ${service(53)}
  once: ${service(54, ', one-packet: true')}
  sticky: ${service(55, ', persistence: 8s')}
`),
    )
    const held = (port: number) => countsOf('director', `[fc00::12]:${port}`)
    await until(() => [53, 54, 55].every(port => held(port)?.weight === 1), { what: 'the table' })
    const stops = [53, 54, 55].map(port => sendTo(port))
    const stop = () => {
      for (const one of stops.splice(0)) one()
    }
    onCleanup(stop)
    await until(() => [53, 55].every(port => (held(port)?.inactive ?? 0) > 0), { what: 'flows' })
    const drain = (name: string, wait: string) => lvsdCommand('drain', `${name}/::12`, '--wait', wait)
    const [dns, once] = await Promise.all([drain('dns', '1s'), drain('once', '60s')])
    assert.equal(dns.code, 1, dns.output)
    assert.match(
      dns.output,
      /dns is UDP: the kernel keeps a flow for 2 s after its last packet, and a client/,
    )
    assert.match(dns.output, /not empty after \d+s: \d+ inactive\nThe drain stays in force/)
    assert.equal(once.code, 0, once.output)
    assert.match(once.output, /once is one-packet: the kernel keeps no connections, so a server .* may still/)
    assert.match(once.output, /once\/\[fc00::12\]:54: empty after/)
    const drained = Promise.all([drain('dns', '60s'), drain('sticky', '60s')])
    await until(() => held(55)?.weight === 0, { what: 'the drain' })
    stop()
    const [empty, sticky] = await drained
    assert.equal(empty.code, 0, empty.output)
    assert.match(empty.output, /dns\/\[fc00::12\]:53: empty after/)
    assert.equal(sticky.code, 0, sticky.output)
    assert.match(sticky.output, /sticky is persistent: clients that used this server within 8 s return to it/)
    assert.match(sticky.output, /1 persistent\n(.*\n)*sticky\/\[fc00::12\]:55: empty after/)
  })
})

/**
 * Sends a packet every 200 ms from a new port, so each is a new flow: while a flow lives, the kernel does not remove the
 * persistence template of its client but waits for 60 s more. Returns a function that ends it.
 */
function sendTo(port: number): () => void {
  const timer = setInterval(() => {
    const socket = createSocket('udp6')
    socket.send('x', port, 'fc00::80', () => socket.close())
  }, 200)
  return () => clearInterval(timer)
}
