/** Checks that are code through the path of a service, without a mark, which needs a capability. */
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { check as http } from '../../../checks/http.js'
import { check as https } from '../../../checks/https.js'
import { optionKit } from '../../../src/check/option-kit.js'
import { z } from '../../../src/check/option-types.js'
import type { CheckWork, PathUse } from '../../../src/check/run-code.js'
import type { Address } from '../../../src/core/address.js'
import type { CheckResult } from '../../../src/core/model.js'
import { localPortsTo } from '../../../src/probe/engine/local-ports.js'
import type { CheckSources } from '../../../src/schedule/check-sources.js'
import { type EngineChoice, openExecutors } from '../../../src/schedule/executors.js'
import { socketAddress } from '../../../src/system/sockets.js'
import { targetOf } from '../../support/probe.js'
import { httpServer, refusedPort, tlsServer } from '../../support/servers.js'
import { address } from '../../support/tables.js'

const OWN = address('::1')
const PATH: PathUse = { key: 'a path', via: address('fd00:1::a'), how: 'gate to [fd00:1::a]:443', mark: 0 }
const PAGE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK'

function work(check: unknown, port: number, more: object = {}, given: object = {}): CheckWork {
  const kind = check as CheckWork['check']
  const options = z.strictObject(kind.options(optionKit)).parse(given)
  return { check: kind, target: targetOf(port), options, path: PATH, ...more }
}

/** A server over TLS, and the local port of each connection to it. */
async function server() {
  const ports: number[] = []
  const { port } = await tlsServer(socket => {
    ports.push(socket.remotePort ?? 0)
    socket.on('error', () => {})
    socket.once('data', () => socket.end(PAGE))
  })
  return { port, ports }
}

/** Runs jobs until `count` results have come. */
async function resultsOf(
  jobs: Readonly<Record<string, CheckWork>>,
  count: number,
  source: Address | null,
  engine: EngineChoice = 'portable',
) {
  const results: [string, CheckResult][] = []
  let enough = () => {}
  const got = new Promise<void>(resolve => {
    enough = resolve
  })
  const sources = {
    towards: () => source,
    choices: () => [],
    passOn: () => {},
    close: () => {},
  } as unknown as CheckSources
  const executors = openExecutors(
    (id, result) => {
      results.push([id, result])
      if (results.length === count) enough()
    },
    10,
    { sources, engine },
  )
  for (const [id, job] of Object.entries(jobs))
    executors.set(id, job, { interval: 100, timeout: 10_000, firstIn: 0 })
  await got.finally(() => executors.close())
  return results
}

describe('marked-code: a check that is code, through the path of a service', () => {
  it('takes its local ports in the turn of the virtual address, each time others', async () => {
    const { port, ports } = await server()
    const turn = localPortsTo(socketAddress(OWN, port))
    const take = () => turn.free('ipv6', socketAddress(OWN, 0), 1)[0] ?? assert.fail()
    const before = take()
    const results = await resultsOf({ one: work(https, port), another: work(https, port) }, 8, OWN)
    const after = take()
    for (const [id, { ok, detail }] of results) assert.equal(ok, true, `${id}: ${detail}`)
    assert.equal(new Set(ports).size, ports.length)
    // The turn begins anew at the end of the range.
    if (after > before)
      assert.ok(
        ports.every(one => one > before && one < after),
        `${before} ${ports} ${after}`,
      )
  })

  it('says the way of a failure, and has no verdict without a source of its own', async () => {
    const port = await refusedPort()
    const [[, failed] = assert.fail()] = await resultsOf({ https: work(https, port) }, 1, OWN)
    assert.deepEqual([failed.ok, failed.reason], [false, 'refused'])
    assert.match(
      failed.detail,
      /^through the path of the service \(gate to \[fd00:1::a\]:443\): connection refused/,
    )
    const [[, unbound] = assert.fail()] = await resultsOf({ https: work(https, port) }, 1, null)
    assert.equal(unbound.ok, null)
  })

  it('has connects between its runs that take the path too', async () => {
    const { port, ports } = await server()
    const results = await resultsOf({ https: work(https, port, { connects: 2 }) }, 6, OWN)
    assert.deepEqual(
      results.map(([, { ok, phase }]) => [ok, phase === 'connect' ? 'connect' : 'page']),
      ['page', 'connect', 'connect', 'page', 'connect', 'connect'].map(what => [true, what]),
    )
    // A connect ends before the handshake.
    assert.equal(ports.length, 2)
  })

  for (const engine of ['portable', 'native'] as const)
    it(`goes on in code where a probe of ${engine} cannot read the answer`, async () => {
      const ports: number[] = []
      const { port } = await httpServer((request, response) => {
        ports.push(request.socket.remotePort ?? 0)
        response.setHeader('content-encoding', 'gzip').end(gzipSync('a page'))
      })
      const job = work(http, port, {}, { text: 'a page' })
      const [[, { ok, detail }] = assert.fail()] = await resultsOf({ http: job }, 1, OWN, engine)
      assert.equal(ok, true, detail)
      assert.equal(ports.length, 2)
    })

  it('has no verdict without a mark, and is not sent', async () => {
    const { port, ports } = await server()
    const { mark: _, ...unmarked } = PATH
    const [[, { ok, detail }] = assert.fail()] = await resultsOf(
      { https: work(https, port, { path: unmarked }) },
      1,
      OWN,
    )
    assert.equal(ok, null)
    assert.match(detail, /^only the running lvsd can ask through the path/)
    assert.deepEqual(ports, [])
  })
})
