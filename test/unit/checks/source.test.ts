/** Every kind of check that connects binds its sockets to the source that it is given. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Check } from '../../../src/check/check.js'
import { optionKit } from '../../../src/check/option-kit.js'
import { z } from '../../../src/check/option-types.js'
import { openOneShot } from '../../../src/schedule/executors.js'
import { FUZZED, type Talk } from '../../fuzz/kinds.js'
import { answersOf, WELL } from '../../fuzz/server.js'
import { onCleanup } from '../../support/after-each.js'
import { targetOf } from '../../support/probe.js'
import { certificate } from '../../support/servers.js'
import { address } from '../../support/tables.js'

/** All of 127.0.0.0/8 is this machine; to a server at 127.0.0.1 the kernel itself would send from 127.0.0.1. */
const [SERVER, SOURCE] = ['127.0.0.1', '127.0.0.7']

/** A server that records who asks. */
async function recorder(talk: Talk): Promise<{ port: number; peers: string[] }> {
  const peers: string[] = []
  if (talk.transport === 'udp') {
    const socket = createSocket('udp4').bind(0, SERVER)
    onCleanup(() => socket.close())
    const answerTo = answersOf(talk, WELL)
    let number = 0
    socket.on('message', (asked, peer) => {
      peers.push(peer.address)
      const answer = answerTo(number++, asked)
      if (answer) socket.send(answer, peer.port, peer.address)
    })
    await once(socket, 'listening')
    return { port: socket.address().port, peers }
  }
  const serve = (socket: Socket) => {
    peers.push(socket.remoteAddress ?? '')
    socket.on('error', () => {})
    const answerTo = answersOf(talk, WELL)
    let number = 0
    const say = (asked: Buffer) => {
      const answer = answerTo(number++, asked)
      if (answer) socket.write(answer)
    }
    if (talk.greets) say(Buffer.alloc(0))
    socket.on('data', say)
  }
  const tls = { ...certificate, ALPNProtocols: [...(talk.alpn ?? ['http/1.1'])] }
  const server = talk.transport === 'tls' ? createTlsServer(tls, serve) : createServer(serve)
  server.listen(0, SERVER)
  onCleanup(() => server.close())
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, peers }
}

async function work(kind: string, options: object, port: number, isApart: boolean) {
  const { check } = (await import(`../../../checks/${kind}.js`)) as { check: Check }
  const module = new URL(`../../../checks/${kind}.ts`, import.meta.url).href
  return {
    check: isApart ? { ...check, module, origin: 'shipped' as const } : check,
    target: targetOf({ host: SERVER, port }),
    options: z.strictObject(check.options(optionKit)).parse(options),
    source: address(SOURCE),
  }
}

const CONNECT = {
  name: 'connect',
  kind: 'connect',
  options: {},
  talk: { transport: 'tcp', answers: [] },
} as const
/** These need no connection, run a command, or have a driver that cannot bind (checks/README.md). */
const WITHOUT = ['external', 'external-perl', 'none', 'off', 'on', 'oracle', 'ping']
/** These are the same code as another kind. */
const ALIKE = ['imaps', 'ldaps', 'pops', 'submission']

describe('the source of a check', () => {
  const executor = openOneShot()
  after(() => executor.close())

  for (const { name, kind, options, talk, isNeverUp, isApart = false } of [
    CONNECT,
    ...FUZZED,
  ] as typeof FUZZED)
    it(`is what is given: ${name}`, async () => {
      const { port, peers } = await recorder(talk)
      const { ok, detail } = await executor.run(
        await work(kind, options, port, isApart),
        isNeverUp ? 300 : 10_000,
      )
      if (!isNeverUp) assert.equal(ok, true, detail)
      assert.ok(peers.length > 0)
      assert.deepEqual(new Set(peers), new Set([SOURCE]))
    })

  it('is tried for every kind', () => {
    const kinds = readdirSync(new URL('../../../checks', import.meta.url)).flatMap(file =>
      file.endsWith('.ts') ? file.slice(0, -3) : [],
    )
    const tried = new Set(['connect', ...WITHOUT, ...ALIKE, ...FUZZED.map(({ kind }) => kind)])
    assert.deepEqual(
      kinds.filter(kind => !tried.has(kind)),
      [],
    )
  })

  it('gives no verdict where it is not an address of this machine', async () => {
    for (const kind of ['connect', 'udp', 'ping']) {
      const job = await work(kind, {}, 9, false)
      const target = targetOf({ host: '192.0.2.1', port: 9 })
      const { ok, detail } = await executor.run({ ...job, target, source: address('192.0.2.99') }, 2000)
      assert.equal(ok, null, `${kind}: ${detail}`)
      assert.match(detail, /the source address of the check is not an address of this machine/, kind)
    }
  })
})
