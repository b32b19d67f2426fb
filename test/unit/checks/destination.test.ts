/** What becomes of the sockets of checks through the path of a service when something fails. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connectTo } from '../../../checks/lib/destination.js'
import type { Check, Target } from '../../../src/check/check.js'
import { optionKit } from '../../../src/check/option-kit.js'
import { z } from '../../../src/check/option-types.js'
import { runCheck, startCheck } from '../../../src/check/run-code.js'
import { FUZZED, type Talk } from '../../fuzz/kinds.js'
import { answersOf, WELL } from '../../fuzz/server.js'
import { targetOf } from '../../support/probe.js'
import { hangUpServer, refusedPort, resetServer, silentServer, tcpServer } from '../../support/servers.js'
import { address } from '../../support/tables.js'
import { until } from '../../support/until.js'

/** No other test has it. */
const OWN = address('127.0.71.8')
/** As in /proc/net/tcp. */
const OWN_AS_HEX = '0847007F:'
/** For documentation (RFC 5737), so it is on no machine. */
const GONE = address('192.0.2.99')

async function workOf(kind: string, given: object, port: number, source = OWN) {
  const { check } = (await import(`../../../checks/${kind}.js`)) as { check: Check }
  const marked = { mark: 0, path: 'a path', ports: [] }
  const target = { ...targetOf({ host: '127.0.0.1', port }), source, marked }
  return { check, target, options: z.strictObject(check.options(optionKit)).parse(given) }
}

/** Those of `FUZZED` whose code can take the path of a service. */
async function takers() {
  const all = await Promise.all(
    FUZZED.map(async one => ({ ...one, job: await workOf(one.kind, one.options, 1) })),
  )
  return all.filter(({ job }) => job.check.takesPath?.(job.options) === true)
}

/** Sockets that are bound to `OWN` and open: those whose descriptor is closed have no inode. */
function open(): number {
  const lines = ['tcp', 'udp'].flatMap(name => readFileSync(`/proc/net/${name}`, 'latin1').split('\n'))
  return lines.filter(line => {
    const [, local = '', , , , , , , , inode] = line.trim().split(/\s+/)
    return local.startsWith(OWN_AS_HEX) && inode !== '0'
  }).length
}

describe('destination: a socket of a path', () => {
  it('emits an error where its source has gone, as every socket does', async () => {
    const to = {
      host: '127.0.0.1',
      port: 1,
      localAddress: GONE.text,
      marked: { mark: 0, path: 'a path', ports: [] },
    }
    const [error] = await once(connectTo(to), 'error')
    assert.equal(error.code, 'EADDRNOTAVAIL')
  })

  it('is not opened for a run that has been stopped', async () => {
    const ports: number[] = []
    const { port } = await tcpServer(({ remotePort = 0 }) => ports.push(remotePort), '127.0.0.1')
    const to = {
      host: '127.0.0.1',
      port,
      localAddress: OWN.text,
      marked: { mark: 0, path: 'a path', ports: [] },
    }
    await once(connectTo(to, { signal: AbortSignal.abort() }), 'error')
    const next = connectTo(to)
    await once(next, 'connect')
    await until(() => ports.includes(next.localPort ?? 0))
    next.destroy()
    assert.equal(ports.length, 1)
  })

  it('gives each kind no verdict where its source has gone', async () => {
    for (const { name, kind, options } of await takers()) {
      const { ok, detail } = await runCheck(await workOf(kind, options, 9, GONE), 5000)
      // An agent that cannot be asked is no silent one.
      assert.deepEqual([name, ok], [name, null], detail)
      assert.match(detail, /the source address of the check is not an address of this machine/, name)
    }
  })

  it('does not end the process where a query of pgsql cannot be cancelled', async () => {
    const talk = FUZZED.find(({ name }) => name === 'pgsql')?.talk as Talk
    const asked = new EventEmitter()
    const { port } = await tcpServer(socket => {
      const answerTo = answersOf(talk, WELL)
      socket.on('data', said => {
        if (said.includes('SELECT')) asked.emit('query')
        else socket.write(answerTo(0, said) ?? '')
      })
    }, '127.0.0.1')
    const job = await workOf('pgsql', { request: 'SELECT 1' }, port)
    const target: { -readonly [K in keyof Target]: Target[K] } = job.target
    const query = once(asked, 'query')
    const run = startCheck({ ...job, target }, 10_000, answer => assert.fail(answer.detail))
    await query
    target.source = GONE
    assert.equal(run.expire(10_000).reason, 'timeout')
    // What a listener of the signal throws comes in a later turn, and what the socket emits too.
    await new Promise(setImmediate)
    await until(() => open() === 0)
  })

  it('is closed after each way of failing, of each kind', async () => {
    const silent = await silentServer('127.0.0.1')
    const servers = [
      { port: await refusedPort('127.0.0.1') },
      silent,
      await hangUpServer('127.0.0.1'),
      await resetServer('127.0.0.1'),
      await tcpServer((socket: Socket) => socket.write('no such protocol\r\n\r\n'), '127.0.0.1'),
    ]
    const kinds = await takers()
    for (const server of servers) {
      const jobs = await Promise.all(kinds.map(({ kind, options }) => workOf(kind, options, server.port)))
      await Promise.all(jobs.map(job => runCheck(job, 300)))
    }
    assert.ok(silent.count() > 10)
    await until(() => open() === 0)
  })

  it('is not opened where the files of TLS cannot be used', async () => {
    const { port, count } = await silentServer('127.0.0.1')
    for (const kind of ['https', 'tls', 'smtp']) {
      const job = await workOf(kind, kind === 'smtp' ? { tls: true } : {}, port)
      const options = { ...job.options, verify: true, ca: '/nowhere/ca.pem' }
      const { ok, detail } = await runCheck({ ...job, options }, 5000)
      assert.equal(ok, null, detail)
    }
    assert.deepEqual([count(), open()], [0, 0])
  })
})
