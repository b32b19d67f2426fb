import assert from 'node:assert/strict'
import { pathOf, type ServicePath } from '../../../src/core/service-path.js'
import { PathAnswers } from '../../../src/director/path-answers.js'
import type { Paths } from '../../../src/netlink/paths.js'
import { address, real, service, serviceId } from '../../support/tables.js'

function path(virtual: string, host: string, forwarding: 'gate' | 'masq' | 'ipip' = 'gate'): ServicePath {
  const one = real(host, { forwarding })
  return pathOf(service('web', { id: serviceId(virtual), reals: [one] }), one) as ServicePath
}

const V4 = path('192.0.2.80', '192.0.2.11')

/** What is said of a path on a machine that has these virtual addresses on the interface 3, and servers behind eth0, 2. */
function refusal(
  one: ServicePath,
  sysctls: Readonly<Record<string, string>>,
  held = [one.virtual.text],
): string {
  const flags = { isTentative: false, isDeprecated: false, isTemporary: false }
  const paths: Pick<Paths, 'routeTo' | 'addresses' | 'link'> = {
    routeTo: () => ({ kind: 'by', link: 2, source: address('192.0.2.1'), gateway: null }),
    addresses: () =>
      held.map(text => ({ address: address(text), link: 3, prefix: 32, scope: 'global' as const, ...flags })),
    link: index => ({ name: index === 2 ? 'eth0' : 'lo', isWorking: true, losses: 0 }),
  }
  const read = (name: string) => sysctls[name.replace('net.ipv4.conf.', '')] ?? '0'
  return new PathAnswers({ paths, read, now: () => 0 }).refusals([one]).get(one.key) ?? ''
}

describe('director: answers from virtual addresses', () => {
  it('are dropped over IPv4 without accept_local on the interface to the server, or on all', () => {
    assert.match(refusal(V4, {}), /set the sysctl net\.ipv4\.conf\.eth0\.accept_local to 1/)
    assert.equal(refusal(V4, { 'eth0.accept_local': '1' }), '')
    assert.equal(refusal(V4, { 'all.accept_local': '1' }), '')
    assert.match(refusal(path('192.0.2.80', '192.0.2.11', 'ipip'), {}), /accept_local/)
  })

  it('are dropped by a strict reverse path filter where the address is on another interface', () => {
    const strict = { 'eth0.accept_local': '1', 'all.rp_filter': '1' }
    assert.match(refusal(V4, strict), /rp_filter is strict: set net\.ipv4\.conf\.eth0\.rp_filter to 2/)
    assert.equal(refusal(V4, { ...strict, 'eth0.rp_filter': '2' }), '')
  })

  it('are one question where many checks fail at once, and asked about again afterwards', () => {
    let [asked, now] = [0, 0]
    const answers = new PathAnswers({
      paths: {
        routeTo: () => null,
        link: () => null,
        addresses: () => {
          asked++
          return []
        },
      },
      read: () => '0',
      now: () => now,
    })
    for (let i = 0; i < 100; i++) answers.refusals([V4])
    assert.equal(asked, 1)
    now = 20
    answers.refusals([V4])
    assert.equal(asked, 2)
  })

  it('are taken on every interface without asking for the one to each server', () => {
    let asked = 0
    const flags = { isTentative: false, isDeprecated: false, isTemporary: false }
    const answers = new PathAnswers({
      paths: {
        routeTo: () => {
          asked++
          return { kind: 'by', link: 2, source: address('192.0.2.1'), gateway: null }
        },
        addresses: () => [{ address: address('192.0.2.80'), link: 2, prefix: 32, scope: 'global', ...flags }],
        link: () => ({ name: 'eth0', isWorking: true, losses: 0 }),
      },
      read: name => (name === 'net.ipv4.conf.all.accept_local' ? '1' : '0'),
      now: () => 0,
    })
    assert.deepEqual([answers.refusals([V4]).size, asked], [0, 0])
  })

  it('are taken over IPv6, with NAT, and where another machine holds the address', () => {
    assert.equal(refusal(path('2001:db8::80', 'fd00:1::a'), {}), '')
    assert.equal(refusal(path('192.0.2.80', '192.0.2.11', 'masq'), {}), '')
    assert.equal(refusal(V4, {}, []), '')
  })
})
