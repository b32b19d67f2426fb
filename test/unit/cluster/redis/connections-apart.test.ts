import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import type { Connection } from '../../../../src/cluster/redis/client.js'
import { ConnectionsApart } from '../../../../src/cluster/redis/connections-apart.js'
import { faultOf } from '../../../../src/core/redis-fault.js'
import { onCleanup } from '../../../support/after-each.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { redisSettings } from '../../../support/redis-server.js'
import { until } from '../../../support/until.js'

/** A thread that answers to GET, not to SET, and does what the first argument of another command says. */
const THREAD = `
import { parentPort } from 'node:worker_threads'
const tell = report => parentPort.postMessage(report)
const acts = {
  exit: () => process.exit(3),
  throw: () => { throw new Error('broken') },
  loop: () => { for (;;); },
  heap: () => { const kept = []; for (;;) kept.push({ before: kept.length }) },
}
tell({ kind: 'warning', text: 'odd\\nthing' })
parentPort.on('message', ({ kind, link, id, command, args }) => {
  if (kind === 'open') tell({ kind: 'opened', link })
  else if (kind === 'alive?') tell({ kind: 'alive' })
  else if (command === 'GET') tell({ kind: 'answer', id, answer: args[0], size: 1 })
  else if (kind === 'send' && command !== 'SET') acts[args[0]]()
})
tell({ kind: 'ready' })
`

function threadOf(code: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`)
}

class Stage {
  readonly clock = new FakeClock()
  readonly apart: ConnectionsApart
  readonly ended: unknown[] = []
  readonly warnings: string[] = []

  constructor(code = THREAD) {
    this.apart = new ConnectionsApart({
      clock: this.clock,
      warn: text => this.warnings.push(text),
      file: threadOf(code),
    })
    onCleanup(() => this.apart.close())
  }

  open(): Promise<Connection> {
    return this.apart.open({
      settings: redisSettings(1),
      attempt: 0,
      onEnd: error => this.ended.push(error),
      onMessage: () => {},
    })
  }

  /** The reasons of all connections that have ended by themselves. */
  get told(): readonly string[] {
    return this.ended.map(error => faultOf(error).detail)
  }
}

const ENDED = 'the thread that reads its answers has ended'

/** What `promise` is rejected with, in words. */
function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    error => faultOf(error).detail,
  )
}

/** Event loops of this process and its threads. Files are left out: the loader of the tests opens some. */
function loops(): number {
  const links = readdirSync('/proc/self/fd').map(name => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      return ''
    }
  })
  return links.filter(link => link.includes('[eventpoll]')).length
}

/** Ports of threads that keep this process alive: those of a connection that another file has open, too. */
function ports(): number {
  return process.getActiveResourcesInfo().filter(kind => kind === 'MessagePort').length
}

describe('redis connections in a thread', function () {
  this.timeout(60_000)

  const deaths: readonly [act: string, detail: string][] = [
    ['exit', ENDED],
    ['throw', `${ENDED}: broken`],
    ['heap', `${ENDED}: it needed more than 96 MiB`],
  ]
  for (const [act, detail] of deaths)
    it(`end, once each, when the thread ends by ${act}; what waits for answers is rejected`, async () => {
      const stage = new Stage()
      const [one, other] = [await stage.open(), await stage.open()]
      assert.equal(await one.send('GET', ['a']), 'a')
      const waiting = [failure(one.send('SET', ['a'])), failure(other.send('SET', ['b']))]
      one.send('EVAL', [act]).catch(() => {})
      assert.deepEqual(await Promise.all(waiting), [detail, detail])
      assert.deepEqual(stage.told, [detail, detail])
      assert.equal(await failure(one.send('GET', ['a'])), 'it closed the connection')
      one.close()
      stage.clock.wind(1000)
      const next = await stage.open()
      assert.equal(await next.send('GET', ['b']), 'b')
      assert.equal(stage.told.length, 2)
    })

  it('end when the thread does not answer for 5 s; the loop of this process goes on meanwhile', async () => {
    const stage = new Stage()
    const connection = await stage.open()
    const waiting = failure(connection.send('SET', ['a']))
    connection.send('EVAL', ['loop']).catch(() => {})
    let turns = 0
    for (; turns < 500; turns++) await new Promise(setImmediate)
    assert.deepEqual(stage.told, [])
    stage.clock.wind(5000)
    assert.deepEqual(stage.told, [])
    stage.clock.wind(1000)
    assert.equal(await waiting, `${ENDED}: it did not answer for 5 s`)
    assert.equal(stage.told.length, 1)
    stage.clock.wind(1000)
    assert.equal(await (await stage.open()).send('GET', ['b']), 'b')
    assert.equal(stage.told.length, 1)
  })

  it('stay when this process was stopped for a minute, and the thread answers', async () => {
    const stage = new Stage()
    const connection = await stage.open()
    stage.clock.stop(60_000)
    assert.equal(await connection.send('GET', ['a']), 'a')
    assert.deepEqual(stage.told, [])
  })

  it('pass warnings of the thread on, in one line', async () => {
    const stage = new Stage()
    await stage.open()
    assert.deepEqual(stage.warnings, ['odd thing'])
  })

  it('wait for the next thread, longer each time; less again after one that ran for a minute', async () => {
    const stage = new Stage()
    const pauses: number[] = []
    for (let death = 0; death < 8; death++) {
      const connection = await stage.open()
      if (death === 7)
        for (let second = 0; second < 61; second++) {
          stage.clock.wind(1000)
          await connection.send('GET', ['a'])
        }
      await failure(connection.send('EVAL', ['exit']))
      let pause = 0
      for (; /another one starts in/.test(await failure(stage.apart.ready())); pause++) stage.clock.wind(1000)
      pauses.push(pause)
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 1])
  })

  it('are not opened by a thread that does not start', async () => {
    const silent = new Stage('setInterval(() => {}, 1000)')
    const opening = failure(silent.open())
    await new Promise(setImmediate)
    silent.clock.wind(30_000)
    assert.equal(await opening, `${ENDED}: it does not run after 30 s`)
    const broken = new Stage('throw new Error("no such library")')
    assert.equal(await failure(broken.open()), `${ENDED}: no such library`)
    assert.equal(await failure(broken.open()), `${ENDED}: another one starts in 1 s`)
  })

  it('are refused, not left waiting, when all are closed before they are open', async () => {
    const starting = new Stage('setInterval(() => {}, 1000)')
    const opening = [failure(starting.open()), failure(starting.apart.ready())]
    starting.apart.close()
    assert.deepEqual(await Promise.all(opening), ['it closed the connection', 'it closed the connection'])
    const mute = new Stage(THREAD.replace("'opened'", "'nothing'"))
    await mute.apart.ready()
    const open = failure(mute.open())
    await new Promise(setImmediate)
    mute.apart.close()
    assert.equal(await open, 'it closed the connection')
  })

  it('leave no thread, alarm or descriptor behind, and are told nothing after the close', async () => {
    const before = { loops: loops(), ports: ports() }
    for (const act of ['exit', 'loop', 'close']) {
      const stage = new Stage()
      const connection = await stage.open()
      const waiting = failure(connection.send('SET', ['a']))
      if (act !== 'close') connection.send('EVAL', [act]).catch(() => {})
      if (act === 'loop') stage.clock.wind(6000)
      if (act === 'exit') await waiting
      const { length } = stage.told
      stage.apart.close()
      await waiting
      assert.equal(stage.clock.alarms, 0)
      assert.equal(stage.told.length, length)
    }
    await until(() => loops() <= before.loops && ports() <= before.ports, {
      what: () => `${loops()} loops and ${ports()} ports, ${JSON.stringify(before)} before`,
    })
  })
})
