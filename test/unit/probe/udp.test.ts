import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { ProbeSpec } from '../../../src/check/probe-spec.js'
import { onCleanup } from '../../support/after-each.js'
import { closeNative, ENGINES, type RunProbe } from '../../support/native-probe.js'
import { type Loopback, refusedUdpPort, udpServer } from '../../support/servers.js'
import { address } from '../../support/tables.js'

type UdpProbe = Extract<ProbeSpec, { kind: 'udp' }>

const PONG = { kind: 'match', match: { kind: 'text', text: 'pong' }, limit: 1000 } as const

function runOn(runProbe: RunProbe, host: Loopback, port: number, over: Partial<UdpProbe>, timeout: number) {
  const to = address(host)
  const probe: ProbeSpec = {
    kind: 'udp',
    address: to,
    port,
    send: Buffer.from('ping'),
    judge: PONG,
    patience: 50,
    ...over,
  }
  return runProbe(probe, timeout)
}

for (const { engine, run: runProbe } of ENGINES) {
  const run = (host: Loopback, port: number, over: Partial<UdpProbe> = {}, timeout = 500) =>
    runOn(runProbe, host, port, over, timeout)

  for (const host of ['::1', '127.0.0.1'] as const)
    describe(`a probe over UDP ${engine}, ${host}`, () => {
      after(closeNative)

      it('is up on the expected answer', async () => {
        const { port } = await udpServer((message, reply) => reply(`${message} pong`), host)
        const { ok, detail } = await run(host, port)
        assert.equal(ok, true)
        assert.equal(detail, 'found "pong" in 9 bytes')
      })

      it('is down on another answer', async () => {
        const { port } = await udpServer((_, reply) => reply('nothing of the kind'), host)
        assert.equal((await run(host, port)).reason, 'unexpected')
      })

      it('is down when an expected answer does not come', async () => {
        const { port } = await udpServer(() => {}, host)
        const { reason, phase } = await run(host, port, {}, 60)
        assert.deepEqual([reason, phase], ['timeout', 'first byte'])
      })

      it('is down when the port is closed, whether an answer is expected or not', async () => {
        const port = await refusedUdpPort(host)
        assert.equal((await run(host, port)).reason, 'refused')
        assert.equal((await run(host, port, { judge: null })).reason, 'refused')
      })

      it('calls silence no proof of life where no answer is expected, and does not wait for the deadline', async () => {
        const { port } = await udpServer(() => {}, host)
        const { ok, detail, ms } = await run(host, port, { judge: null }, 5000)
        assert.equal(ok, true)
        assert.match(detail, /to prove that the server works/)
        assert.ok(ms < 2000)
      })

      it('takes an answer that nobody expected', async () => {
        const { port } = await udpServer((_, reply) => reply('hi'), host)
        assert.equal((await run(host, port, { judge: null })).detail, 'answered 2 bytes')
      })

      it('sends an empty datagram too', async () => {
        const { port } = await udpServer((message, reply) => reply(`${message.length} pong`), host)
        assert.equal((await run(host, port, { send: new Uint8Array() })).ok, true)
      })
    })

  describe(`udp: a probe over UDP ${engine} to another machine`, () => {
    after(closeNative)

    it('comes from an address of its own, not from the one it goes to', async () => {
      const server = createSocket('udp4').bind(0, '127.0.0.2')
      onCleanup(() => new Promise<void>(closed => server.close(closed)))
      await once(server, 'listening')
      const senders: string[] = []
      server.on('message', (_, from) => {
        senders.push(from.address)
        server.send('pong', from.port, from.address)
      })
      const to = address('127.0.0.2')
      const { port } = server.address()
      const { ok } = await run('127.0.0.1', port, { address: to })
      assert.equal(ok, true)
      assert.deepEqual(senders, ['127.0.0.1'])
    })
  })
}
