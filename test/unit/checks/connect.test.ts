import assert from 'node:assert/strict'
import { once } from 'node:events'
import { check } from '../../../checks/connect.js'
import { probe } from '../../support/probe.js'
import { hangUpServer, refusedPort, silentServer, tcpServer } from '../../support/servers.js'

for (const host of ['::1', '127.0.0.1'] as const)
  describe(`connect to ${host}`, () => {
    it('is up when something listens, silent or hanging up at once', async () => {
      assert.equal((await probe(check, await silentServer(host))).ok, true)
      assert.equal((await probe(check, await hangUpServer(host))).ok, true)
    })

    it('is down when nothing listens', async () => {
      const { ok, reason } = await probe(check, { host, port: await refusedPort(host) })
      assert.deepEqual({ ok, reason }, { ok: false, reason: 'refused' })
    })

    it('ends the connection with a reset only where that is asked for', async () => {
      for (const reset of [false, true]) {
        let seen: Promise<unknown> = Promise.resolve()
        const server = await tcpServer(socket => {
          seen = Promise.race([
            once(socket, 'end').then(() => 'end'),
            new Promise(resolve =>
              socket.once('error', error => resolve((error as NodeJS.ErrnoException).code)),
            ),
          ])
          socket.resume()
        }, host)
        assert.equal((await probe(check, server, { reset })).ok, true)
        while (server.count() === 0) await new Promise(setImmediate)
        assert.equal(await seen, reset ? 'ECONNRESET' : 'end')
      }
    })
  })
