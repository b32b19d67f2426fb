import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { check as ldap } from '../../../checks/ldap.js'
import { check as ldaps } from '../../../checks/ldaps.js'
import { type Case, isJudged, SLOW } from '../../support/checks/cases.js'
import { failsAsAll } from '../../support/checks/library-faults.js'
import { problemOf } from '../../support/checks/options.js'
import { freePort, programOr } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { Place } from '../../support/checks/services.js'
import { probe } from '../../support/probe.js'
import { saying, tlsServer } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

/** A BindResponse of success, and one with the code 52, unavailable. */
const BOUND = Buffer.from('300c02010161070a010004000400', 'hex')
const UNAVAILABLE = Buffer.from('300c02010161070a013404000400', 'hex')

describe('ldap', () => {
  failsAsAll(ldap, {}, BOUND)

  it('is down when the server refuses the bind', async () => {
    const result = await probe(ldap, await saying(UNAVAILABLE))
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /the bind failed with unavailable \(52\)/)
  })

  it('is down when the server closes after the bind', async () => {
    assert.equal((await probe(ldap, await saying(BOUND))).reason, 'closed')
  })

  it('is down when the server refuses TLS, or sends data before the handshake', async () => {
    const refusal = Buffer.from('300c02010178070a010204000400', 'hex')
    const refused = await probe(ldap, await saying(refusal), { starttls: true })
    assert.deepEqual(
      [refused.reason, refused.detail],
      ['status', 'the request for TLS failed with protocolError (2)'],
    )
    const agreed = Buffer.from('300c02010178070a010004000400', 'hex')
    for (const said of [Buffer.concat([agreed, BOUND]), BOUND]) {
      const result = await probe(ldap, await saying(said), { starttls: true })
      assert.equal(result.reason, 'garbage', result.detail)
    }
    const early = await probe(ldap, await saying(agreed.subarray(0, 9)), { starttls: true })
    assert.equal(early.reason, 'closed', early.detail)
  })

  it('reports another protocol of the server at once', async () => {
    const result = await probe(ldap, await saying('SSH-2.0-OpenSSH_9.2\r\n'), {}, SLOW)
    assert.equal(result.reason, 'garbage')
    assert.match(result.detail, /not LDAP/)
  })

  it('says which options do not go together', () => {
    assert.match(problemOf(ldap, { login: 'cn=a' }) ?? '', /anonymous/)
    assert.match(problemOf(ldap, { passwd: 'a' }) ?? '', /needs login/)
    assert.match(problemOf(ldap, { receive: 'a', text: 'b' }) ?? '', /not both/)
    assert.match(problemOf(ldaps, { ca: '/nowhere' }) ?? '', /needs verify/)
  })
})

describe('ldaps', () => {
  it('is down when the server breaks off after the handshake', async () => {
    assert.equal((await probe(ldaps, await tlsServer(socket => socket.end()))).reason, 'closed')
  })

  it('is down when the server does not speak TLS', async () => {
    assert.equal((await probe(ldaps, await saying(BOUND))).reason, 'tls')
  })
})

describe('ldap: a server of OpenLDAP', function () {
  this.timeout(60_000)
  let place: Place
  let plain: number
  let secure: number

  before(async function () {
    const file = programOr(() => this.skip(), 'slapd', 'slapd')
    place = new Place()
    ;[plain, secure] = [await freePort(), await freePort()]
    const module = '/usr/lib/ldap'
    const configuration = place.file(
      'slapd.conf',
      `include /etc/ldap/schema/core.schema
${existsSync(module) ? `modulepath ${module}\nmoduleload back_ldif.la` : ''}
TLSCertificateFile ${tlsFile('server.crt')}
TLSCertificateKeyFile ${tlsFile('key.pem')}
database ldif
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw geheim
directory ${place.folder}
access to dn.base="ou=secret,dc=example,dc=com" by * none
access to * by * read
`,
    )
    const entries = place.file(
      'entries.ldif',
      `dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=Grüße,dc=example,dc=com
objectClass: organizationalUnit
ou: Grüße

dn: ou=secret,dc=example,dc=com
objectClass: organizationalUnit
ou: secret
`,
    )
    place.run(file.replace(/slapd$/, 'slapadd'), ['-f', configuration, '-l', entries])
    const where = `ldap://[::1]:${plain}/ ldaps://[::1]:${secure}/`
    await place.start(file, ['-f', configuration, '-h', where, '-d', '0'], plain)
  })
  after(() => place?.close())

  const admin = { login: 'cn=admin,dc=example,dc=com', passwd: 'geheim' }
  const request = 'dc=example,dc=com'
  const cases: Case[] = [
    ['is asked for its root', {}, null, /found the root entry/],
    ['has the entry', { request }, null, /found dc=example,dc=com/],
    ['has an entry whose name matches', { request, receive: '(?i)DC=ex' }, null, /found/],
    ['has an entry beyond ASCII', { request: 'ou=Grüße,dc=example,dc=com' }, null, /found ou=Grüße/],
    ['has an entry of another name', { request, receive: 'dc=org$' }, 'unexpected', /no \/dc=org\$\/ in dc=/],
    ['has no such entry', { request: 'ou=none,dc=example,dc=com' }, 'status', /noSuchObject/],
    ['is asked for what is no name', { request: 'hello' }, 'status', /invalidDNSyntax.*: invalid DN/],
    ['knows the login', { request, ...admin }, null, /found/],
    ['shows more to the login', { request: 'ou=secret,dc=example,dc=com', ...admin }, null, /found/],
    ['hides it from others', { request: 'ou=secret,dc=example,dc=com' }, 'unexpected', /0 entries/],
    [
      'knows another password',
      { ...admin, passwd: 'wrong' },
      'status',
      /the bind failed with invalidCredentials/,
    ],
    ['knows no such login', { ...admin, login: 'cn=none' }, 'status', /invalidCredentials/],
  ]
  for (const one of cases)
    it(`is judged where it ${one[0]}, in clear text and over TLS, from the start and on the way`, async () => {
      for (const [check, port, how] of [
        [ldap, plain, {}],
        [ldaps, secure, {}],
        [ldap, secure, { tls: true }],
        [ldap, plain, { starttls: true }],
      ] as const)
        await isJudged(check as typeof ldap, port, { ...one[1], ...how }, one)
    })

  it('is checked by its certificate if that is configured', async () => {
    assert.equal((await probe(ldaps, secure, { verify: true, ca: tlsFile('ca.crt') }, SLOW)).ok, true)
    assert.equal((await probe(ldaps, secure, { verify: true }, SLOW)).reason, 'tls')
    const other = { verify: true, ca: tlsFile('ca.crt'), verifyname: 'www.example.org' }
    assert.match((await probe(ldaps, secure, other, SLOW)).detail, /a different name/)
    assert.equal((await probe(ldaps, plain, {}, SLOW)).ok, false)
    const asked = { starttls: true, verify: true }
    assert.equal((await probe(ldap, plain, { ...asked, ca: tlsFile('ca.crt') }, SLOW)).ok, true)
    assert.equal((await probe(ldap, plain, asked, SLOW)).reason, 'tls')
    const twice = await probe(ldap, secure, { tls: false, starttls: true }, { timeout: 2000 })
    assert.equal(twice.ok, false, 'TLS where it began long ago')
  })

  it('is down if the connection ends at any point', () => diesAnywhere(ldap, plain, { request, ...admin }))
  it('is down if the connection ends at any point of TLS', async () => {
    await diesAnywhere(ldaps, secure, { request, ...admin }, { spare: 40 })
    await diesAnywhere(ldap, plain, { request, ...admin, starttls: true }, { spare: 40 })
  })
})
