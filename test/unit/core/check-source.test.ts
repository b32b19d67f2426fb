import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Address, parseAddress } from '../../../src/core/address.js'
import {
  chooseSource,
  type OwnAddress,
  pathSource,
  type SourceRoute,
} from '../../../src/core/check-source.js'

const address = (text: string) => parseAddress(text) as Address

function own(text: string, link: number, prefix: number, more: Partial<OwnAddress> = {}): OwnAddress {
  const scope = /^(fe80|169\.254)/.test(text) ? 'link' : /^(127|::1$)/.test(text) ? 'host' : 'global'
  const flags = { isTentative: false, isDeprecated: false, isTemporary: false }
  return { address: address(text), link, prefix, scope, ...flags, ...more }
}

const via = (source: string, link = 2, gateway: string | null = null): SourceRoute => ({
  link,
  gateway: gateway === null ? null : address(gateway),
  source: address(source),
})

/** The choice in words: `kernel`, `virtual`, or the address. */
function choose(target: string, route: SourceRoute, all: readonly OwnAddress[], virtual: readonly string[]) {
  const choice = chooseSource(address(target), route, all, ({ text }) => virtual.includes(text))
  return choice.kind === 'replaced' ? choice.source.text : choice.kind
}

const LO = [own('127.0.0.1', 1, 8), own('::1', 1, 128)]
const VIP = own('fc00::80', 2, 64)
const OWN = own('fc00::1', 2, 64)
const DEPRECATED = { isDeprecated: true }

describe('core: the source of checks', () => {
  it('is another address of this machine where the kernel chooses a virtual one', () => {
    const far = own('fc01::1', 3, 64)
    const cases: [string, string, SourceRoute, OwnAddress[], string][] = [
      ['the kernel chooses another address', 'fc00::11', via('fc00::1'), [VIP, OWN], 'kernel'],
      ['another one on the interface', 'fc00::11', via('fc00::80'), [VIP, OWN, far], 'fc00::1'],
      ['another one on another interface', 'fc00::11', via('fc00::80'), [VIP, far], 'fc01::1'],
      ['no other one', 'fc00::11', via('fc00::80'), [VIP], 'virtual'],
      ['a tentative one', 'fc00::11', via('fc00::80'), [VIP, { ...OWN, isTentative: true }], 'virtual'],
      ['a deprecated one', 'fc00::11', via('fc00::80'), [VIP, { ...OWN, ...DEPRECATED }], 'fc00::1'],
      [
        'a deprecated one here, a preferred one elsewhere',
        'fc00::11',
        via('fc00::80'),
        [VIP, { ...OWN, ...DEPRECATED }, far],
        'fc01::1',
      ],
      ['a link-local one only', 'fc00::11', via('fc00::80'), [VIP, own('fe80::1', 2, 64)], 'virtual'],
      ['an address alone on lo', 'fc00::11', via('fc00::80'), [VIP, own('fc00::9', 1, 128)], 'fc00::9'],
      [
        'the same on lo and on another interface',
        'fc00::11',
        via('fc00::80'),
        [VIP, own('fc00::9', 1, 128), far],
        'fc01::1',
      ],
      [
        'an address alone beside one with its subnet',
        'fc00::11',
        via('fc00::80'),
        [VIP, own('fc00::10', 2, 128), OWN],
        'fc00::1',
      ],
      [
        'a global and a unique local one',
        '2001:db8::11',
        via('fc00::80'),
        [VIP, OWN, own('2001:db8:9::1', 2, 64)],
        '2001:db8:9::1',
      ],
      [
        'the subnet of the gateway',
        'fc0a::11',
        via('fc00::80', 2, 'fc07::fe'),
        [VIP, OWN, own('fc07::1', 2, 64)],
        'fc07::1',
      ],
      [
        'a temporary one',
        'fc00::11',
        via('fc00::80'),
        [VIP, own('fc00::7', 2, 64, { isTemporary: true }), OWN],
        'fc00::1',
      ],
      ['a link-local target', 'fe80::9%eth0', via('fc00::80'), [VIP, OWN], 'kernel'],
      [
        'IPv4: the own address is a secondary one',
        '10.0.0.11',
        via('10.0.0.80'),
        [own('10.0.0.80', 2, 24), own('10.0.0.1', 2, 24)],
        '10.0.0.1',
      ],
      [
        'IPv4: an address of the link only',
        '10.0.0.11',
        via('10.0.0.80'),
        [own('10.0.0.80', 2, 24), own('169.254.0.1', 2, 16)],
        'virtual',
      ],
    ]
    for (const [words, target, route, all, expected] of cases)
      assert.equal(choose(target, route, [...LO, ...all], ['fc00::80', '10.0.0.80']), expected, words)
  })

  it('is not a deprecated address where a preferred one exists', () => {
    const old = { ...OWN, ...DEPRECATED }
    const other = own('fc00::2', 2, 64)
    assert.equal(choose('fc00::11', via('fc00::1'), [old, other], []), 'fc00::2')
    assert.equal(choose('fc00::11', via('fc00::1'), [old], []), 'kernel')
    assert.equal(choose('fc00::11', via('fc00::1'), [old, { ...other, ...DEPRECATED }], []), 'kernel')
  })

  const anyOwn = fc.record({
    text: fc.constantFrom(
      'fc00::1',
      'fc00::2',
      'fc01::1',
      '2001:db8::1',
      'fe80::1',
      '::1',
      '10.0.0.1',
      '127.0.0.1',
    ),
    link: fc.integer({ min: 1, max: 3 }),
    prefix: fc.constantFrom(24, 32, 64, 128),
    isTentative: fc.boolean(),
    isDeprecated: fc.boolean(),
    isTemporary: fc.boolean(),
  })

  it('is always usable, does not depend on the order, and is preferred and near where that is possible', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyOwn, { maxLength: 6, selector: ({ text }) => text }),
        fc.constantFrom('fc00::11', '2001:db8::11', '10.0.0.11'),
        fc.integer({ min: 2, max: 3 }),
        fc.uniqueArray(fc.constantFrom<string>('fc00::1', 'fc00::2', '2001:db8::1', '10.0.0.1')),
        (addresses, target, link, virtual) => {
          const isIpv4 = target.startsWith('10.')
          const source = isIpv4 ? '10.0.0.80' : 'fc00::80'
          const all = addresses.map(({ text, link, prefix, ...flags }) =>
            own(text, link, isIpv4 ? Math.min(prefix, 32) : prefix, flags),
          )
          const route = via(source, link)
          const chosen = choose(target, route, all, [source, ...virtual])
          assert.equal(choose(target, route, all.toReversed(), [source, ...virtual]), chosen)
          const usable = all.filter(
            each =>
              each.scope === 'global' &&
              !each.isTentative &&
              each.address.family === address(target).family &&
              !virtual.includes(each.address.text),
          )
          if (usable.length === 0) {
            assert.equal(chosen, 'virtual')
            return
          }
          const found = usable.find(each => each.address.text === chosen)
          assert.ok(found, `${chosen} is not usable`)
          const preferred = usable.filter(each => !each.isDeprecated)
          if (preferred.length > 0) assert.ok(preferred.includes(found))
          const near = (preferred.length > 0 ? preferred : usable).filter(each => each.link === link)
          if (near.length > 0) assert.ok(near.includes(found))
        },
      ),
    )
  })
})

describe('core: the source of checks through the path of a service', () => {
  const of = (
    virtual: string,
    route: { link: number; source: Address | null } | null,
    all: readonly OwnAddress[],
    others: readonly string[] = [],
  ) => pathSource(address(virtual), route, all, ({ text }) => others.includes(text))?.text ?? null

  it('is that for the real server, unless it is virtual or of another family', () => {
    const route = (source: string) => ({ link: 2, source: address(source) })
    const v4 = own('192.0.2.1', 2, 24)
    assert.equal(of('fc00::80', route('fc00::1'), [VIP, OWN]), 'fc00::1')
    assert.equal(of('fc00::80', route('fc00::80'), [VIP, OWN]), 'fc00::1')
    assert.equal(of('fc00::80', route('fc00::81'), [VIP, OWN], ['fc00::81']), 'fc00::1')
    assert.equal(of('fc00::80', route('192.0.2.1'), [VIP, v4, OWN]), 'fc00::1')
    assert.equal(of('192.0.2.80', route('fc00::1'), [VIP, v4, OWN]), '192.0.2.1')
    assert.equal(of('fc00::80', null, [VIP, OWN]), 'fc00::1')
  })

  it('is none where this machine has virtual, tentative and loopback addresses alone', () => {
    const tentative = { ...OWN, isTentative: true }
    assert.equal(of('fc00::80', null, [...LO, VIP, tentative, own('fe80::1', 2, 64)]), null)
  })

  it('is never the virtual address, nor another one', () => {
    const addresses = ['fc00::80', 'fc00::81', 'fc00::1', 'fc01::1', '192.0.2.1']
    fc.assert(
      fc.property(fc.subarray(addresses), fc.option(fc.constantFrom(...addresses)), (held, source) => {
        const route = source === null ? null : { link: 2, source: address(source) }
        const chosen = of(
          'fc00::80',
          route,
          held.map(text => own(text, 2, 64)),
          ['fc00::81'],
        )
        assert.ok(chosen === null || ['fc00::1', 'fc01::1'].includes(chosen))
        if (held.includes('fc00::1')) assert.notEqual(chosen, null)
      }),
    )
  })
})
