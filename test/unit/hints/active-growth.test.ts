import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { Hint } from '../../../src/core/hints.js'
import { keyOfService, type ServiceId } from '../../../src/core/model.js'
import { ActiveGrowth } from '../../../src/hints/active-growth.js'
import type { ActiveConnections } from '../../../src/ipvs/kernel.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'
import { address } from '../../support/tables.js'

const WEB: ServiceId = { kind: 'address', protocol: 'tcp', address: address('2001:db8::80'), port: 80 }

const NOBODY = [0, 0, 0]
const portOf = (id: ServiceId) => (id.kind === 'address' ? id.port : 0)

const NONE = { connections: 0, received: 0, sent: 0 }

/** Milliseconds. */
const WAKE = 0.1

function rig({ cost = 0.02, firstCost = 0, known = ['a', 'b', 'c'], services = [WEB], mayAsk = false } = {}) {
  const clock = new FakeClock()
  const hints: string[] = []
  const times: number[] = []
  const state = {
    counts: [0, 0, 0],
    flow: { connections: 0, received: 0, sent: 0 },
    reals: ['a', 'b', 'c'],
    isBroken: false,
    /** Ports of services that are not in the table. */
    missing: [] as number[],
    looks: 0,
    read: [] as string[],
    sizes: [] as number[],
    /** Services whose counts these are; null: all. */
    ports: null as readonly number[] | null,
  }
  const watch = new ActiveGrowth({
    clock,
    log: recordingLog().log,
    kernel: {
      active(id): ActiveConnections {
        clock.pass(state.looks === 0 && firstCost > 0 ? firstCost : cost)
        state.looks++
        state.sizes.push((state.sizes.pop() ?? 0) + 1)
        state.read.push(keyOfService(id))
        times.push(clock.now())
        if (state.isBroken || state.missing.includes(portOf(id))) throw new Error('ESRCH')
        return {
          reals: state.reals,
          counts: state.ports && !state.ports.includes(portOf(id)) ? NOBODY : state.counts,
          flowOf: place => (place === 0 ? state.flow : NONE),
        }
      },
    },
    // Asked for once in each look.
    services: () => {
      state.sizes.push(0)
      return services
    },
    jobsOf: (service, real) => (known.includes(real) ? [`${service} ${real}`] : []),
    onHint: (ids, { detail, isStrong }: Hint) => void hints.push(`${ids} ${isStrong}: ${detail}`),
    attempts: {
      mayAsk: id => mayAsk && !id.endsWith(' c'),
      isUsed: mayAsk,
      ask: (ids, { detail }) => void hints.push(`ask ${ids}: ${detail}`),
    },
    wake: WAKE,
  })
  /** Winds 10 ms at a time; every 100 ms each server of `growing` has one connection more. */
  const wind = async (ms: number, growing: readonly number[] = []) => {
    for (let i = 0; i < ms / 10; i++) {
      if (i % 10 === 0 && growing.length > 0)
        state.counts = state.counts.map((count, place) => count + (growing.includes(place) ? 1 : 0))
      clock.wind(10)
      await setImmediate()
    }
    return hints.splice(0)
  }
  /** Adds a connection of so many packets of the client, and of the server, to the first server. */
  const connect = (received: number, sent: number, made = 1) => {
    const { flow } = state
    state.flow = {
      connections: flow.connections + made,
      received: flow.received + received,
      sent: flow.sent + sent,
    }
  }
  return { watch, wind, clock, state, connect, times }
}

describe('active-growth: hints', () => {
  it('are given within 300 ms once the connections of a server grow and none ends', async () => {
    const { wind } = rig()
    await wind(2000)
    const told = await wind(300, [0])
    assert.deepEqual(told, [
      'tcp [2001:db8::80]:80 a true: 2 new connections of clients to tcp [2001:db8::80]:80, and none ends',
    ])
  })

  it('are given again after two seconds, then after twice as long each time', async () => {
    const { wind } = rig()
    await wind(2000)
    assert.equal((await wind(300, [0])).length, 1)
    assert.equal((await wind(1600, [0])).length, 0)
    assert.equal((await wind(600, [0])).length, 1)
    assert.equal((await wind(3500, [0])).length, 0)
    assert.equal((await wind(1000, [0])).length, 1)
    // After 8, 16, and then 32 seconds each.
    assert.equal((await wind(200_000, [0])).length, 7)
  })

  it('are given soon again for a server that has recovered meanwhile', async () => {
    const { wind } = rig()
    await wind(2000)
    await wind(5000, [0])
    await wind(30_000)
    assert.equal((await wind(1000, [0])).length, 1)
    assert.equal((await wind(2000, [0])).length, 1)
  })

  it('are not given for a server without jobs, nor where all servers have more connections', async () => {
    const { wind } = rig({ known: [] })
    await wind(2000)
    assert.deepEqual(await wind(1000, [0]), [])
    const all = rig()
    await all.wind(2000)
    assert.deepEqual(await all.wind(1000, [0, 1, 2]), [])
  })

  it('begin anew with other real servers', async () => {
    const { wind, state } = rig()
    await wind(2000)
    await wind(100, [0])
    state.reals = ['b', 'c', 'a']
    assert.deepEqual(await wind(100, [0]), [])
  })
})

describe('active-growth: bare connects', () => {
  const asked =
    'ask tcp [2001:db8::80]:80 a: 1 new connection of clients to tcp [2001:db8::80]:80, and none ends'

  it('come within 80 ms of a first connection that does not end, before the hint', async () => {
    const { wind } = rig({ mayAsk: true })
    await wind(2000)
    assert.deepEqual(await wind(80, [0]), [asked])
    assert.match(`${await wind(220, [0])}`, /^tcp .* a true: \d new connections/)
  })

  it('come again after half a second, then after twice as long each time', async () => {
    const { wind, state } = rig({ mayAsk: true })
    const times: number[] = []
    for (let now = 0; now < 70_000; now += 100) {
      // One that lasts for 50 ms.
      state.counts = [1, 0, 0]
      const told = await wind(50)
      state.counts = [0, 0, 0]
      times.push(...[...told, ...(await wind(50))].map(() => now))
    }
    const pauses = times.slice(1).map((at, i) => (at - (times[i] ?? 0)) / 1000)
    assert.deepEqual(
      pauses.map(pause => Math.round(Math.log2(pause))),
      [-1, 0, 1, 2, 3, 4, 5],
    )
  })

  it('are ten at once and then five a second, whatever clients do', async () => {
    const services = Array.from({ length: 60 }, (_, i): ServiceId => ({ ...WEB, port: i + 1 }))
    const { wind, state } = rig({ mayAsk: true, services, cost: 0.001 })
    await wind(2000)
    state.counts = [1, 0, 0]
    assert.equal((await wind(200)).length, 10)
    const told = await wind(1000)
    assert.ok(told.length >= 4 && told.length <= 6, `${told.length}`)
  })

  it('do not come where the check may not fail early, nor where the connection ends soon', async () => {
    const { wind, state } = rig({ mayAsk: true })
    await wind(2000)
    for (let i = 0; i < 20; i++) {
      state.counts = [1, 0, 0]
      await wind(10)
      state.counts = [0, 0, 0]
      assert.deepEqual(await wind(100), [])
    }
    state.counts = [0, 0, 1]
    assert.deepEqual(await wind(1000), [])
  })
})

describe('active-growth: refused connections', () => {
  const TOLD = 'of clients to tcp [2001:db8::80]:80, and none goes on after one answer'

  it('give the hint with the next look, without connections that grow', async () => {
    for (const mayAsk of [false, true]) {
      const { wind, connect } = rig({ mayAsk })
      await wind(2000)
      connect(1, 1)
      assert.deepEqual(await wind(50), [`tcp [2001:db8::80]:80 a undefined: 1 new connection ${TOLD}`])
      assert.deepEqual(await wind(1000), [])
    }
  })

  it('are none once the server has sent or got another packet', async () => {
    for (const [received, sent] of [
      [2, 1],
      [1, 0],
      [0, 1],
    ] as const) {
      const { wind, connect } = rig()
      await wind(2000)
      connect(1 + received, 1 + sent)
      assert.deepEqual(await wind(1000), [])
    }
  })

  it('have pauses of their own', async () => {
    const { wind, connect } = rig()
    await wind(2000)
    await wind(300, [0])
    connect(1, 1)
    assert.deepEqual(await wind(300), [`tcp [2001:db8::80]:80 a undefined: 1 new connection ${TOLD}`])
    connect(1, 1)
    assert.deepEqual(await wind(300), [])
  })
})

describe('active-growth: looks', () => {
  it('are 50 ms apart, and take at most 0.25 % of a processor, with 0.1 ms for waking up', async () => {
    const { wind, state } = rig()
    await wind(2000, [0])
    const before = state.looks
    await wind(1000, [0])
    assert.equal(state.looks - before, 20)
    const dear = rig({ cost: 2.5 })
    await dear.wind(3000, [0])
    const then = dear.state.looks
    await dear.wind(10_000, [0])
    assert.ok([9, 10].includes(dear.state.looks - then), `${dear.state.looks - then}`)
  })

  it('come 150 ms after one that finds a first connection, however long a look takes, and then late', async () => {
    const { wind, state } = rig({ cost: 2.5 })
    await wind(5000)
    const before = state.looks
    state.counts = [2, 0, 0]
    // The looks are 1,040 ms apart.
    const told = await wind(1240)
    assert.equal(told.length, 1, told.join())
    assert.ok(state.looks - before <= 2)
    await wind(1640)
    assert.ok(state.looks - before <= 3)
  })

  it('are not held up by the first one, which takes far longer', async () => {
    const { wind, state } = rig({ firstCost: 100 })
    await wind(2000, [0])
    assert.ok(state.looks >= 10, `${state.looks}`)
  })

  it('come 20 ms after one that finds a first connection', async () => {
    // The looks are 55 to 110 ms apart.
    const { wind, state, times } = rig({ mayAsk: true, cost: 1 })
    await wind(2000)
    const before = times.length
    state.counts = [1, 0, 0]
    await wind(400)
    const [first = 0, second = 0, third = 0] = times.slice(before)
    assert.ok(second - first <= 30, `${second - first}`)
    assert.ok(third - second >= 55, `${third - second}`)
  })

  it('take no more than their share, though each finds a first connection of another server', async () => {
    const { wind, state } = rig({ mayAsk: true, cost: 0.5 })
    await wind(2000)
    const before = state.looks
    for (let i = 0; i < 300; i++) {
      state.counts = state.counts.map((_, place) => (state.looks % 2 === place ? 1 : 0))
      await wind(10)
    }
    // 0.6 ms each, and one that is owed.
    assert.ok(state.looks - before <= 51, `${state.looks - before}`)
  })

  it('read the services alone that have first connections when they come sooner, and then all', async () => {
    const services = Array.from({ length: 20 }, (_, i): ServiceId => ({ ...WEB, port: i + 1 }))
    const { wind, state } = rig({ mayAsk: true, services })
    await wind(2000)
    state.ports = [3, 7]
    state.sizes = []
    state.counts = [1, 0, 0]
    const told = await wind(200)
    assert.deepEqual(
      told.map(text => /ask \S+ (\S+)/.exec(text)?.[1]?.replace(/.*:/, '')),
      ['3', '7'],
    )
    assert.deepEqual(state.sizes.slice(0, 3), [20, 2, 20])
  })

  it('take up to 1 % of a processor where a check may fail early', async () => {
    const { wind, state } = rig({ cost: 2.5, mayAsk: true })
    await wind(5000, [1, 2, 0])
    const before = state.looks
    await wind(10_000, [1, 2, 0])
    assert.ok([38, 39].includes(state.looks - before), `${state.looks - before}`)
  })

  it('are four a second where nothing changes', async () => {
    const { wind, state } = rig()
    await wind(8000)
    const before = state.looks
    await wind(2000)
    assert.equal(state.looks - before, 8)
  })

  it('wait for a second where the table cannot be read, then twice as long each time, up to a minute', async () => {
    const { wind, state, times } = rig()
    state.isBroken = true
    await wind(200_000)
    const pauses = times.slice(1).map((at, i) => Math.round((at - (times[i] ?? 0)) / 1000))
    assert.deepEqual(pauses.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60])
    state.isBroken = false
    await wind(61_000)
    state.isBroken = true
    const before = state.looks
    await wind(4000)
    assert.ok(state.looks - before >= 2)
  })

  it('go on at the other services where one is not in the table, and wait where none is', async () => {
    const services: ServiceId[] = [WEB, { ...WEB, port: 443 }]
    const { wind, state } = rig({ services })
    state.missing = [80]
    await wind(2000)
    const told = await wind(300, [0])
    assert.deepEqual(
      told.map(line => line.split(' true')[0]),
      ['tcp [2001:db8::80]:443 a'],
    )
    state.missing = [80, 443]
    await wind(300)
    const before = state.looks
    await wind(700)
    assert.equal(state.looks, before)
  })

  it('go on at the other services after a second where the one whose turn it is cannot be read', async () => {
    const { wind, state, clock } = rig({ cost: 2, services: [WEB, { ...WEB, port: 443 }] })
    await wind(10_000)
    state.missing = [80]
    let [last, longest] = [clock.now(), 0]
    for (let i = 0; i < 600; i++) {
      state.read = []
      await wind(100)
      if (!state.read.some(key => key.endsWith(':443'))) continue
      longest = Math.max(longest, clock.now() - last)
      last = clock.now()
    }
    assert.ok(longest > 0 && longest < 3000, `${longest}`)
  })

  it('do not count what came while a service was not in the table', async () => {
    const { wind, state } = rig({ services: [WEB, { ...WEB, port: 443 }] })
    await wind(2000)
    state.missing = [80]
    state.counts = [5, 0, 0]
    const told = await wind(300)
    state.missing = []
    told.push(...(await wind(1000)))
    assert.deepEqual(told, [
      'tcp [2001:db8::80]:443 a true: 5 new connections of clients to tcp [2001:db8::80]:443, and none ends',
    ])
  })

  it('end with the watch', async () => {
    const { watch, wind, clock } = rig()
    await wind(2000)
    await watch.close()
    assert.equal(clock.alarms, 0)
  })

  it('read at most 2.5 ms of services in a row, all of them in turn, and each at least three times', async () => {
    const services = Array.from({ length: 250 }, (_, i): ServiceId => ({ ...WEB, port: i + 1 }))
    const { wind, state } = rig({ cost: 0.025, services })
    await wind(10_000, [0])
    state.read = []
    state.sizes = []
    await wind(30_000, [0])
    assert.equal(Math.max(...state.sizes), 95)
    const times = new Map<string, number>()
    for (const key of state.read) times.set(key, (times.get(key) ?? 0) + 1)
    assert.equal(times.size, 250)
    assert.ok(Math.min(...times.values()) >= 3)
  })

  it('read few services at first, whatever a look took without services', async () => {
    const services: ServiceId[] = []
    const { wind, state } = rig({ cost: 0.025, services })
    await wind(5000)
    assert.deepEqual(new Set(state.sizes), new Set([0]))
    services.push(...Array.from({ length: 250 }, (_, i): ServiceId => ({ ...WEB, port: i + 1 })))
    state.sizes = []
    await wind(300)
    assert.equal(state.sizes[0], 20)
  })

  it('see the connections of a service whose turn it is', async () => {
    const services = Array.from({ length: 250 }, (_, i): ServiceId => ({ ...WEB, port: i + 1 }))
    const { wind } = rig({ cost: 0.025, services })
    const told = await wind(20_000, [0])
    assert.ok(new Set(told.map(text => text.split(' a ')[0])).size >= 200, `${told.length}`)
  })
})
