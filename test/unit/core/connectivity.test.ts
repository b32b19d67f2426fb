import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Address, parseAddress } from '../../../src/core/address.js'
import {
  Connectivity,
  type ConnectivityPolicy,
  type LinkState,
  modeWhile,
  trackedNumber,
} from '../../../src/core/connectivity.js'

const address = (text: string) => parseAddress(text) as Address
const [A, B, C] = [address('fe80::1%eth0'), address('2001:db8::2'), address('192.0.2.3')]

const NOTHING: ConnectivityPolicy = {
  gateways: [],
  groups: [],
  interfaces: [],
  routes: [],
  interval: 1000,
  timeout: 1000,
  rise: 2,
  fall: 3,
}
const with_ = (policy: Partial<ConnectivityPolicy>) => new Connectivity({ ...NOTHING, ...policy })
const repeat = (times: number, work: () => void) => {
  for (let i = 0; i < times; i++) work()
}

describe('core: connectivity', () => {
  it('counts what has not been judged as connected', () => {
    const connectivity = with_({
      gateways: [A],
      groups: [{ ping: [B, C], need: 2 }],
      interfaces: ['eth0'],
      routes: [B],
    })
    assert.equal(connectivity.lost, null)
    assert.equal(connectivity.isInDoubt, false)
    repeat(2, () => connectivity.pinged(A.text, false))
    assert.equal(connectivity.lost, null)
  })

  it('is lost after `fall` pings without a reply, with doubt before, and back after `rise` replies', () => {
    const connectivity = with_({ gateways: [A] })
    connectivity.pinged(A.text, true)
    assert.equal(connectivity.isInDoubt, false)
    repeat(2, () => {
      connectivity.pinged(A.text, false)
      assert.deepEqual([connectivity.lost, connectivity.isInDoubt], [null, true])
    })
    connectivity.pinged(A.text, false)
    assert.deepEqual(
      [connectivity.lost, connectivity.isInDoubt],
      ['the gateway fe80::1%eth0 does not answer pings', false],
    )
    connectivity.pinged(A.text, true)
    assert.notEqual(connectivity.lost, null)
    connectivity.pinged(A.text, true)
    assert.equal(connectivity.lost, null)
  })

  it('does not follow a gateway that loses every second ping, in either state', () => {
    const connectivity = with_({ gateways: [A] })
    const seen = new Set<boolean>()
    const lossy = () => {
      for (const hasReplied of [false, true]) connectivity.pinged(A.text, hasReplied)
      seen.add(connectivity.lost !== null)
    }
    repeat(20, lossy)
    assert.deepEqual([...seen], [false])
    repeat(3, () => connectivity.pinged(A.text, false))
    seen.clear()
    repeat(20, lossy)
    assert.deepEqual([...seen], [true])
  })

  it('needs one of several gateways, and as many of a group as it says', () => {
    const connectivity = with_({
      gateways: [A, B],
      groups: [{ ping: [A, B, C], need: 2 }],
    })
    const fail = (each: Address) => repeat(3, () => connectivity.pinged(each.text, false))
    fail(A)
    assert.equal(connectivity.lost, null)
    fail(C)
    assert.equal(connectivity.lost, '1 of fe80::1%eth0, 2001:db8::2, 192.0.2.3 answers pings, and 2 must')
    fail(B)
    assert.equal(connectivity.lost, 'no gateway answers pings: fe80::1%eth0, 2001:db8::2')
  })

  it('takes a neighbour that the kernel does not find for three pings without a reply', () => {
    const three = with_({ gateways: [A] })
    three.neighbourFailed(A.text)
    assert.notEqual(three.lost, null)
    const five = with_({ gateways: [A], fall: 5 })
    five.neighbourFailed(A.text)
    assert.deepEqual([five.lost, five.isInDoubt], [null, true])
  })

  it('is lost at once with an interface or a route, and back when it has worked for `rise` intervals', () => {
    const connectivity = with_({ interfaces: ['eth0'], routes: [B] })
    connectivity.link('eth0', 'works', 0)
    connectivity.route(B.text, true, 0)
    assert.equal(connectivity.lost, null)
    connectivity.route(B.text, false, 100)
    assert.equal(connectivity.lost, 'this machine has no route to 2001:db8::2')
    connectivity.link('eth0', 'down', 100)
    assert.equal(connectivity.lost, 'the interface eth0 is down or has no carrier')
    connectivity.link('eth0', 'absent', 150)
    assert.equal(connectivity.lost, 'there is no interface eth0')
    assert.equal(connectivity.nextChange, null)
    connectivity.link('eth0', 'works', 200)
    connectivity.route(B.text, true, 300)
    assert.equal(connectivity.nextChange, 2200)
    connectivity.link('eth0', 'down', 1000)
    connectivity.link('eth0', 'works', 1100)
    connectivity.pass(2999)
    assert.notEqual(connectivity.lost, null)
    connectivity.pass(3100)
    assert.equal(connectivity.lost, null)
    assert.equal(connectivity.nextChange, null)
  })

  it('keeps the state of what another policy has, too', () => {
    const connectivity = with_({ gateways: [A, B] })
    for (const each of [A, B]) repeat(3, () => connectivity.pinged(each.text, false))
    connectivity.follow({ ...NOTHING, gateways: [A] })
    assert.notEqual(connectivity.lost, null)
    connectivity.follow({ ...NOTHING, gateways: [A, C] })
    assert.equal(connectivity.lost, null)
    assert.deepEqual(
      [...connectivity.answering],
      [
        [A.text, false],
        [C.text, null],
      ],
    )
  })

  it('is lost exactly if a condition fails for long enough, whatever the order of what is seen', () => {
    const links = fc.constantFrom<LinkState>('works', 'down', 'absent')
    const event = fc.oneof(
      fc.record({ kind: fc.constant('ping' as const), of: fc.constantFrom(A, B, C), ok: fc.boolean() }),
      fc.record({ kind: fc.constant('link' as const), link: links }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3000 }) }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 2 }), (events, need) => {
        const connectivity = with_({
          gateways: [A],
          groups: [{ ping: [B, C], need }],
          interfaces: ['eth0'],
        })
        const pings = new Map<string, boolean[]>([A, B, C].map(({ text }) => [text, []]))
        let [now, linkAt, isLinkGood, isUp] = [0, 0, true, false]
        for (const each of events) {
          if (each.kind === 'ping') {
            pings.get(each.of.text)?.push(each.ok)
            connectivity.pinged(each.of.text, each.ok)
          } else if (each.kind === 'pass') {
            now += each.ms
            connectivity.pass(now)
          } else {
            connectivity.link('eth0', each.link, now)
            if (each.link === 'works' && !isUp) linkAt = now
            isUp = each.link === 'works'
            if (!isUp) isLinkGood = false
          }
          if (each.kind === 'pass' && isUp && now - linkAt >= 2000) isLinkGood = true
          const bad = ({ text }: Address) => isBad(pings.get(text) ?? [])
          const expected = !isLinkGood || bad(A) || [B, C].filter(one => !bad(one)).length < need
          assert.equal(connectivity.lost !== null, expected)
          if (expected) assert.equal(connectivity.isInDoubt, false)
        }
      }),
    )
  })
})

describe('core: what follows from a lost network', () => {
  it('keeps a table that would be reconciled', () => {
    const modes = ['reconcile', 'keep', 'empty'] as const
    assert.deepEqual(
      modes.map(mode => modeWhile(true, mode)),
      ['keep', 'keep', 'empty'],
    )
    assert.deepEqual(
      modes.map(mode => modeWhile(false, mode)),
      modes,
    )
  })

  it('lowers the number of the active one when it is certain, and of a standby early and for longer', () => {
    const [well, lost] = [
      { isJudged: true, isLost: false, isSettled: true },
      { isJudged: true, isLost: true, isSettled: false },
    ]
    const uneasy = { ...well, isSettled: false }
    const numbers = (state: typeof well) =>
      (['active', 'standby'] as const).map(role => trackedNumber(state, role, 50))
    assert.deepEqual(numbers(well), [0, 0])
    assert.deepEqual(numbers(uneasy), [0, -50])
    assert.deepEqual(numbers(lost), [-50, -50])
    assert.deepEqual(numbers({ ...well, isJudged: false }), [null, null])
  })
})

/** The state of an address from all its pings: the last run of three failures or of two replies decides. */
function isBad(pings: readonly boolean[]): boolean {
  for (let end = pings.length; end > 0; end--) {
    if (pings.slice(Math.max(0, end - 3), end).filter(ok => !ok).length === 3) return true
    if (end >= 2 && pings[end - 1] && pings[end - 2]) return false
  }
  return false
}
