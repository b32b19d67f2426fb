import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { decodeReply, encodeRequest } from '../../../checks/lib/radius.js'
import { check } from '../../../checks/radius.js'
import { parseOptions, problemOf } from '../../support/checks/options.js'
import { freePort, programOr } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { Place } from '../../support/checks/services.js'
import { probe } from '../../support/probe.js'
import { refusedUdpPort, udpServer } from '../../support/servers.js'

const SLOW = { timeout: 15_000 }
const known = { secret: 'testing123', login: 'bob', passwd: 'hello' }

/** The example of RFC 2865, 7.1, without its Message-Authenticator and NAS attributes, which are other ones here. */
const request = {
  code: 1,
  id: 0,
  authenticator: Buffer.from('0f403f9473978057bd83d5cb98f4227a', 'hex'),
  secret: 'xyzzy5461',
  login: 'nemo',
  passwd: 'arctangent',
}
const ACCEPT = Buffer.from(
  '0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103',
  'hex',
)

/** A reply that is signed as a server signs it. */
function reply(to: Buffer, secret: string, code: number, attributes = Buffer.alloc(0)): Buffer {
  const head = Buffer.from([code, to.readUInt8(1), 0, 20 + attributes.length])
  const signed = [head, to.subarray(4, 20), attributes, Buffer.from(secret)]
  return Buffer.concat([head, createHash('md5').update(Buffer.concat(signed)).digest(), attributes])
}

/** The same with a Message-Authenticator, as mended servers send it first. */
function authenticReply(to: Buffer, secret: string, code: number): Buffer {
  const empty = Buffer.concat([Buffer.from([80, 18]), Buffer.alloc(16)])
  const head = Buffer.from([code, to.readUInt8(1), 0, 38])
  const whole = Buffer.concat([head, to.subarray(4, 20), empty])
  const digest = createHmac('md5', secret).update(whole).digest()
  return reply(to, secret, code, Buffer.concat([Buffer.from([80, 18]), digest]))
}

describe('radius: the packets of RADIUS', () => {
  it('hide the password as the example of RFC 2865 does', () => {
    const packet = encodeRequest(request)
    assert.equal(packet.readUInt16BE(2), packet.length)
    assert.ok(packet.includes(Buffer.from('01066e656d6f', 'hex')), 'User-Name')
    assert.ok(packet.includes(Buffer.from('02120dbe708d93d413ce3196e43f782a0aee', 'hex')), 'User-Password')
    assert.deepEqual([...packet.subarray(20, 22)], [80, 18], 'Message-Authenticator stands first')
  })

  it('are authenticated as in the example of RFC 2865', () => {
    assert.deepEqual(decodeReply(ACCEPT, request), { code: 2, message: '', isAuthentic: false })
    assert.match(String(decodeReply(ACCEPT, { ...request, secret: 'other' })), /not signed with this secret/)
    assert.match(String(decodeReply(ACCEPT, { ...request, id: 1 })), /id 0, not 1/)
  })

  it('hide passwords of more than one block', () => {
    const lengths = [0, 1, 16, 17, 128].map(
      length => encodeRequest({ ...request, passwd: 'x'.repeat(length) }).length,
    )
    assert.deepEqual(
      lengths.map(length => length - (lengths[0] ?? 0)),
      [0, 0, 0, 16, 112],
    )
  })

  it('are rejected if they are not a valid reply', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        bytes => typeof decodeReply(Buffer.from(bytes), request) === 'string',
      ),
    )
    fc.assert(
      fc.property(fc.nat({ max: ACCEPT.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const forged = Buffer.from(ACCEPT)
        forged[at] = (forged[at] ?? 0) ^ flip
        return typeof decodeReply(forged, request) === 'string'
      }),
    )
  })
})

describe('radius', () => {
  it('is up over IPv4 too', async () => {
    const server = await udpServer((packet, answer) => answer(reply(packet, 'testing123', 2)), '127.0.0.1')
    assert.equal((await probe(check, server, known)).ok, true)
  })

  it('is down when the port is closed or there is no answer', async () => {
    assert.equal((await probe(check, await refusedUdpPort(), known)).reason, 'refused')
    assert.equal((await probe(check, await udpServer(() => {}), known, { timeout: 150 })).reason, 'timeout')
  })

  it('is down when the answer is invalid, cut off, or has another secret', async () => {
    const answers: [(packet: Buffer) => Buffer, RegExp][] = [
      [() => Buffer.from('hello'), /not RADIUS/],
      [packet => reply(packet, 'testing123', 2).subarray(0, 19), /19 bytes/],
      [packet => reply(packet, 'another', 2), /compare the secrets/],
      [packet => reply(packet, 'testing123', 2, Buffer.from([18, 9, 65])), /do not fit/],
      [packet => reply(packet, 'testing123', 2, Buffer.from([80, 18, ...Buffer.alloc(16)])), /forged/],
      [packet => reply(packet, 'testing123', 2, Buffer.from([80, 2])), /forged/],
    ]
    for (const [answerTo, said] of answers) {
      const server = await udpServer((packet, answer) => answer(answerTo(packet)))
      const result = await probe(check, server, known)
      assert.equal(result.reason, 'garbage', result.detail)
      assert.match(result.detail, said)
    }
  })

  it('is down without a Message-Authenticator if it is required', async () => {
    const wanted = { ...known, messageauthenticator: true }
    const plain = await udpServer((packet, answer) => answer(reply(packet, 'testing123', 2)))
    assert.equal((await probe(check, plain, known)).ok, true)
    const { reason, detail } = await probe(check, plain, wanted)
    assert.equal(reason, 'unexpected')
    assert.match(detail, /^Access-Accept, without Message-Authenticator: update the server/)
    const signed = await udpServer((packet, answer) => answer(authenticReply(packet, 'testing123', 2)))
    assert.equal((await probe(check, signed, wanted)).ok, true)
    const refusing = await udpServer((packet, answer) => answer(authenticReply(packet, 'testing123', 3)))
    assert.equal((await probe(check, refusing, wanted)).reason, 'status')
    const twice = Buffer.concat([
      Buffer.from([80, 18]),
      Buffer.alloc(16),
      Buffer.from([80, 18]),
      Buffer.alloc(16),
    ])
    const doubled = await udpServer((packet, answer) => answer(reply(packet, 'testing123', 2, twice)))
    assert.equal((await probe(check, doubled, known)).reason, 'garbage')
  })

  it('is down for any other answer, and up for a reject if the configuration accepts it', async () => {
    for (const [code, lenient] of [
      [3, true],
      [11, true],
      [5, false],
    ] as const) {
      const server = await udpServer((packet, answer) => answer(reply(packet, 'testing123', code)))
      assert.equal((await probe(check, server, known)).reason, 'status')
      assert.equal((await probe(check, server, { ...known, accept: false })).ok, lenient)
    }
  })

  it('says which options do not go together', () => {
    assert.match(problemOf(check, { secret: '' }) ?? '', /secret/)
    assert.match(problemOf(check, { secret: 'a', passwd: 'b' }) ?? '', /needs login/)
    assert.match(problemOf(check, { secret: 'a', login: '' }) ?? '', /1 to 253/)
    assert.match(problemOf(check, { ...known, passwd: 'x'.repeat(129) }) ?? '', /128/)
    assert.throws(() => parseOptions(check, { login: 'bob' }), /secret/)
  })
})

describe('FreeRADIUS', function () {
  this.timeout(60_000)
  let place: Place
  let port: number

  before(async function () {
    const file = programOr(() => this.skip(), 'freeradius', 'freeradius')
    place = new Place()
    port = await freePort()
    place.file('users', 'bob Cleartext-Password := "hello"\n\tReply-Message := "welcome"\n')
    place.file(
      'radiusd.conf',
      `prefix = /usr
libdir = /usr/lib/freeradius
logdir = ${place.folder}
raddbdir = ${place.folder}
run_dir = ${place.folder}
log {
  destination = stderr
}
security {
  reject_delay = 0
  status_server = yes
}
client here {
  ipv6addr = ::1
  secret = testing123
  require_message_authenticator = yes
}
modules {
  pap {
  }
  files {
    filename = ${place.folder}/users
  }
}
server lvsd {
  listen {
    type = auth
    ipv6addr = ::1
    port = ${port}
  }
  authorize {
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
  }
}
`,
    )
    await place.start(file, ['-f', '-l', 'stderr', '-d', place.folder, '-n', 'radiusd'], async () => {
      const { ok } = await probe(check, port, { secret: 'testing123' }, { timeout: 200 })
      return ok === true
    })
  })
  after(() => place?.close())

  it('accepts the user', async () => {
    const result = await probe(check, port, known, SLOW)
    assert.equal(result.ok, true, result.detail)
    assert.equal(result.detail, 'Access-Accept: welcome')
  })

  it('refuses the user', async () => {
    const result = await probe(check, port, { ...known, passwd: 'wrong' }, SLOW)
    assert.deepEqual(
      [result.reason, result.detail],
      ['status', 'Access-Reject: welcome, expected Access-Accept'],
    )
    assert.equal((await probe(check, port, { ...known, login: 'none', accept: false }, SLOW)).ok, true)
  })

  it('answers Status-Server', async () => {
    assert.equal((await probe(check, port, { secret: 'testing123' }, SLOW)).ok, true)
  })

  it('is judged by its Message-Authenticator, which it sends from 3.2.5 on', async () => {
    const result = await probe(check, port, { ...known, messageauthenticator: true }, SLOW)
    if (!result.ok) assert.match(result.detail, /^Access-Accept: welcome, without Message-Authenticator/)
  })

  it('accepts a long password', async () => {
    const result = await probe(check, port, { ...known, passwd: 'hello'.repeat(20) }, SLOW)
    assert.equal(result.reason, 'status')
  })

  it('is down if its answers are lost or cut off', () =>
    diesAnywhere(check, port, known, { transport: 'udp' }))

  it('does not answer a request with another secret', async () => {
    assert.equal(
      (await probe(check, port, { ...known, secret: 'other' }, { timeout: 300 })).reason,
      'timeout',
    )
  })
})
