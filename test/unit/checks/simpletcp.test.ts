import assert from 'node:assert/strict'
import { check } from '../../../checks/simpletcp.js'
import { problemOf } from '../../support/checks/options.js'
import { probe } from '../../support/probe.js'
import {
  drippingServer,
  endlessServer,
  garbageServer,
  hangUpServer,
  type Loopback,
  refusedPort,
  resetServer,
  saying,
  silentServer,
  tcpServer,
} from '../../support/servers.js'

function banner(text: string, host: Loopback) {
  return tcpServer(socket => socket.end(text), host)
}

for (const host of ['::1', '127.0.0.1'] as const)
  describe(`simpletcp to ${host}`, () => {
    it('sends the request with its escapes and is up when the answer matches', async () => {
      let heard = ''
      const server = await tcpServer(socket => {
        socket.on('data', chunk => {
          heard += chunk
        })
        socket.on('end', () => socket.end('+PONG\r\n'))
      }, host)
      const { ok } = await probe(check, server, { request: 'PING\\r\\n', receive: '^.PONG' })
      assert.equal(ok, true)
      assert.equal(heard, 'PING\r\n')
    })

    it('reads a banner without sending anything', async () => {
      const server = await banner('220 mail\r\n250 second line\r\n', host)
      assert.equal((await probe(check, server, { receive: '^220 ' })).ok, true)
      assert.equal((await probe(check, server, { receive: '^250 ' })).ok, true)
      assert.equal((await probe(check, server, { text: '220 mail' })).ok, true)
      assert.equal((await probe(check, server)).ok, true)
    })

    it('keeps the sending side open where halfclose is off', async () => {
      const server = await tcpServer(socket => {
        socket.once('end', () => socket.destroy())
        socket.once('data', () => setTimeout(() => socket.end('still here'), 30))
      }, host)
      const { ok } = await probe(check, server, { request: 'x', receive: 'still here', halfclose: false })
      assert.equal(ok, true)
    })

    const faults: [string, string, () => Promise<{ host: string; port: number }>][] = [
      ['says something else', 'unexpected', () => saying('-ERR', host)],
      ['sends garbage', 'unexpected', () => garbageServer(host)],
      ['never stops', 'unexpected', () => endlessServer('', 'more ', host)],
      ['stays silent', 'timeout', () => silentServer(host)],
      ['drips', 'timeout', () => drippingServer('a slow answer that ends in OK', 20, host)],
      ['hangs up at once', 'closed', () => hangUpServer(host)],
      ['resets the connection', 'reset', () => resetServer(host)],
      ['is not there', 'refused', async () => ({ host, port: await refusedPort(host) })],
    ]
    for (const [phrase, reason, server] of faults)
      it(`is down when the server ${phrase}`, async () => {
        const result = await probe(
          check,
          await server(),
          { request: 'x', receive: 'OK' },
          { timeout: reason === 'timeout' ? 120 : 3000 },
        )
        assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
        assert.ok(result.ms < 3500)
      })
  })

describe('simpletcp', () => {
  it('takes receive or text, not both', () => {
    assert.match(problemOf(check, { receive: 'a', text: 'b' }) ?? '', /not both/)
  })
})
