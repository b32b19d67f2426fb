import assert from 'node:assert/strict'
import { decode, encode } from 'dns-packet'
import { check } from '../../../checks/udp.js'
import { isBounded } from '../../../src/probe/bounded.js'
import { parseOptions, problemOf } from '../../support/checks/options.js'
import { probe, targetOf } from '../../support/probe.js'
import { refusedUdpPort, udpServer } from '../../support/servers.js'

for (const host of ['::1', '127.0.0.1'] as const)
  describe(`udp to ${host}`, () => {
    const echo = () => udpServer((message, reply) => reply(message), host)
    const silent = () => udpServer(() => {}, host)

    it('is up when the answer matches, for a request in text or bytes', async () => {
      const server = await echo()
      assert.equal((await probe(check, server, { request: 'ping\\n', receive: '^ping\n$' })).ok, true)
      assert.equal((await probe(check, server, { hex: '68 65 79', text: 'hey' })).ok, true)
      assert.equal((await probe(check, server, { request: 'x', reply: true })).ok, true)
    })

    it('is down when the answer does not match', async () => {
      const { ok, reason } = await probe(check, await echo(), { request: 'ping', receive: 'pong' })
      assert.deepEqual({ ok, reason }, { ok: false, reason: 'unexpected' })
    })

    it('is down when the port is unreachable, with or without an expected answer', async () => {
      const port = await refusedUdpPort(host)
      for (const options of [{ request: 'x' }, { request: 'x', reply: true }]) {
        const { ok, reason } = await probe(check, { host, port }, options)
        assert.deepEqual({ ok, reason }, { ok: false, reason: 'refused' })
      }
    })

    it('is down without an answer if one is expected', async () => {
      for (const options of [{ reply: true }, { receive: 'x' }, { text: 'x' }]) {
        const { ok, reason } = await probe(check, await silent(), options, { timeout: 100 })
        assert.deepEqual({ ok, reason }, { ok: false, reason: 'timeout' })
      }
    })

    it('is up without an answer if none is expected, and reports that this proves nothing', async () => {
      const { ok, detail } = await probe(check, await silent(), { request: 'x', patience: '50ms' })
      assert.equal(ok, true)
      assert.match(detail, /proof|prove/)
    })
  })

describe('udp as a query to a name server, which is data', () => {
  /** `www.example.com` A, recursion desired. */
  const query = {
    hex: '2a 2b 01 00 00 01 00 00 00 00 00 00 03 777777 07 6578616d706c65 03 636f6d 00 0001 0001',
    // The same id, an answer without an error, and a record with the address.
    receive: String.raw`(?s)^\x2a\x2b[\x80-\xff][\x00\x80]\x00\x01.*\x00\x04\xc0\x00\x02\x01`,
  }
  const server = (host: '::1' | '127.0.0.1', data: string, rcode: number) =>
    udpServer((asked, reply) => {
      const { id, questions } = decode(asked)
      const answers = rcode === 0 ? [{ type: 'A', name: 'www.example.com', ttl: 60, data } as const] : []
      reply(encode({ id, questions, answers, type: 'response', flags: 0x180 | rcode }))
    }, host)

  for (const host of ['::1', '127.0.0.1'] as const)
    it(`tells the address that is wanted, another one and an error apart, at ${host}`, async () => {
      const said = []
      for (const [data, rcode] of [
        ['192.0.2.1', 0],
        ['192.0.2.9', 0],
        ['', 3],
      ] as const)
        said.push((await probe(check, await server(host, data, rcode), query)).reason)
      assert.deepEqual(said, [null, 'unexpected', 'unexpected'])
    })

  it('runs in the core, where no answer may take long', () => {
    const data = check.probe?.(targetOf(53), parseOptions(check, query))
    assert.ok(data && isBounded(data))
  })
})

describe('udp', () => {
  it('refuses a request that it cannot send', () => {
    assert.match(problemOf(check, { request: 'a', hex: '61' }) ?? '', /not both/)
    assert.match(problemOf(check, { hex: '6' }) ?? '', /pairs/)
  })
})
