/** One mail and one call of a webhook per event: two daemons, a real Redis, a mail server, and a receiver that hangs. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { fetchStatus } from '../../../src/api/client.js'
import type { AlertDocument } from '../../../src/api/webhook-types.js'
import { type ClaimRecord, claimOf } from '../../../src/core/alert-claim.js'
import { onCleanup } from '../../support/after-each.js'
import { programOr } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { aclServer, type RedisServer } from '../../support/redis-server.js'
import { httpServer } from '../../support/servers.js'
import { smtpServer } from '../../support/smtp-server.js'
import { until } from '../../support/until.js'

const MAIN = installed('main')

describe('alerts of a site', function () {
  this.timeout(240_000)
  let file = ''
  let redis: RedisServer
  before(function () {
    file = programOr(() => this.skip(), 'redis-server', 'redis-server')
  })
  beforeEach(async () => {
    redis = await aclServer(file)
  })

  class Director {
    readonly socket: string
    readonly #words: readonly string[]
    #child: ChildProcess | null = null

    constructor(name: string, site: string) {
      const folder = temporaryFolder()
      const path = join(folder, 'site.yaml')
      writeFileSync(path, site)
      this.socket = join(folder, `${name}.sock`)
      const state = join(folder, 'state')
      this.#words = ['run', path, '--kernel', 'memory', '--socket', this.socket, '--state', state]
      onCleanup(() => this.kill())
    }

    async start(): Promise<void> {
      this.#child = spawn(process.execPath, [MAIN, ...this.#words], { stdio: 'ignore' })
      await until(() => this.#is(({ cluster }) => cluster?.redis?.state === 'connected'), { what: 'Redis' })
    }

    async kill(): Promise<void> {
      const child = this.#child
      this.#child = null
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }

    sees(state: 'up' | 'down'): Promise<boolean> {
      return this.#is(({ services }) => services[0]?.reals[0]?.state === state)
    }

    async #is(holds: (status: Awaited<ReturnType<typeof fetchStatus>>) => boolean): Promise<boolean> {
      return fetchStatus(this.socket).then(holds, () => false)
    }
  }

  /** A site of two directors, and what its receivers get. */
  async function site() {
    let isWell = true
    const web = await httpServer((_, response) => response.writeHead(isWell ? 200 : 503).end())
    const mail = await smtpServer()
    const calls: { readonly from: string; readonly words: string; readonly print: string }[] = []
    const hanging: { readonly from: string; readonly response: ServerResponse }[] = []
    const how = { isHanging: false }
    const hook = await httpServer(async (request, response) => {
      const from = (request.url ?? '').slice(1)
      const text = Buffer.concat(await request.toArray()).toString()
      if (how.isHanging) return void hanging.push({ from, response })
      for (const { status, alert, fingerprint } of (JSON.parse(text) as AlertDocument).alerts)
        calls.push({ from, words: `${status} ${alert}`, print: fingerprint })
      response.end()
    })
    const directors = ['a', 'b'].map(
      name =>
        new Director(
          name,
          `cluster: { site: berlin, redis: { url: 'redis://[::1]:${redis.port}', username: lvsd, password: geheim } }
alerts: { hook: { webhook: 'http://[::1]:${hook.port}/${name}', events: [real.down] } }
defaults: { mail: { during: [running], to: [ops@example.com], server: '[::1]:${mail.port}' } }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, interval: 300ms, fastinter: 100ms, fall: 1, rise: 1 }
    reals: ['[::1]:${web.port}']
`,
        ),
    )
    await Promise.all(directors.map(each => each.start()))
    const become = async (state: 'up' | 'down', of = directors) => {
      isWell = state === 'up'
      for (const each of of) await until(() => each.sees(state), { what: state })
    }
    await become('up')
    const words = () => calls.map(each => each.words)
    const subjects = () => mail.mails.map(({ subject }) => subject.replace(/ real server.*/, ''))
    return { directors, calls, hanging, how, become, words, subjects }
  }

  async function records(): Promise<readonly ClaimRecord[]> {
    const [keys] = await redis.tell(['KEYS', '*:alert:*'])
    const texts = await redis.tell(...(keys as string[]).map(key => ['GET', key]))
    return texts.flatMap(text => claimOf(String(text)) ?? [])
  }

  /** True if all that happened since then has been sent, and both directors have met what has this print. */
  async function haveMet(since: number, print: string | undefined): Promise<boolean> {
    const recent = (await records()).filter(record => record.since >= since)
    const isMet = (record: ClaimRecord) => record.print === print && Object.keys(record.seen).length === 2
    return recent.some(isMet) && recent.every(({ state }) => state === 'sent')
  }

  it('come once for each event, from another director if the first one dies, and from all without Redis', async () => {
    const { directors, calls, hanging, how, become, words, subjects } = await site()
    const [a, b] = directors
    assert.ok(a && b)
    await become('down')
    await until(() => words().length + subjects().length >= 2, { what: 'a call and a mail' })
    await become('up')
    await until(() => words().length + subjects().length >= 4, { what: 'those of the end' })
    // A second failure of the same server is an event of its own. What has come twice would be there by then.
    how.isHanging = true
    await become('down')
    await until(() => hanging.length > 0 && subjects().length >= 3, { what: 'an attempt under way' })
    assert.deepEqual(words(), ['firing real.down', 'resolved real.down'])
    assert.deepEqual(subjects(), ['Deleted', 'Added', 'Deleted'])
    assert.equal(calls[0]?.print, calls[1]?.print)
    const claimer = hanging[0]?.from === 'a' ? a : b
    const other = claimer === a ? b : a
    how.isHanging = false
    // Who has received a mail gets it again if its director dies before Redis has that it was sent.
    const unsent = async () => (await records()).filter(({ state }) => state !== 'sent').length
    await until(async () => (await unsent()) === 1, { what: 'Redis has that the mail was sent' })
    await claimer.kill()
    await until(() => words().length === 3, { what: 'the message of the other director' })
    assert.notEqual(calls[2]?.from, hanging[0]?.from)
    assert.notEqual(calls[2]?.print, calls[1]?.print)
    // After its restart the first one tells nothing that the site has been told.
    await claimer.start()
    await become('down')
    const since = Date.now()
    await become('up')
    await until(() => words().length >= 4 && subjects().length >= 4, { what: 'the end' })
    await until(() => haveMet(since, calls[3]?.print), {
      what: 'both directors know that the webhook was told of the end',
      patience: 90_000,
    })
    redis.signal('SIGSTOP')
    await become('down')
    const mailed = () =>
      subjects()
        .slice(3)
        .filter(subject => subject === 'Deleted').length
    await until(() => words().length >= 6 && mailed() >= 2, { what: 'two of each' })
    redis.signal('SIGCONT')
    assert.deepEqual(words().slice(2, 4), ['firing real.down', 'resolved real.down'])
    assert.deepEqual(
      calls
        .slice(4)
        .map(each => `${each.from} ${each.words}`)
        .sort(),
      ['a firing real.down', 'b firing real.down'],
    )
    assert.equal(mailed(), 2)
    assert.ok(await other.sees('down'))
  })
})
