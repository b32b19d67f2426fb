import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { check } from '../../../checks/nntp.js'
import { onCleanup } from '../../support/after-each.js'
import { announcing, itFails, lineServer } from '../../support/checks/lines.js'
import { problemOf } from '../../support/checks/options.js'
import { folderOf, programOr } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import { certificate, tcpServer } from '../../support/servers.js'

describe('nntp', () => {
  itFails(check, '20')

  it('accepts the greeting of a server with and without permission to post', async () => {
    for (const greeting of ['200 posting allowed', '201 no posting']) {
      const server = await lineServer(greeting, () => '205 bye')
      const { ok, detail } = await probe(check, server)
      assert.deepEqual({ ok, detail }, { ok: true, detail: greeting })
      assert.deepEqual(server.heard, ['QUIT'])
    }
  })

  /** Goes on in TLS where it is asked to, and says `more` before that. */
  function turning(answer: string) {
    return tcpServer(socket => {
      socket.write('200 hello\r\n')
      socket.once('data', () => {
        socket.write(answer)
        if (!answer.startsWith('382')) return
        const secure = new TLSSocket(socket, { isServer: true, ...certificate })
        secure.on('error', () => {})
        secure.on('data', () => secure.end('205 bye\r\n'))
      })
    })
  }

  it('uses TLS from the start, or STARTTLS if the server agrees', async () => {
    const secure = await lineServer('201 no posting', () => '205 bye', { tls: true })
    assert.equal((await probe(check, secure, { tls: true })).detail, '201 no posting, TLS')
    const result = await probe(check, await turning('382 go on\r\n'), { starttls: true })
    assert.equal(result.detail, '200 hello, TLS')
    const refusing = await probe(check, await turning('502 no\r\n'), { starttls: true })
    assert.deepEqual(
      [refusing.reason, refusing.detail],
      ['status', '"502 no" in answer to STARTTLS, expected 382'],
    )
    const early = await probe(check, await turning('382 go on\r\n205 bye\r\n'), { starttls: true })
    assert.equal(early.reason, 'garbage')
    assert.match(problemOf(check, { verify: true }) ?? '', /needs starttls: true or tls: true/)
  })

  it('is down when the server refuses all clients', async () => {
    const { reason, detail } = await probe(check, await announcing('502 no permission\r\n'))
    assert.deepEqual(
      { reason, detail },
      { reason: 'status', detail: '"502 no permission" as its greeting, expected 2xx' },
    )
  })
})

/** In namespaces of its own: it insists on a name that is not this machine's, and must ask no resolver for it. */
const SHUT_IN = ['--mount', '--uts', '--net']

describe('nntp: leafnode', function () {
  this.timeout(60_000)

  it('is checked by its greeting, and down if the connection ends at any point', async function () {
    const file = programOr(() => this.skip(), 'leafnode', 'leafnode')
    if (spawnSync('unshare', [...SHUT_IN, 'true']).status !== 0) {
      console.log(
        '      left out: leafnode runs as root alone, and here in namespaces, which this machine forbids',
      )
      return this.skip()
    }
    const folder = folderOf({ hosts: '::1 news.lvsd.net localhost\n127.0.0.1 localhost\n' })
    const script = 'mount --bind "$1" /etc/hosts && hostname news.lvsd.net && cat | "$2" | cat'
    // It speaks to whoever starts it, as inetd does; a pipe is no stranger to it.
    const server = await tcpServer(socket => {
      const child = spawn('unshare', [...SHUT_IN, 'sh', '-c', script, '-', join(folder, 'hosts'), file])
      onCleanup(() => child.kill('SIGKILL'))
      socket.pipe(child.stdin)
      child.stdout.pipe(socket)
      child.stdin.on('error', () => {})
    })
    const { ok, detail } = await probe(check, server, {}, { timeout: 15_000 })
    assert.equal(ok, true, detail)
    assert.match(detail, /^200 Leafnode NNTP Daemon/)
    // A server in namespaces is dear: a few places at a time.
    await diesAnywhere(check, server.port, {}, { spare: 50, places: 4, atOnce: 4, patience: 1500 })
  })
})
