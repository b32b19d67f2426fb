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
import { runCheck } from '../../../src/check/run-code.js'
import { LocalPorts } from '../../../src/probe/engine/local-ports.js'
import { openOneShot } from '../../../src/schedule/executors.js'
import { socketAddress } from '../../../src/system/sockets.js'
import { Pool } from '../../../src/workers/pool.js'
import { FUZZED, type Talk } from '../../fuzz/kinds.js'
import { answersOf, WELL } from '../../fuzz/server.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { targetOf } from '../../support/probe.js'
import { certificate } from '../../support/servers.js'
import { address } from '../../support/tables.js'

/** All of 127.0.0.0/8 is this machine; to a server at 127.0.0.1 the kernel itself would send from 127.0.0.1. */
const [SERVER, SOURCE] = ['127.0.0.1', '127.0.0.7']

/** A server that records who asks. */
async function recorder(talk: Talk): Promise<{ port: number; peers: string[]; ports: number[] }> {
  const peers: string[] = []
  const ports: number[] = []
  if (talk.transport === 'udp') {
    const socket = createSocket('udp4').bind(0, SERVER)
    onCleanup(() => socket.close())
    const answerTo = answersOf(talk, WELL)
    let number = 0
    socket.on('message', (asked, peer) => {
      peers.push(peer.address)
      ports.push(peer.port)
      const answer = answerTo(number++, asked)
      if (answer) socket.send(answer, peer.port, peer.address)
    })
    await once(socket, 'listening')
    return { port: socket.address().port, peers, ports }
  }
  const serve = (socket: Socket) => {
    peers.push(socket.remoteAddress ?? '')
    ports.push(socket.remotePort ?? 0)
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
  return { port: (server.address() as AddressInfo).port, peers, ports }
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

/** These go nowhere, or elsewhere too, or are always data. */
const WITHOUT_PATH = [...WITHOUT, 'connect', 'simpletcp', 'udp']
/** These are also asked in a worker, which takes half a second to load a kind. */
const APART = ['https', 'radius']

describe('the sockets of a check through the path of a service', () => {
  const pool = new Pool(recordingLog().log)
  after(() => pool.close())
  const turn = new LocalPorts()

  for (const { name, kind, options, talk, isNeverUp } of FUZZED) {
    if (WITHOUT_PATH.includes(kind)) continue
    it(`are those that the core gives: ${name}`, async () => {
      const { port, peers, ports } = await recorder(talk)
      const job = await work(kind, options, port, APART.includes(kind))
      // A redirect is followed, or a file fetched: elsewhere than to the service.
      if (job.check.takesPath?.(job.options) !== true) {
        assert.ok(['http', 'https', 'http_proxy', 'ftp'].includes(kind))
        return
      }
      const given = turn.free('ipv4', socketAddress(address(SOURCE), 0), 2)
      const marked = { mark: 0, path: 'a path', ports: [...given] }
      const target = { ...job.target, source: job.source, marked }
      const timeout = isNeverUp ? 300 : 10_000
      const { ok, detail } = APART.includes(kind)
        ? await pool.once({ ...job, marked }, timeout)
        : await runCheck({ ...job, target }, timeout)
      if (!isNeverUp) assert.equal(ok, true, detail)
      assert.deepEqual([ports[0], new Set(peers)], [given[0], new Set([SOURCE])])
      assert.ok(ports.every(one => given.includes(one)))
    })
  }

  it('are tried for every kind that can take one', async () => {
    const kinds = readdirSync(new URL('../../../checks', import.meta.url)).filter(file =>
      file.endsWith('.ts'),
    )
    for (const kind of kinds.map(file => file.slice(0, -3))) {
      const { check } = (await import(`../../../checks/${kind}.js`)) as { check: Check }
      const isTried = ALIKE.includes(kind) || FUZZED.some(one => one.kind === kind)
      assert.equal(check.takesPath !== undefined, isTried && !WITHOUT_PATH.includes(kind), kind)
    }
  })

  it('take the next port where the first is in use, and leave it to the kernel without one', async () => {
    const talk = FUZZED.find(({ kind }) => kind === 'smtp')?.talk ?? assert.fail()
    const { port, ports } = await recorder(talk)
    const job = await work('smtp', {}, port, false)
    const [used = 0, free = 0] = turn.free('ipv4', socketAddress(address(SOURCE), 0), 2)
    const holder = createServer().listen(used, SOURCE)
    onCleanup(() => holder.close())
    await once(holder, 'listening')
    for (const given of [[used, free], [used]]) {
      const target = {
        ...job.target,
        source: address(SOURCE),
        marked: { mark: 0, path: 'a path', ports: given },
      }
      const { ok, detail } = await runCheck({ ...job, target }, 10_000)
      assert.equal(ok, true, detail)
    }
    assert.equal(ports[0], free)
    assert.ok(![0, used].includes(ports[1] ?? 0))
  })
})

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
