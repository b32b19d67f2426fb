import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Answer } from '../../../../src/check/answer.js'
import type { Looker, ProbeLoop } from '../../../../src/probe/engine/reactor.js'
import { NativeProbes } from '../../../../src/probe/engine/start-native.js'
import type { Watcher } from '../../../../src/probe/engine/watchers.js'
import type { TcpProbe } from '../../../../src/probe/tcp.js'
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../../../src/system/epoll.js'
import { onCleanup } from '../../../support/after-each.js'
import { fullListener } from '../../../support/full-listener.js'
import { address } from '../../../support/tables.js'
import { until } from '../../../support/until.js'

const PONG = { kind: 'match', match: { kind: 'text', text: 'PONG' }, limit: 1000 } as const

/** A loop whose turns are the steps of the test. */
class HandLoop implements ProbeLoop {
  readonly lookers: Looker[] = []
  readonly watchers: Watcher[] = []

  lookSoon(looker: Looker): boolean {
    this.lookers.push(looker)
    return true
  }

  watch(_fd: number, _flags: number, watcher: Watcher): number {
    return this.watchers.push(watcher) - 1
  }

  unwatch(): void {}

  alarm(): () => void {
    return () => {}
  }

  afterReading(): void {}

  look(): void {
    for (const looker of this.lookers.splice(0)) looker.look()
  }
}

async function listening(): Promise<{ server: Server; port: number; sockets: Socket[]; heard: string[] }> {
  const [sockets, heard]: [Socket[], string[]] = [[], []]
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {}).on('data', data => void heard.push(`${data}`))
  }).listen(0, '::1')
  onCleanup(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, sockets, heard }
}

function begun(port: number, judge: TcpProbe['judge'] = PONG, send = Buffer.from('PING')) {
  const loop = new HandLoop()
  const probes = new NativeProbes(loop)
  const answers: Answer[] = []
  const common = { kind: 'tcp', send, end: false, reset: false } as const
  const probe: TcpProbe = { ...common, address: address('::1'), port, judge }
  const run = probes.startFrom(probe, () => null)(1000, answer => void answers.push(answer))
  onCleanup(() => {
    run.cancel()
    probes.close()
  })
  return { loop, run, answers }
}

/** Sends an answer, and waits until the kernel has passed it on to the other end. */
async function answered(socket: Socket, text: string): Promise<void> {
  await new Promise(resolve => socket.write(text, resolve))
}

describe('engine: a run over TCP', () => {
  it('takes an answer that comes at once without watching its socket', async () => {
    const { port, sockets, heard } = await listening()
    const { loop, run, answers } = begun(port)
    loop.look()
    await until(() => heard.join('') === 'PING')
    await answered(sockets[0] as Socket, 'PONG')
    loop.look()
    assert.deepEqual(
      answers.map(({ ok }) => ok),
      [true],
    )
    assert.equal(loop.watchers.length, 0)
    assert.deepEqual(
      run.phases.map(({ phase }) => phase),
      ['connect', 'first byte', 'body'],
    )
    assert.equal(loop.lookers.length, 0)
  })

  it('watches its socket where the answer, or a part of it, comes later', async () => {
    for (const begin of ['', 'PO']) {
      const { port, sockets, heard } = await listening()
      const { loop, answers } = begun(port)
      loop.look()
      await until(() => heard.join('') === 'PING')
      if (begin) await answered(sockets[0] as Socket, begin)
      loop.look()
      assert.deepEqual([answers.length, loop.watchers.length, loop.lookers.length], [0, 1, 0])
      await answered(sockets[0] as Socket, 'PONG'.slice(begin.length))
      loop.watchers[0]?.ready(EPOLLIN)
      assert.equal(answers[0]?.ok, true)
    }
  })

  it('watches for a connection that is not open at the second look', () => {
    const { loop, run, answers } = begun(fullListener())
    loop.look()
    assert.deepEqual([loop.watchers.length, loop.lookers.length], [0, 1])
    loop.look()
    assert.deepEqual([loop.watchers.length, loop.lookers.length, answers.length], [1, 0, 0])
    const { reason } = run.expire(1000)
    assert.deepEqual([reason, run.phase], ['timeout', 'connect'])
  })

  it('does not look after its end', async () => {
    const { port, heard } = await listening()
    const { loop, run, answers } = begun(port)
    run.cancel()
    loop.look()
    assert.deepEqual([answers.length, loop.watchers.length, loop.lookers.length], [0, 0, 0])
    assert.deepEqual(heard, [])
  })

  it('is reset where the server resets between the request and the look', async () => {
    const { port, sockets, heard } = await listening()
    const { loop, answers } = begun(port)
    loop.look()
    await until(() => heard.join('') === 'PING')
    sockets[0]?.resetAndDestroy()
    await until(() => sockets[0]?.closed === true)
    loop.look()
    assert.equal(answers[0]?.reason, 'reset')
    assert.equal(loop.watchers.length, 0)
  })

  it('is reset where the server resets before the request', async () => {
    const { port, sockets } = await listening()
    const { loop, answers } = begun(port)
    await until(() => sockets.length === 1)
    sockets[0]?.resetAndDestroy()
    await until(() => sockets[0]?.closed === true)
    loop.look()
    // The socket is watched, and says at once that it has ended.
    assert.equal(loop.watchers.length, 1)
    loop.watchers[0]?.ready(0x10 | EPOLLIN)
    assert.equal(answers[0]?.reason, 'reset')
  })

  it('has passed where the connection is all that is asked, and the server has reset it already', async () => {
    const { port, sockets } = await listening()
    const { loop, run, answers } = begun(port, { kind: 'connected' })
    await until(() => sockets.length === 1)
    sockets[0]?.resetAndDestroy()
    await until(() => sockets[0]?.closed === true)
    loop.watchers[0]?.ready(EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLOUT)
    assert.deepEqual([answers[0]?.ok, run.phase], [true, 'connect'])
  })

  it('reads the answer of a server that has reset before it had the whole request', async () => {
    const { port, sockets } = await listening()
    const { loop, answers } = begun(port, PONG, Buffer.alloc(20_000_000))
    loop.look()
    await until(() => sockets.length === 1)
    await answered(sockets[0] as Socket, 'PONG')
    sockets[0]?.resetAndDestroy()
    await until(() => sockets[0]?.closed === true)
    loop.look()
    assert.equal(answers.length, 0)
    loop.watchers[0]?.ready(EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLOUT)
    assert.equal(answers[0]?.ok, true, answers[0]?.detail)
  })
})
