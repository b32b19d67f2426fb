import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Answer as DnsRecord, decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet'
import fc from 'fast-check'
import { check, reverseName } from '../../../checks/dns.js'
import { addressFromBytes, parseAddress } from '../../../src/core/address.js'
import { onCleanup } from '../../support/after-each.js'
import { problemOf } from '../../support/checks/options.js'
import { probe } from '../../support/probe.js'
import {
  drippingServer,
  garbageServer,
  hangUpServer,
  type Loopback,
  refusedPort,
  refusedUdpPort,
  silentServer,
  tcpServer,
  udpServer,
} from '../../support/servers.js'

/** The answer of a name server that knows these records, with whatever is to be wrong with it. */
function reply(query: Buffer, answers: DnsRecord[], wrong: Partial<Packet & { rcode: number }> = {}): Buffer {
  const { id, questions } = decode(query)
  const { rcode = 0, flags = 0, ...rest } = wrong
  const packet = { id, questions, answers, ...rest, type: 'response', flags: flags | rcode }
  return encode(packet as Packet)
}

function nameServer(answers: DnsRecord[], wrong = {}, host: Loopback = '::1') {
  return udpServer((query, answer) => answer(reply(query, answers, wrong)), host)
}

/** The same over TCP, at any port or at a given one's number. */
function tcpNameServer(answers: DnsRecord[], wrong = {}, host: Loopback = '::1') {
  return tcpServer(socket => {
    socket.once('data', data => {
      const message = reply(data.subarray(2), answers, wrong)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(message.length)
      // In two pieces, as a network may deliver it.
      socket.write(Buffer.concat([length, message.subarray(0, 3)]))
      setImmediate(() => socket.write(message.subarray(3)))
    })
  }, host)
}

/** A TXT record with pointers to pointers in it, and others that have the last of them as their name. */
function chained(query: Buffer, hops: number): Buffer {
  const question = query.subarray(12)
  const at = query.length + 12
  const pointers = Buffer.alloc(2 * hops)
  for (let i = 0; i < hops; i++) pointers.writeUInt16BE(0xc000 | (i === 0 ? 12 : at + 2 * (i - 1)), 2 * i)
  const first = record(12, pointers)
  const last = Math.min(at + 2 * (hops - 1), 0x3fff)
  const others = Array.from({ length: Math.min(3000, 65_000 - 2 * hops) / 14 }, () =>
    record(last, Buffer.from([1, 97])),
  )
  const head = Buffer.from(query.subarray(0, 12))
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(1 + others.length, 6)
  return Buffer.concat([head, question, first, ...others])
}

/** TYPE65280, whose data nobody reads. */
function record(name: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16BE(0xc000 | name)
  bytes.writeUInt16BE(65_280, 2)
  bytes.writeUInt16BE(1, 4)
  bytes.writeUInt16BE(data.length, 10)
  return Buffer.concat([bytes, data])
}

const aaaa: DnsRecord = { type: 'AAAA', name: 'www.example.com', ttl: 60, data: '2001:db8::80' }
const ask = { request: 'www.example.com', type: 'AAAA' }

for (const host of ['::1', '127.0.0.1'] as const)
  describe(`dns to ${host}`, () => {
    it('is up when the answer is there and matches', async () => {
      const server = await nameServer([aaaa], {}, host)
      for (const receive of [undefined, '2001:db8::80', '2001:0DB8:0::0080', '^2001:db8:', ''])
        assert.equal(
          (await probe(check, server, { ...ask, ...(receive === undefined ? {} : { receive }) })).ok,
          true,
        )
    })

    it('works over TCP as well', async () => {
      const server = await tcpNameServer([aaaa], {}, host)
      const result = await probe(check, server, { ...ask, transport: 'tcp', receive: '2001:db8::80' })
      assert.equal(result.ok, true, result.detail)
    })

    const faults: [string, string, object, () => Promise<{ host: string; port: number }>][] = [
      ['answers otherwise', 'unexpected', { receive: '2001:db8::81' }, () => nameServer([aaaa], {}, host)],
      ['knows no record', 'unexpected', {}, () => nameServer([], {}, host)],
      ['fails', 'status', {}, () => nameServer([], { rcode: 2 }, host)],
      ['answers with another id', 'garbage', {}, () => nameServer([aaaa], { id: 0x10000 - 1 }, host)],
      ['echoes', 'garbage', {}, () => udpServer((query, answer) => answer(query), host)],
      ['sends garbage', 'garbage', {}, () => udpServer((_query, answer) => answer('no DNS'), host)],
      ['stays silent', 'timeout', {}, () => udpServer(() => {}, host)],
      ['is not there', 'refused', {}, async () => ({ host, port: await refusedUdpPort(host) })],
      ['stays silent over TCP', 'timeout', { transport: 'tcp' }, () => silentServer(host)],
      ['drips over TCP', 'timeout', { transport: 'tcp' }, () => drippingServer('\0\xff answer', 20, host)],
      ['hangs up at once over TCP', 'closed', { transport: 'tcp' }, () => hangUpServer(host)],
      ['sends garbage over TCP', 'garbage', { transport: 'tcp' }, () => garbageServer(host)],
      [
        'is not there over TCP',
        'refused',
        { transport: 'tcp' },
        async () => ({ host, port: await refusedPort(host) }),
      ],
    ]
    for (const [phrase, reason, options, server] of faults)
      it(`is down when the server ${phrase}`, async () => {
        const timeout = reason === 'timeout' ? 120 : 3000
        const result = await probe(check, await server(), { ...ask, ...options }, { timeout })
        assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
      })
  })

describe('dns answer', () => {
  it('to another question is garbage', async () => {
    const other = { questions: [{ name: 'www.example.org', type: 'AAAA' as const }] }
    const { reason, detail } = await probe(check, await nameServer([aaaa], other), ask)
    assert.equal(reason, 'garbage')
    assert.match(detail, /another question: AAAA www\.example\.org/)
    assert.equal((await probe(check, await nameServer([aaaa], { questions: [] }), ask)).reason, 'garbage')
  })

  it('may have other upper and lower case, and no question in a refusal', async () => {
    const questions = [{ name: 'WWW.example.COM', type: 'AAAA' as const }]
    assert.equal((await probe(check, await nameServer([aaaa], { questions }), ask)).ok, true)
    const refusing = await nameServer([], { questions: [], rcode: 5 })
    assert.equal((await probe(check, refusing, { ...ask, rcode: 'REFUSED' })).ok, true)
  })

  it('may be an expected error', async () => {
    const server = await nameServer([], { rcode: 3 })
    assert.equal((await probe(check, server, { ...ask, rcode: 'NXDOMAIN' })).ok, true)
    const { reason, detail } = await probe(check, server, ask)
    assert.deepEqual([reason, detail], ['status', 'NXDOMAIN for AAAA www.example.com, expected NOERROR'])
  })

  it('may be empty if no record is required, or must have several records', async () => {
    assert.equal((await probe(check, await nameServer([]), { ...ask, answers: 0 })).ok, true)
    const { detail } = await probe(check, await nameServer([aaaa]), { ...ask, answers: 2 })
    assert.match(detail, /^1 records .* at least 2$/)
  })

  /** Over UDP this answer, over TCP on the same port the record. */
  async function onBoth(answer: (query: Buffer) => Buffer) {
    const tcp = await tcpNameServer([aaaa])
    // The same port over UDP is free: ports of the two protocols have nothing to do with each other.
    const socket = createSocket('udp6').bind(tcp.port, '::1')
    socket.on('message', (query, from) => socket.send(answer(query), from.port, from.address))
    onCleanup(() => new Promise<void>(closed => socket.close(closed)))
    await once(socket, 'listening')
    return tcp
  }

  const many = Array.from({ length: 20 }, () => aaaa)
  const cuts: [string, (query: Buffer) => Buffer][] = [
    ['empty', query => reply(query, [], { flags: TRUNCATED_RESPONSE })],
    ['within a record', query => reply(query, many, { flags: TRUNCATED_RESPONSE }).subarray(0, 300)],
    [
      'before the records',
      query => reply(query, many, { flags: TRUNCATED_RESPONSE }).subarray(0, query.length),
    ],
    ['before the question', query => reply(query, [], { flags: TRUNCATED_RESPONSE, questions: [] })],
    [
      'with bytes that are no record',
      query =>
        Buffer.concat([
          reply(query, many, { flags: TRUNCATED_RESPONSE }).subarray(0, query.length),
          Buffer.alloc(90, 255),
        ]),
    ],
  ]
  for (const [phrase, answer] of cuts)
    it(`truncated over UDP, ${phrase}, is requested again over TCP`, async () => {
      const tcp = await onBoth(answer)
      const result = await probe(check, tcp, { ...ask, receive: '2001:db8::80' })
      assert.equal(result.ok, true, result.detail)
      assert.equal(tcp.count(), 1)
    })

  it('cut off without the truncation bit is garbage', async () => {
    for (const length of [20, 60, 300]) {
      const tcp = await onBoth(query => reply(query, many).subarray(0, length))
      const { reason, detail } = await probe(check, tcp, ask)
      assert.equal(reason, 'garbage')
      assert.match(detail, /not DNS: (it is incomplete|an incomplete record)/)
      assert.equal(tcp.count(), 0)
    }
  })

  it('of chains of compression costs no more than its length', async () => {
    const before = performance.eventLoopUtilization()
    for (const hops of [3, 8000]) {
      const server = await tcpServer(socket => {
        socket.once('data', data => {
          const message = chained(data.subarray(2), hops)
          const length = Buffer.alloc(2)
          length.writeUInt16BE(message.length)
          socket.write(Buffer.concat([length, message]))
        })
      })
      const result = await probe(check, server, { ...ask, type: 'TXT', transport: 'tcp', answers: 0 })
      assert.deepEqual(
        [result.ok, result.reason],
        hops === 3 ? [true, null] : [false, 'garbage'],
        result.detail,
      )
    }
    assert.ok(performance.eventLoopUtilization(before).active < 1000)
  })

  const broken: [string, string, RegExp][] = [
    ['a name that points to itself', 'c02d', /points forward/],
    [
      'a name of labels and pointers in a ring',
      '01610161c02d',
      /an invalid name|points forward|too many steps/,
    ],
    ['an address of five bytes', 'c00c001c000100000000000500000000', /address of 5 bytes|incomplete record/],
    ['a label of a kind that there is not', '8000', /an invalid name/],
    [
      'a record that is longer than its length',
      'c00c000f00010000000000020001',
      /it is incomplete|fit its length/,
    ],
  ]
  for (const [phrase, hex, expected] of broken)
    it(`with ${phrase} is garbage`, async () => {
      const server = await udpServer((query, answer) => {
        const message = Buffer.concat([reply(query, []), Buffer.from(hex, 'hex')])
        message.writeUInt16BE(1, 6)
        answer(message)
      })
      const { reason, detail } = await probe(check, server, ask)
      assert.equal(reason, 'garbage')
      assert.match(detail, expected)
    })

  const records: [string, DnsRecord, string][] = [
    ['A', { type: 'A', name: 'x.example', data: '192.0.2.1' }, '192.0.2.1'],
    ['CNAME', { type: 'CNAME', name: 'x.example', data: 'y.example' }, 'y.example'],
    [
      'MX',
      { type: 'MX', name: 'x.example', data: { preference: 10, exchange: 'm.example' } },
      '10 m.example',
    ],
    ['NS', { type: 'NS', name: 'x.example', data: 'ns.example' }, 'ns.example'],
    ['TXT', { type: 'TXT', name: 'x.example', data: ['v=spf1 ', '-all'] }, 'v=spf1 -all'],
    [
      'SRV',
      { type: 'SRV', name: 'x.example', data: { priority: 1, weight: 2, port: 3, target: 't.example' } },
      '1 2 3 t.example',
    ],
    [
      'SOA',
      {
        type: 'SOA',
        name: 'x.example',
        data: {
          mname: 'a.example',
          rname: 'b.example',
          serial: 1,
          refresh: 2,
          retry: 3,
          expire: 4,
          minimum: 5,
        },
      },
      'a.example b.example 1 2 3 4 5',
    ],
    [
      'DS',
      {
        type: 'DS',
        name: 'x.example',
        data: { keyTag: 7, algorithm: 13, digestType: 2, digest: Buffer.from('ab12', 'hex') },
      },
      '7 13 2 AB12',
    ],
    [
      'DNSKEY',
      { type: 'DNSKEY', name: 'x.example', data: { flags: 257, algorithm: 13, key: Buffer.from('key') } },
      '257 13 a2V5',
    ],
    ['HINFO', { type: 'HINFO', name: 'x.example', data: { cpu: 'z80', os: 'CP/M' } }, 'z80 CP/M'],
    ['DNAME', { type: 'DNAME', name: 'x.example', data: 'y.example' }, 'y.example'],
    [
      'RP',
      { type: 'RP', name: 'x.example', data: { mbox: 'm.example', txt: 't.example' } },
      'm.example t.example',
    ],
    [
      'NAPTR',
      {
        type: 'NAPTR',
        name: 'x.example',
        data: {
          order: 1,
          preference: 2,
          flags: 's',
          services: 'SIP+D2U',
          regexp: '',
          replacement: 'y.example',
        },
      },
      '1 2 s SIP\\+D2U  y.example',
    ],
    [
      'SSHFP',
      {
        type: 'SSHFP',
        name: 'x.example',
        data: { algorithm: 4, hash: 2, fingerprint: 'ab'.repeat(32) },
      } as DnsRecord,
      `4 2 ${'AB'.repeat(32)}`,
    ],
    [
      'TLSA',
      {
        type: 'TLSA',
        name: 'x.example',
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('ff', 'hex') },
      },
      '3 1 1 FF',
    ],
    [
      'CAA',
      { type: 'CAA', name: 'x.example', data: { flags: 0, tag: 'issue', value: 'ca.example' } },
      '0 issue ca.example',
    ],
  ]
  for (const [type, record, text] of records)
    it(`of type ${type} reads ${text}`, async () => {
      const server = await nameServer([record])
      const result = await probe(check, server, { request: 'x.example', type, receive: `^${text}$` })
      assert.equal(result.ok, true, result.detail)
    })
})

describe('dns: the question of dns', () => {
  it('asks for the PTR record of an address', async () => {
    const names: string[] = []
    const server = await udpServer((query, answer) => {
      const { questions = [] } = decode(query)
      for (const { name, type } of questions) names.push(`${type} ${name}`)
      const name = questions[0]?.name ?? ''
      answer(reply(query, [{ type: 'PTR', name, data: 'host.example' }]))
    })
    for (const request of ['192.0.2.1', '2001:db8::1'])
      assert.equal((await probe(check, server, { request, receive: 'host.example' })).ok, true)
    assert.deepEqual(names, [
      'PTR 1.2.0.192.in-addr.arpa',
      'PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    ])
  })

  it('has a name that can be converted back to the address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
        const digits = reverseName(addressFromBytes(bytes)).replace('.ip6.arpa', '').split('.').reverse()
        const groups = digits.join('').match(/.{4}/g) ?? []
        assert.equal(parseAddress(groups.join(':'))?.text, addressFromBytes(bytes).text)
      }),
    )
  })

  it('may be about the root, with or without recursion', async () => {
    const flags: boolean[] = []
    const server = await udpServer((query, answer) => {
      flags.push(decode(query).flag_rd)
      answer(reply(query, [{ type: 'NS', name: '.', data: 'a.root.example' }]))
    })
    for (const recursion of [true, false]) {
      const result = await probe(check, server, { request: '.', type: 'NS', recursion, receive: 'root' })
      assert.equal(result.ok, true, result.detail)
    }
    assert.deepEqual(flags, [true, false])
  })

  it('refuses an invalid name, and a pattern that can never match', () => {
    for (const request of ['', 'a..b', `${'a'.repeat(64)}.example`, 'a b', 'é'])
      assert.match(problemOf(check, { request }) ?? '', /neither/, request)
    assert.match(problemOf(check, { request: 'a', rcode: 'NXDOMAIN', receive: 'x' }) ?? '', /no records/)
    assert.equal(problemOf(check, { request: '_sip._udp.example.com.' }), null)
  })
})
