/** A server that stops answering: each kind of check over TCP that fails then times out in the phase that it has reached, and blames no other. */
import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import type { CheckResult } from '../../../src/core/model.js'
import { openOneShot } from '../../../src/schedule/executors.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { probe } from '../../support/probe.js'
import { silentServer, tlsServer } from '../../support/servers.js'

/** Milliseconds of a run. */
const LIMIT = 1000

type Silent = readonly [kind: string, phases: string, options?: Readonly<Record<string, unknown>>]

const SQL = { login: 'u', passwd: 'p', database: 'd', request: 'SELECT 1' }

/** Each against a server that accepts, reads and sends nothing. */
const ACCEPTED: readonly Silent[] = [
  ['dialogue', 'connect, first byte', { steps: ['line ^220'] }],
  ['dns', 'connect, first byte', { request: 'www.example.com', transport: 'tcp' }],
  ['ftp', 'connect, first byte', { login: 'u', passwd: 'p' }],
  ['grpc', 'connect, first byte'],
  ['http', 'connect, first byte'],
  ['http', 'connect, first byte', { redirects: 3 }],
  ['http_proxy', 'connect, first byte', { request: 'http://x.example/' }],
  ['https', 'connect, handshake'],
  ['https', 'connect, handshake', { http2: true }],
  ['imap', 'connect, first byte', { login: 'u', passwd: 'p' }],
  ['imaps', 'connect, handshake', { login: 'u', passwd: 'p' }],
  ['ldap', 'connect, first byte'],
  ['ldaps', 'connect, handshake'],
  ['mysql', 'connect, first byte', SQL],
  ['nntp', 'connect, first byte'],
  ['pgsql', 'connect, first byte', SQL],
  ['pop', 'connect, first byte', { login: 'u', passwd: 'p' }],
  ['pops', 'connect, handshake', { login: 'u', passwd: 'p' }],
  ['redis', 'connect, first byte'],
  ['simpletcp', 'connect, first byte', { request: 'x', receive: 'y' }],
  ['sip', 'connect, first byte', { login: 'u', transport: 'tcp' }],
  ['smtp', 'connect, first byte'],
  ['submission', 'connect, first byte', { login: 'u', passwd: 'p' }],
  ['tls', 'connect, handshake'],
]

/** Each against a server that is silent after the handshake. */
const SHAKEN: readonly Silent[] = [
  ['https', 'connect, handshake, send, first byte'],
  ['imaps', 'connect, handshake, first byte', { login: 'u', passwd: 'p' }],
  ['ldaps', 'connect, handshake, first byte'],
  ['pops', 'connect, handshake, first byte', { login: 'u', passwd: 'p' }],
]

async function shipped(kind: string): Promise<Check> {
  const module = new URL(`checks/${kind}.ts`, `file://${packageRoot}/`).href
  const { check } = (await import(module)) as { check: Check }
  return { ...check, module, origin: 'shipped' }
}

/** All that is before the last phase is short, and the last one is that of the reason. */
function blames(result: CheckResult, phases: string): void {
  assert.equal(result.reason, 'timeout', result.detail)
  assert.equal(result.phases.map(({ phase }) => phase).join(', '), phases)
  assert.equal(result.phases.at(-1)?.phase, result.phase)
  assert.ok(result.detail.includes(`${LIMIT} ms`))
  const [last = 0, before = 0] = result.phases.map(({ ms }) => ms).reverse()
  assert.ok(before < LIMIT / 2, `the phases before end at ${before} ms`)
  assert.ok(last > LIMIT / 2 && last <= result.ms, `the last one ends at ${last} ms, the run at ${result.ms}`)
}

describe('a silent server: phases of a timeout', function () {
  this.timeout(60_000)

  it('are those of a connection that has come', async () => {
    await allBlame(ACCEPTED, (await silentServer()).port)
  })

  it('are those of a handshake that has succeeded', async () => {
    await allBlame(SHAKEN, (await tlsServer(socket => socket.resume())).port)
  })
})

async function allBlame(kinds: readonly Silent[], port: number): Promise<void> {
  const executor = openOneShot()
  onCleanup(() => executor.close())
  const problems: string[] = []
  const run = async ([kind, phases, options]: Silent) => {
    const result = await probe(await shipped(kind), port, options, { timeout: LIMIT, executor })
    try {
      blames(result, phases)
    } catch (error) {
      problems.push(`${kind}: ${(error as Error).message} ${JSON.stringify(result)}`)
    }
  }
  // Not all at once: a worker that loads files lets the other runs wait.
  for (let i = 0; i < kinds.length; i += 4) await Promise.all(kinds.slice(i, i + 4).map(run))
  assert.deepEqual(problems, [])
}
