import assert from 'node:assert/strict'
import { check } from '../../../checks/sip.js'
import { problemOf } from '../../support/checks/options.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import {
  drippingServer,
  endlessServer,
  hangUpServer,
  type Loopback,
  refusedPort,
  refusedUdpPort,
  resetServer,
  saying,
  silentServer,
  tcpServer,
  udpServer,
} from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

/** The answer that belongs to a question. */
function replyTo(question: string, status = '200 OK'): string {
  const copied = question.split('\r\n').filter(line => /^(Via|From|To|Call-ID|CSeq):/.test(line))
  return [`SIP/2.0 ${status}`, ...copied, 'Content-Length: 0', '', ''].join('\r\n')
}

function sipServer(host: Loopback, transport: string, answer: (question: string) => string | null) {
  if (transport === 'udp')
    return udpServer((message, reply) => {
      const said = answer(String(message))
      if (said !== null) reply(said)
    }, host)
  return tcpServer(socket => {
    socket.on('data', chunk => {
      const said = answer(String(chunk))
      if (said !== null) socket.write(said)
    })
  }, host)
}

for (const host of ['::1', '127.0.0.1'] as const)
  for (const transport of ['udp', 'tcp'] as const)
    describe(`sip over ${transport} to ${host}`, () => {
      const inUri = host === '::1' ? '[::1]' : host

      it('asks as the protocol wants it, each time anew', async () => {
        const heard: string[] = []
        const server = await sipServer(host, transport, question => {
          heard.push(question)
          return replyTo(question)
        })
        const { ok, detail } = await probe(check, server, { transport })
        assert.deepEqual({ ok, detail }, { ok: true, detail: 'SIP/2.0 200 OK' })
        await probe(check, server, { transport, login: 'ldirectord@lvs.example.com' })
        const [first = '', second = ''] = heard
        const uri = `sip:${inUri}:${server.port}${transport === 'tcp' ? ';transport=tcp' : ''}`
        assert.ok(first.startsWith(`OPTIONS ${uri} SIP/2.0\r\n`), first)
        assert.ok(first.includes(`\r\nTo: <${uri}>\r\n`), first)
        const via = /\r\nVia: SIP\/2\.0\/(UDP|TCP) (\S+):\d+;branch=z9hG4bK\w+;rport\r\n/.exec(first)
        assert.deepEqual(via?.slice(1), [transport.toUpperCase(), inUri])
        assert.ok(second.startsWith('OPTIONS sip:ldirectord@lvs.example.com SIP/2.0\r\n'), second)
        const [one, other] = heard.map(question => /\r\nCall-ID: (\w+)/.exec(question)?.[1])
        assert.notEqual(one, other)
      })

      it('waits for the final answer, and for one to its own question', async () => {
        const server = await sipServer(host, transport, question => {
          if (transport === 'udp') return replyTo(question)
          const foreign = replyTo(question.replace(/Call-ID: \w/, 'Call-ID: x'), '500 Not yours')
          return replyTo(question, '100 Trying') + foreign + replyTo(question)
        })
        const { ok, detail } = await probe(check, server, { transport })
        assert.equal(ok, true, detail)
      })

      it('is down when the answer is another one, unless that is wanted', async () => {
        const server = await sipServer(host, transport, question => replyTo(question, '404 Not here'))
        const { reason, detail } = await probe(check, server, { transport })
        assert.equal(reason, 'status')
        assert.equal(detail, '"SIP/2.0 404 Not here" in answer to OPTIONS, expected 200')
        assert.equal((await probe(check, server, { transport, status: '200, 404' })).ok, true)
      })

      it('is down when the answer is not SIP, or none', async () => {
        const odd = await probe(check, await sipServer(host, transport, () => 'HTTP/1.1 200 OK\r\n\r\n'), {
          transport,
        })
        assert.equal(odd.reason, 'garbage')
        const silent = await probe(
          check,
          await sipServer(host, transport, () => null),
          { transport },
          { timeout: 120 },
        )
        assert.equal(silent.reason, 'timeout')
        const port = transport === 'udp' ? await refusedUdpPort(host) : await refusedPort(host)
        assert.equal((await probe(check, { host, port }, { transport })).reason, 'refused')
      })
    })

describe('sip', () => {
  const faults: [phrase: string, reason: string, server: () => Promise<{ host: string; port: number }>][] = [
    ['hangs up at once', 'closed', () => hangUpServer()],
    ['resets the connection', 'reset', () => resetServer()],
    ['dies in its first line', 'truncated', () => saying('SIP/2.0 20')],
    ['dies in its headers', 'closed', () => saying('SIP/2.0 200 OK\r\nVia: x\r\n')],
    ['stays silent', 'timeout', () => silentServer()],
    ['drips', 'timeout', () => drippingServer('SIP/2.0 200 OK\r\n\r\n', 20)],
    ['never stops', 'too-big', () => endlessServer('SIP/2.0 200 OK\r\n', 'X-More: and more\r\n')],
  ]
  for (const [phrase, reason, server] of faults)
    it(`is down when a server over TCP ${phrase}`, async () => {
      const timeout = reason === 'timeout' ? 120 : 3000
      const result = await probe(check, await server(), { transport: 'tcp' }, { timeout })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
    })

  it('asks again over UDP where the first question gets lost', async () => {
    const seen = new Set<string>()
    const server = await udpServer((message, reply) => {
      const question = String(message)
      if (seen.has(question)) reply(replyTo(question))
      seen.add(question)
    })
    const { ok, ms } = await probe(check, server, {}, { timeout: 3000 })
    assert.ok(ok && ms >= 450, `${ms} ms`)
    assert.deepEqual([seen.size, server.count()], [1, 2])
  })

  it('refuses a login that is no address of record', () => {
    assert.match(problemOf(check, { login: 'a b' }) ?? '', /user@host/)
    assert.match(problemOf(check, { login: 'a@b>\r\nX: y' }) ?? '', /user@host/)
    assert.equal(problemOf(check, { login: 'ldirectord@lvs' }), null)
    assert.match(problemOf(check, { transport: 'tcp', verify: true }) ?? '', /verify needs transport: tls/)
  })
})

describe('sip: Kamailio', function () {
  this.timeout(60_000)

  it('is checked by its answer to OPTIONS over UDP, TCP and TLS, and down if the connection ends at any point', async function () {
    const file = programOr(() => this.skip(), 'kamailio', 'kamailio')
    const [plain, secure] = [await freePort(), await freePort()]
    const folder = folderOf({})
    const configuration = folderOf({
      'kamailio.cfg': [
        '#!KAMAILIO',
        'debug=0',
        'log_stderror=yes',
        'children=1',
        'tcp_children=1',
        'disable_core_dump=yes',
        'auto_aliases=no',
        `listen=udp:[::1]:${plain}`,
        `listen=tcp:[::1]:${plain}`,
        'enable_tls=yes',
        `listen=tls:[::1]:${secure}`,
        'loadmodule "tls.so"',
        'modparam("tls", "tls_method", "TLSv1.2+")',
        `modparam("tls", "certificate", "${tlsFile('server.crt')}")`,
        `modparam("tls", "private_key", "${tlsFile('key.pem')}")`,
        'loadmodule "sl.so"',
        'loadmodule "pv.so"',
        'loadmodule "textops.so"',
        'request_route {',
        '  if (is_method("OPTIONS") && $rU != "stranger") { sl_send_reply("200", "OK"); exit; }',
        '  sl_send_reply("404", "Not here");',
        '}',
        '',
      ].join('\n'),
    })
    const argv = ['-f', `${configuration}/kamailio.cfg`, '-DD', '-E', '-Y', folder, '-P', `${folder}/pid`]
    await start(file, argv, [plain, secure], 'SIGTERM')
    for (const [transport, port] of [
      ['udp', plain],
      ['tcp', plain],
      ['tls', secure],
    ] as const) {
      const known = await probe(check, port, { transport }, { timeout: 10_000 })
      assert.equal(known.ok, true, known.detail)
      const user = await probe(check, port, { transport, login: 'ldirectord@lvs' }, { timeout: 10_000 })
      assert.equal(user.ok, true, user.detail)
      const unknown = await probe(check, port, { transport, login: 'stranger@lvs' }, { timeout: 10_000 })
      assert.equal(unknown.reason, 'status', unknown.detail)
      assert.match(unknown.detail, /404 Not here/)
    }
    const tls = { transport: 'tls', verify: true }
    assert.equal(
      (await probe(check, secure, { ...tls, ca: tlsFile('ca.crt') }, { timeout: 10_000 })).ok,
      true,
    )
    assert.equal((await probe(check, secure, tls, { timeout: 10_000 })).reason, 'tls')
    await diesAnywhere(check, plain, { transport: 'tcp' })
    await diesAnywhere(check, plain, { transport: 'udp' }, { transport: 'udp' })
    await diesAnywhere(check, secure, { transport: 'tls' }, { spare: 40 })
  })
})
