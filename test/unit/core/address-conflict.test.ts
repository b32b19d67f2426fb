import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type AddressRound,
  afterRound,
  answerers,
  type Conflict,
  conflictText,
  type EthernetLink,
  MISSES_TO_END,
  type NamedAnswer,
  questionsAbout,
  sharedAddresses,
} from '../../../src/core/address-conflict.js'
import type { OwnAddress } from '../../../src/core/check-source.js'
import { address, real, service, serviceId } from '../../support/tables.js'

const NOBODY = { real: null, address: null }

describe('address-conflict: the addresses of a configuration', () => {
  const shared = (...services: ReturnType<typeof service>[]) =>
    [...sharedAddresses({ services })].map(([text, one]) => [text, ...one.services.map(({ name }) => name)])

  it('are distinct, each with its services', () => {
    const web = service('web', { id: serviceId('192.0.2.80', 80) })
    const tls = service('tls', { id: serviceId('192.0.2.80', 443) })
    const six = service('six', { id: serviceId('2001:db8::80', 80) })
    assert.deepEqual(shared(web, tls, six), [
      ['192.0.2.80', 'web', 'tls'],
      ['2001:db8::80', 'six'],
    ])
  })

  it('are not those of firewall marks, of names without an address, and of one link', () => {
    const marked = service('marked', { id: { kind: 'fwmark', fwmark: 1, family: 'ipv4' } })
    const unknown = service('unknown', { id: null })
    const local = service('local', { id: serviceId('fe80::80', 80) })
    assert.deepEqual(shared(marked, unknown, local), [])
  })
})

const LINKS: ReadonlyMap<number, EthernetLink> = new Map(
  [2, 3].map(index => [index, { index, name: `eth${index}`, hardware: `02:00:00:00:00:0${index}` }]),
)
const own = (text: string, link: number, prefix: number, more: Partial<OwnAddress> = {}): OwnAddress => ({
  ...{ address: address(text), link, prefix, scope: 'global' },
  ...{ isTentative: false, isDeprecated: false, isTemporary: false, ...more },
})

describe('address-conflict: a question', () => {
  const asked = (text: string, ...all: OwnAddress[]) =>
    questionsAbout([address(text)], all, LINKS).map(({ link }) => link)
  const cases: [string, number[], string, OwnAddress[]][] = [
    ['goes to the interface that has the address', [2], '192.0.2.80', [own('192.0.2.80', 2, 32)]],
    [
      'goes to other interfaces whose prefix contains it as well',
      [2, 3],
      '192.0.2.80',
      [own('192.0.2.80', 2, 32), own('192.0.2.1', 3, 24), own('198.51.100.1', 3, 24)],
    ],
    [
      'goes nowhere if the address is on lo: that of a backup, or of a real server',
      [],
      '192.0.2.80',
      [own('192.0.2.80', 1, 32), own('192.0.2.1', 2, 24)],
    ],
    ['goes nowhere if this machine does not have the address', [], '192.0.2.80', [own('192.0.2.1', 2, 24)]],
    [
      'goes nowhere while the address is tentative, or refused as a duplicate',
      [],
      '2001:db8::80',
      [own('2001:db8::80', 2, 128, { isTentative: true })],
    ],
    [
      'does not follow a prefix of all bits, or one of the link alone',
      [2],
      '2001:db8::80',
      [
        own('2001:db8::80', 2, 128),
        own('2001:db8::81', 3, 128),
        own('2001:db8::1', 3, 64, { scope: 'link' }),
      ],
    ],
  ]
  for (const [what, links, text, all] of cases) it(what, () => assert.deepEqual(asked(text, ...all), links))

  it('follows exactly the prefixes that contain the address', () => {
    const byte = fc.nat(255)
    fc.assert(
      fc.property(
        fc.tuple(byte, byte),
        fc.tuple(byte, byte),
        fc.integer({ min: 16, max: 31 }),
        (a, b, prefix) => {
          const [one, other] = [`10.0.${a.join('.')}`, `10.0.${b.join('.')}`]
          const bits = ([high, low]: [number, number]) => ((high << 8) | low) >> (32 - prefix)
          const links = asked(one, own(one, 2, 32), own(other, 3, prefix))
          assert.deepEqual(links, bits(a) === bits(b) ? [2, 3] : [2])
        },
      ),
    )
  })
})

describe('address-conflict: thousands of addresses in one network', () => {
  const COUNT = 3000
  const texts = Array.from({ length: COUNT }, (_, i) => `10.0.${i >> 8}.${i & 255}`)

  it('are looked at a few times each for the questions', () => {
    let looks = 0
    const all = texts.map(text => {
      const one = own(text, 2, 16)
      const get = () => {
        looks++
        return one.address
      }
      return Object.defineProperty({ ...one }, 'address', { get })
    })
    const questions = questionsAbout(texts.map(address), all, LINKS)
    assert.equal(questions.length, COUNT)
    assert.ok(looks <= 10 * COUNT, `${looks} looks`)
  })

  it('are gone through once for the names of those that answer', () => {
    const shared = texts.map(text => ({ address: address(text), services: [service(text)] }))
    let passes = 0
    const all = {
      [Symbol.iterator]() {
        passes++
        return shared.values()
      },
    }
    const router = { address: address('192.0.2.7'), hardware: '02:00:00:00:00:07' }
    const nameOf = answerers([router], all)
    for (const one of shared)
      assert.deepEqual(nameOf(router.hardware, one), { real: null, address: '192.0.2.7' })
    assert.equal(passes, 1)
  })
})

describe('address-conflict: the machine that answers', () => {
  const HARDWARE = '02:00:00:00:00:11'
  const shared = {
    address: address('192.0.2.80'),
    services: [service('web', { reals: [real('192.0.2.11')] })],
  }
  const others = { address: address('192.0.2.81'), services: [service('b', { reals: [real('192.0.2.99')] })] }
  const neighbour = (text: string, hardware = HARDWARE) => ({ address: address(text), hardware })
  const who = (...neighbours: ReturnType<typeof neighbour>[]) =>
    answerers(neighbours, [shared, others])(HARDWARE, shared)

  it('is the real server of the address that has its hardware address', () => {
    const all = [
      neighbour('192.0.2.99'),
      neighbour('192.0.2.11'),
      neighbour('192.0.2.12', '02:00:00:00:00:12'),
    ]
    assert.deepEqual(who(...all), { real: '192.0.2.11', address: '192.0.2.11' })
  })

  it('is a real server of another address', () => {
    assert.deepEqual(who(neighbour('192.0.2.99')), { real: '192.0.2.99', address: '192.0.2.99' })
  })

  it('is another machine, by an address that it has besides, or by its hardware address alone', () => {
    assert.deepEqual(who(neighbour('fe80::1'), neighbour('192.0.2.7')), { real: null, address: '192.0.2.7' })
    assert.deepEqual(who(neighbour('192.0.2.80')), NOBODY)
    assert.deepEqual(who(), NOBODY)
  })

  it('is told with what to do about it', () => {
    const text = (virtual: string, server: string | null) =>
      conflictText({
        ...{ address: address(virtual), hardware: HARDWARE, interface: 'eth0' },
        who: { real: server, address: server ?? '192.0.2.7' },
      })
    assert.equal(
      text('192.0.2.80', '192.0.2.11'),
      'the real server 192.0.2.11 (02:00:00:00:00:11 on eth0) answers ARP requests for 192.0.2.80, so clients may go past this director: set net.ipv4.conf.all.arp_ignore=1 and net.ipv4.conf.all.arp_announce=2 there, with the address on lo',
    )
    assert.match(text('2001:db8::80', '2001:db8::11'), /solicitations for 2001:db8::80.*must be on lo alone$/)
    assert.match(text('192.0.2.80', null), /^another machine \(192\.0\.2\.7, 02.*only one machine may hold/)
  })
})

const answer = (text: string, n: number): NamedAnswer => ({
  ...{ address: address(text), link: 2, interface: 'eth2', who: NOBODY },
  hardware: `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`,
})
const VIRTUAL = '192.0.2.80'
const round = (...answers: NamedAnswer[]): AddressRound => ({
  ...{ held: new Set([VIRTUAL]), asked: new Set([VIRTUAL]), answers, at: 1000 },
})

/** What each round tells: `+` with the last digits of the machine, or `-`. */
function story(...rounds: AddressRound[]): string[] {
  let conflicts: readonly Conflict[] = []
  return rounds.map(one => {
    const { began, over, ...next } = afterRound(conflicts, one)
    conflicts = next.conflicts
    return [...began.map(({ hardware }) => `+${hardware.slice(-2)}`), ...over.map(() => '-')].join(' ')
  })
}

describe('address-conflict: rounds of questions', () => {
  const [one, two, none] = [answer(VIRTUAL, 1), answer(VIRTUAL, 2), round()]
  const unasked = { ...none, asked: new Set<string>() }
  const elsewhere = { ...none, held: new Set<string>() }
  const cases: [string, AddressRound[], string[]][] = [
    ['begin a conflict with the second answer', [round(one), round(one), round(one)], ['', '+01', '']],
    ['tell nothing of one answer, as at a takeover', [round(one), none, round(one)], ['', '', '']],
    ['bear one lost answer', [round(one), round(one), none, round(one)], ['', '+01', '', '']],
    ['end it after two without an answer', [round(one), round(one), none, none], ['', '+01', '', '-']],
    [
      'tell of each machine, and the end with the last one',
      [round(one, two), round(one, two), round(two), round(two), none, none],
      ['', '+01 +02', '', '', '', '-'],
    ],
    [
      'leave an address alone that was not asked about',
      [round(one), round(one), unasked, unasked, unasked],
      ['', '+01', '', '', ''],
    ],
    [
      'end it at once when the address leaves this machine',
      [round(one), round(one), elsewhere, round(one)],
      ['', '+01', '-', ''],
    ],
    [
      'count a machine once that answers on two interfaces',
      [round(one, { ...one, link: 3 }), round(one)],
      ['', '+01'],
    ],
  ]
  for (const [what, rounds, told] of cases) it(what, () => assert.deepEqual(story(...rounds), told))

  const rounds = fc.array(
    fc.record({
      machines: fc.uniqueArray(fc.nat(20), { maxLength: 12 }),
      isAsked: fc.boolean(),
      isHeld: fc.boolean(),
    }),
    { maxLength: 30 },
  )

  it('tell begin and end in turn, remember few machines, and end whatever began', () => {
    fc.assert(
      fc.property(rounds, all => {
        let conflicts: readonly Conflict[] = []
        let firing = 0
        const play = (one: AddressRound) => {
          const { began, over, ...next } = afterRound(conflicts, one)
          const before = new Set(conflicts.map(({ hardware }) => hardware))
          assert.ok(began.every(({ hardware }) => before.has(hardware)))
          conflicts = next.conflicts
          assert.ok(conflicts.length <= 8)
          const now = conflicts.filter(({ isTold }) => isTold).length
          assert.equal(over.length > 0, firing > 0 && now === 0)
          firing = now
        }
        for (const { machines, isAsked, isHeld } of all)
          play({
            held: new Set(isHeld ? [VIRTUAL] : []),
            asked: new Set(isHeld && isAsked ? [VIRTUAL] : []),
            answers: isHeld && isAsked ? machines.map(n => answer(VIRTUAL, n)) : [],
            at: 0,
          })
        for (let i = 0; i < MISSES_TO_END; i++) play(round())
        assert.deepEqual([conflicts.length, firing], [0, 0])
      }),
    )
  })

  it('remember a bounded number, however many machines are made up', () => {
    const texts = Array.from({ length: 200 }, (_, i) => `10.0.0.${i}`)
    const answers = texts.flatMap(text => Array.from({ length: 20 }, (_, n) => answer(text, n)))
    const held = new Set(texts)
    assert.equal(afterRound([], { held, asked: held, answers, at: 0 }).conflicts.length, 1000)
  })
})
