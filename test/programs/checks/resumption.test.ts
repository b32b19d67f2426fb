/** Sessions of TLS with real servers: each page says whether the handshake was a resumed one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { check } from '../../../checks/https.js'
import { FULL_EVERY } from '../../../checks/lib/tls-sessions.js'
import { folderOf, freePort, programOr, start, startNginx } from '../../support/checks/programs.js'
import { probe } from '../../support/probe.js'
import { tlsFile } from '../../support/tls-file.js'

const SLOW = { timeout: 15_000 }
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
type Version = (typeof VERSIONS)[number]

/** Words of the page after a full handshake, and after a resumed one. */
interface Words {
  readonly full: string
  readonly resumed: string
}

/** The first handshake is full, nine are resumed, the next is full. */
async function isResumed(port: number, { full, resumed }: Words): Promise<void> {
  for (let i = 0; i <= FULL_EVERY; i++) {
    const text = i % FULL_EVERY === 0 ? full : resumed
    const { ok, detail } = await probe(check, port, { text }, SLOW)
    assert.equal(ok, true, `run ${i}, "${text}" expected: ${detail}`)
  }
}

async function isFull(port: number, { full }: Words, options = {}): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const { ok, detail } = await probe(check, port, { text: full, ...options }, SLOW)
    assert.equal(ok, true, `run ${i}, "${full}" expected: ${detail}`)
  }
}

describe('resumption with nginx', function () {
  this.timeout(60_000)
  const words = { full: 'resumed: .', resumed: 'resumed: r' }

  async function nginx(program: string, version: Version, settings: string): Promise<number> {
    const port = await freePort()
    const http = `
      server {
        listen [::1]:${port} ssl; ssl_protocols ${version}; ${settings}
        ssl_certificate ${tlsFile('server.crt')}; ssl_certificate_key ${tlsFile('key.pem')};
        location / { return 200 "resumed: $ssl_session_reused\\n"; }
      }`
    await startNginx(program, { folder: folderOf({}), ports: [port], http })
    return port
  }

  for (const version of VERSIONS) {
    it(`takes tickets of ${version}`, async function () {
      const program = programOr(() => this.skip(), 'nginx', 'nginx-light')
      await isResumed(await nginx(program, version, ''), words)
    })

    it(`takes sessions of ${version} that the server keeps`, async function () {
      const program = programOr(() => this.skip(), 'nginx', 'nginx-light')
      const settings = 'ssl_session_tickets off; ssl_session_cache shared:web:1m;'
      await isResumed(await nginx(program, version, settings), words)
    })

    it(`makes full handshakes of ${version} where the server has neither, and where the certificate is verified`, async function () {
      const program = programOr(() => this.skip(), 'nginx', 'nginx-light')
      await isFull(await nginx(program, version, 'ssl_session_tickets off;'), words)
      await isFull(await nginx(program, version, ''), words, { verify: true, ca: tlsFile('ca.crt') })
    })
  }
})

describe('resumption with HAProxy', function () {
  this.timeout(60_000)

  for (const version of VERSIONS)
    it(`takes tickets of ${version}`, async function () {
      const program = programOr(() => this.skip(), 'haproxy', 'haproxy')
      const port = await freePort()
      const both = readFileSync(tlsFile('server.crt'), 'latin1') + readFileSync(tlsFile('key.pem'), 'latin1')
      const folder = folderOf({ 'server.pem': both })
      const configuration = folderOf({
        'haproxy.cfg': [
          'defaults',
          '  mode http',
          '  timeout client 5s',
          '  timeout connect 5s',
          '  timeout server 5s',
          'frontend web',
          `  bind [::1]:${port} ssl crt ${folder}/server.pem ssl-min-ver ${version} ssl-max-ver ${version}`,
          '  http-request return status 200 content-type text/plain lf-string "resumed: %[ssl_fc_is_resumed]\\n"',
          '',
        ].join('\n'),
      })
      await start(program, ['-db', '-f', `${configuration}/haproxy.cfg`], [port])
      await isResumed(port, { full: 'resumed: 0', resumed: 'resumed: 1' })
    })
})

describe('resumption with openssl s_server', function () {
  this.timeout(60_000)
  const words = { full: 'New, ', resumed: 'Reused, ' }

  for (const [version, word] of [
    ['TLSv1.2', '-tls1_2'],
    ['TLSv1.3', '-tls1_3'],
  ] as const)
    for (const tickets of [[], ['-no_ticket']])
      it(`takes sessions of ${version}${tickets.length === 0 ? '' : ' that the server keeps'}`, async function () {
        const program = programOr(() => this.skip(), 'openssl', 'openssl')
        const port = await freePort()
        const files = ['-cert', tlsFile('server.crt'), '-key', tlsFile('key.pem')]
        const argv = ['s_server', '-accept', `[::1]:${port}`, '-www', '-quiet', word, ...tickets, ...files]
        await start(program, argv, [port])
        await isResumed(port, words)
      })
})
