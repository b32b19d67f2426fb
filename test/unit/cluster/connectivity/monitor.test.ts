/** The monitor with a clock, pings and paths that the test makes up. */
import assert from 'node:assert/strict'
import { type ConnectivityChange, ConnectivityMonitor } from '../../../../src/cluster/connectivity/monitor.js'
import type { PingDone } from '../../../../src/cluster/connectivity/pinger.js'
import { type Address, parseAddress } from '../../../../src/core/address.js'
import type { ConnectivityPolicy, LinkState } from '../../../../src/core/connectivity.js'
import type { PathEvent } from '../../../../src/netlink/path-events.js'
import { FakeClock } from '../../../support/fake-clock.js'

const address = (text: string) => parseAddress(text) as Address
const GATEWAY = address('fe80::1%eth0')
const OTHER = address('2001:db8::2')
const POLICY: ConnectivityPolicy = {
  gateways: [GATEWAY],
  groups: [],
  interfaces: [],
  routes: [],
  interval: 1000,
  timeout: 800,
  rise: 2,
  fall: 3,
}
const NEWS: PathEvent = {
  ...{ links: false, routes: false, addresses: false },
  ...{ failed: [], found: [], linkIndexes: [] },
}

class Network {
  readonly clock = new FakeClock()
  readonly told: ConnectivityChange[] = []
  readonly troubles: string[] = []
  readonly silent = new Set<string>()
  readonly pings: string[] = []
  link: LinkState = 'works'
  hasRoute = true
  hears: { routes: boolean; onEvent(event: PathEvent): void } | null = null
  cannotSend: Error | null = null
  canHear = true
  readings = 0
  readonly monitor = new ConnectivityMonitor({
    clock: this.clock,
    steady: () => this.clock.now(),
    pinger: {
      ping: (target, done: PingDone) => {
        const error = this.cannotSend
        this.pings.push(target.text)
        if (error) this.clock.arrive(() => done('not sent', error))
        else if (!this.silent.has(target.text)) this.clock.arrive(() => done('reply'))
        return () => {}
      },
    },
    paths: {
      link: () => {
        this.readings++
        return this.link
      },
      hasRoute: () => this.hasRoute,
      nameOf: () => 'eth0',
    },
    openEvents: parts => {
      if (!this.canHear) throw new Error('no netlink')
      this.hears = parts
      return {
        close: () => {
          this.hears = null
        },
      }
    },
    onChange: change => this.told.push(change),
    onTrouble: ({ message }) => this.troubles.push(message),
  })

  get changes(): readonly boolean[] {
    return this.told.map(({ isLost }) => isLost)
  }
}

describe('cluster: the connectivity monitor', () => {
  let network: Network
  beforeEach(() => {
    network = new Network()
  })
  afterEach(() => {
    network.monitor.close()
    assert.equal(network.clock.alarms, 0)
    assert.equal(network.hears, null)
  })

  it('tells a loss once, with its reason and its begin, and its end', () => {
    const { monitor, clock, silent, told } = network
    monitor.follow(POLICY)
    clock.wind(5000)
    assert.equal(told.length, 0)
    silent.add(GATEWAY.text)
    clock.wind(10_000)
    assert.deepEqual(network.changes, [true])
    const [lost] = told
    assert.equal(lost?.detail, 'the gateway fe80::1%eth0 does not answer pings')
    assert.equal(monitor.current?.since, lost?.since)
    silent.clear()
    clock.wind(3000)
    assert.deepEqual(network.changes, [true, false])
    assert.equal(told[1]?.since, lost?.since)
    assert.equal(monitor.current, null)
  })

  it('excuses failures while the network is lost, in doubt, and of runs that began before its end', () => {
    const { monitor, clock, silent } = network
    monitor.follow(POLICY)
    clock.wind(2500)
    assert.equal(monitor.excuseOf(2000), null)
    silent.add(GATEWAY.text)
    clock.wind(1500)
    assert.match(monitor.excuseOf(10) ?? '', /its own network may be at fault/)
    clock.wind(3000)
    assert.match(monitor.excuseOf(10) ?? '', /lost its network: the gateway/)
    silent.clear()
    clock.wind(2500)
    assert.equal(monitor.current, null)
    assert.equal(monitor.excuseOf(100), null)
    assert.match(monitor.excuseOf(3000) ?? '', /had lost its network/)
    assert.equal(monitor.isSettled, false)
    clock.wind(2000)
    assert.equal(monitor.isSettled, true)
  })

  it('does not count pings as lost while lvsd itself is stopped', () => {
    const { monitor, clock, silent } = network
    monitor.follow({ ...POLICY, fall: 1 })
    clock.wind(2500)
    silent.add(GATEWAY.text)
    clock.wind(600)
    clock.stop(10_000)
    silent.clear()
    clock.wind(100)
    assert.deepEqual(network.changes, [])
    assert.equal(monitor.isInDoubt, false)
  })

  it('reads interfaces and routes when the kernel reports changes, and only then', () => {
    const { monitor, clock } = network
    monitor.follow({ ...POLICY, interfaces: ['eth0'], routes: [OTHER] })
    clock.wind(60_000)
    assert.equal(network.readings, 1)
    network.link = 'down'
    network.hears?.onEvent({ ...NEWS, links: true })
    assert.equal(monitor.current?.detail, 'the interface eth0 is down or has no carrier')
    network.link = 'works'
    network.hasRoute = false
    network.hears?.onEvent({ ...NEWS, links: true })
    clock.wind(1000)
    assert.equal(monitor.current?.detail, 'the interface eth0 is down or has no carrier')
    clock.wind(1000)
    assert.equal(monitor.current?.detail, 'this machine has no route to 2001:db8::2')
    network.hasRoute = true
    for (let i = 0; i < 100; i++) network.hears?.onEvent({ ...NEWS, routes: true })
    clock.wind(2200)
    assert.deepEqual(network.changes, [true, false])
  })

  it('hears routes only if it has to, and hears nothing without conditions', () => {
    const { monitor } = network
    monitor.follow({ ...POLICY, interfaces: ['eth0'] })
    assert.equal(network.hears?.routes, false)
    monitor.follow({ ...POLICY, routes: [OTHER] })
    assert.equal(network.hears?.routes, true)
    monitor.follow(null)
    assert.equal(network.hears, null)
    assert.equal(monitor.isWatching, false)
  })

  it('is lost sooner by a neighbour that the kernel does not find', () => {
    const { monitor, clock } = network
    monitor.follow(POLICY)
    clock.wind(500)
    network.hears?.onEvent({ ...NEWS, failed: [{ address: address('fe80::1'), link: 2 }] })
    assert.notEqual(monitor.current, null)
  })

  it('tells the end of a loss when its conditions leave the configuration', () => {
    const { monitor, clock, silent } = network
    silent.add(GATEWAY.text)
    monitor.follow(POLICY)
    clock.wind(5000)
    monitor.follow({ ...POLICY, gateways: [OTHER] })
    monitor.follow({ ...POLICY, gateways: [OTHER] })
    clock.wind(1000)
    assert.deepEqual(network.changes, [true, false])
    silent.add(OTHER.text)
    clock.wind(5000)
    monitor.follow(null)
    assert.deepEqual(network.changes, [true, false, true, false])
  })

  it('loses nothing where it cannot ping, and says so once', () => {
    const { monitor, clock } = network
    network.cannotSend = new Error('not permitted')
    monitor.follow(POLICY)
    clock.wind(20_000)
    assert.deepEqual(network.changes, [])
    assert.deepEqual(network.troubles, ['not permitted'])
  })

  it('reads paths at each interval where the kernel does not report changes', () => {
    const { monitor, clock } = network
    network.canHear = false
    monitor.follow({ ...POLICY, gateways: [], interfaces: ['eth0'] })
    network.link = 'absent'
    clock.wind(1000)
    assert.equal(monitor.current?.detail, 'there is no interface eth0')
    assert.deepEqual(network.troubles, ['no netlink'])
  })
})
