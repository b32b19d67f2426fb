import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { check as http } from '../../../checks/http.js'
import { check as https } from '../../../checks/https.js'
import { check as tls } from '../../../checks/tls.js'
import { type Case, isJudged, SLOW } from '../../support/checks/cases.js'
import { freePort, programOr } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { Place } from '../../support/checks/services.js'
import { probe } from '../../support/probe.js'
import { tlsFile } from '../../support/tls-file.js'

const TRUSTED = { verify: true, ca: tlsFile('ca.crt') }

const MODULES = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'authz_core',
  'authz_user',
  'auth_basic',
  'alias',
  'cgid',
  'dir',
  'http2',
  'socache_shmcb',
  'ssl',
]

describe('apache httpd', function () {
  this.timeout(60_000)
  let place: Place
  let plain: number
  let secure: number
  let mutual: number

  before(async function () {
    const file = programOr(() => this.skip(), 'apache2', 'apache2-bin')
    place = new Place({ unprivileged: true })
    ;[plain, secure, mutual] = [await freePort(), await freePort(), await freePort()]
    const copy = (name: string) => place.file(name, readFileSync(tlsFile(name), 'utf8'))
    const [server, other, ca, key] = ['server.crt', 'other.crt', 'ca.crt', 'key.pem'].map(copy)
    place.file('page.html', '<p>all is ok, Grüße</p>\n')
    place.file('other.html', 'the other one\n')
    const users = place.file('users', `root:{SHA}${createHash('sha1').update('secret').digest('base64')}\n`)
    const script = place.file('slow.cgi', '#!/bin/sh\necho\necho all\nsleep 0.05\necho is ok\n', 0o755)
    const echo = place.file(
      'echo.cgi',
      '#!/bin/sh\necho\necho "$REQUEST_METHOD $QUERY_STRING"\nexec cat\n',
      0o755,
    )
    const listen = [plain, secure, mutual].flatMap(port => [`[::1]:${port}`, `127.0.0.1:${port}`])
    const configuration = place.file(
      'httpd.conf',
      `
ServerRoot ${place.folder}
DefaultRuntimeDir ${place.folder}
PidFile pid
ErrorLog error.log
ServerName www.example.com
${MODULES.map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
StartServers 1
ThreadsPerChild 25
KeepAliveTimeout 60
ScriptSock cgisock
${listen.map(where => `Listen ${where}`).join('\n')}
DocumentRoot ${place.folder}
Redirect /moved /page.html
Redirect /away http://www.example.net/
ScriptAlias /slow ${script}
ScriptAlias /echo ${echo}
<Location /private>
  AuthType Basic
  AuthName lvsd
  AuthUserFile ${users}
  Require user root
</Location>
Alias /private ${place.folder}/page.html
SSLCertificateKeyFile ${key}
SSLSessionCache none
<VirtualHost *:${plain}>
</VirtualHost>
<VirtualHost *:${plain}>
  ServerName www.example.org
  DirectoryIndex other.html
</VirtualHost>
<VirtualHost *:${secure}>
  SSLEngine on
  SSLCertificateFile ${server}
  Protocols h2 http/1.1
</VirtualHost>
<VirtualHost *:${secure}>
  ServerName www.example.org
  DirectoryIndex other.html
  SSLEngine on
  SSLCertificateFile ${other}
  SSLStrictSNIVHostCheck on
  Protocols h2 http/1.1
</VirtualHost>
<VirtualHost *:${mutual}>
  SSLEngine on
  SSLCertificateFile ${server}
  SSLCACertificateFile ${ca}
  SSLVerifyClient require
</VirtualHost>
`,
    )
    await place.start(file, ['-f', configuration, '-DFOREGROUND'], plain)
  })
  after(() => place?.close('SIGTERM'))

  const page = { request: 'page.html', receive: 'is ok, Grüße' }
  const login = { login: 'root', passwd: 'secret' }
  const kept = { headers: { Connection: 'keep-alive' } }
  const other = { virtualhost: 'www.example.org', receive: 'the other one' }
  const shown = { cert: tlsFile('client.pem') }

  const cases: Case[] = [
    ['has the page', page, null, /^200 OK/],
    ['has another page', { ...page, receive: 'not there' }, 'unexpected', /not there/],
    ['does not have the page', { request: 'none.html' }, 'status', /404 Not Found/],
    ['does not have it, as it should', { request: 'none.html', status: 404 }, null, /404/],
    ['answers in chunks', { request: '/slow', receive: '^all\nis ok\n$' }, null, /200/],
    ['keeps the connection open', { ...page, ...kept }, null, /200/],
    ['keeps it open after chunks', { request: '/slow', receive: 'is ok', ...kept }, null, /200/],
    ['is asked for the head alone', { request: 'page.html', httpmethod: 'HEAD' }, null, /200/],
    [
      'is posted to',
      { request: '/echo?a=b', httpmethod: 'POST', body: 'Grüße\n', receive: '^POST a=b\nGrüße\n$' },
      null,
      /200/,
    ],
    [
      'is asked whether it goes on before it is posted to',
      { request: '/echo', httpmethod: 'PUT', body: 'x', headers: { Expect: '100-continue' }, text: 'x' },
      null,
      /^200/,
    ],
    [
      'has nothing new',
      { request: 'page.html', headers: { 'If-None-Match': '*' }, status: 304 },
      null,
      /304/,
    ],
    [
      'has a part of it',
      { request: 'page.html', headers: { Range: 'bytes=3-8' }, status: 206, text: 'all is' },
      null,
      /206/,
    ],
    ['is asked what it can', { request: 'page.html', httpmethod: 'OPTIONS' }, null, /200/],
    ['has more than is read', { ...page, limit: 10 }, 'too-big', /the limit is 10/],
    ['wants a login', { ...page, request: '/private' }, 'status', /401 Unauthorized/],
    ['wants one and is to', { request: '/private', status: 401 }, null, /401/],
    ['knows the login', { ...page, request: '/private', ...login }, null, /200/],
    ['knows another password', { request: '/private', ...login, passwd: 'wrong' }, 'status', /401/],
    ['redirects', { ...page, request: '/moved' }, 'status', /302 Found/],
    ['redirects and is followed', { ...page, request: '/moved', redirects: 1 }, null, /200/],
    [
      'sends elsewhere',
      { request: '/away', redirects: 1 },
      'status',
      /another host, http:\/\/www\.example\.net/,
    ],
    ['has another site', other, null, /200/],
  ]
  for (const one of cases)
    it(`is judged where it ${one[0]}, in clear text and over TLS, IPv6 and IPv4`, async () => {
      for (const host of ['::1', '127.0.0.1'])
        for (const [check, port] of [
          [http, plain],
          [https, secure],
        ] as const)
          await isJudged(check as typeof http, { host, port }, one[1], one)
    })

  const verified: Case[] = [
    ['shows its certificate', { ...page, ...TRUSTED }, null, /200/],
    ['shows one of others', { ...page, verify: true }, 'tls', /: set ca/],
    ['shows that of the site asked for', { ...other, ...TRUSTED }, null, /200/],
    ['is not told the site', { ...other, ...TRUSTED, sni: '' }, 'tls', /a different name/],
    ['is told another site than it is asked for', { ...other, sni: 'www.example.com' }, 'status', /421/],
    ['speaks HTTP/2', { ...page, ...TRUSTED, http2: true }, null, /200/],
    ['speaks HTTP/2 for another site', { ...other, ...TRUSTED, http2: true }, null, /200/],
    ['wants a login over HTTP/2', { request: '/private', http2: true }, 'status', /401/],
    ['knows the login over HTTP/2', { request: '/private', ...login, http2: true }, null, /200/],
    [
      'is posted to over HTTP/2',
      { request: '/echo', httpmethod: 'POST', body: 'x', text: 'x', http2: true },
      null,
      /200/,
    ],
    ['answers late over HTTP/2', { request: '/slow', receive: 'is ok', http2: true }, null, /200/],
  ]
  for (const one of verified)
    it(`is judged over TLS where it ${one[0]}`, async () => {
      for (const host of ['::1', '127.0.0.1']) await isJudged(https, { host, port: secure }, one[1], one)
    })

  it('is checked if it requires a client certificate', async () => {
    assert.equal((await probe(https, mutual, { ...page, ...TRUSTED, ...shown }, SLOW)).ok, true)
    const without = await probe(https, mutual, page, SLOW)
    assert.equal(without.reason, 'tls', without.detail)
    assert.match(without.detail, /set cert and key/)
    // A server's certificate, shown as a client's: the server looks at what it is for.
    const wrong = { cert: tlsFile('expired.crt'), key: tlsFile('key.pem') }
    const refused = await probe(https, mutual, { ...page, ...wrong }, SLOW)
    assert.equal(refused.reason, 'tls', refused.detail)
  })

  it('is checked by the remaining days of each of its certificates', async () => {
    for (const sni of ['www.example.com', 'www.example.org']) {
      const result = await probe(tls, secure, { ...TRUSTED, sni, days: 300 }, SLOW)
      assert.match(result.detail, new RegExp(`^TLSv1\\.3, valid for \\d+ days more: ${sni}$`))
    }
  })

  it('is down if the connection ends at any point', () => diesAnywhere(http, plain, page))
  it('is down if the connection ends at any point between chunks', () =>
    diesAnywhere(http, plain, { request: '/slow', receive: 'is ok' }))
  it('is down if the connection ends at any point of a redirect', () =>
    diesAnywhere(http, plain, { ...page, request: '/moved', redirects: 1 }))
  it('is down if the connection ends at any point of TLS', () =>
    diesAnywhere(https, secure, page, { spare: 40 }))
  it('is down if the connection ends at any point of HTTP/2', () =>
    diesAnywhere(https, secure, { ...page, http2: true }, { spare: 80, resetsAreSilent: true }))
})
