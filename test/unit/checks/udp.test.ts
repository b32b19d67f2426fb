import assert from 'node:assert/strict'
import { check } from '../../../checks/udp.js'
import { problemOf } from '../../support/checks/options.js'
import { probe } from '../../support/probe.js'
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

describe('udp', () => {
  it('refuses a request that it cannot send', () => {
    assert.match(problemOf(check, { request: 'a', hex: '61' }) ?? '', /not both/)
    assert.match(problemOf(check, { hex: '6' }) ?? '', /pairs/)
  })
})
