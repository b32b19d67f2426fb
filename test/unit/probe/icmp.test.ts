import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Family } from '../../../src/core/address.js'
import { echoRequest, readEchoReply } from '../../../src/probe/icmp-packet.js'
import { runProbe, startProbe } from '../../../src/probe/start-probe.js'
import { openIcmpSocket } from '../../../src/system/datagram-sockets.js'
import { close } from '../../../src/system/libc.js'
import { closeNative, ENGINES, type RunProbe } from '../../support/native-probe.js'
import { address } from '../../support/tables.js'

function pingOn(run: RunProbe) {
  return (text: string, { size = 56, count = 1, timeout = 1000, source = '' } = {}) => {
    const to = address(text)
    const from = source === '' ? null : address(source)
    return run({ kind: 'icmp', address: to, size, count, source: from }, timeout)
  }
}

/** Why ping cannot be tried here, or null. */
function whyNot(family: Family): string | null {
  try {
    close(openIcmpSocket(family).fd)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function reply(family: Family, packet: Buffer): Buffer {
  const answer = Buffer.from(packet)
  answer[0] = family === 'ipv6' ? 129 : 0
  return answer
}

describe('icmp: echo packets', () => {
  it('are as RFC 792 and RFC 4443 have them', () => {
    const echo = { identifier: 0x1234, sequence: 0x0007, data: Buffer.from('abc') }
    // type 8, code 0, checksum, identifier, sequence, data
    assert.equal(echoRequest('ipv4', echo).toString('hex'), '0800' + '2162' + '1234' + '0007' + '616263')
    // type 128, code 0, checksum left to the kernel
    assert.equal(echoRequest('ipv6', echo).toString('hex'), '8000' + '0000' + '1234' + '0007' + '616263')
  })

  it('are read back as they were sent', () => {
    const echo = fc.record({
      identifier: fc.nat(0xffff),
      sequence: fc.nat(0xffff),
      data: fc.uint8Array({ maxLength: 100 }).map(bytes => Buffer.from(bytes)),
    })
    fc.assert(
      fc.property(fc.constantFrom<Family>('ipv4', 'ipv6'), echo, (family, sent) => {
        assert.deepEqual(readEchoReply(family, reply(family, echoRequest(family, sent)), false), { ...sent })
      }),
    )
  })

  it('have a checksum over which the sum of all words is complete', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.uint8Array({ maxLength: 64 }), (identifier, data) => {
        const packet = echoRequest('ipv4', { identifier, sequence: 1, data })
        let sum = 0
        for (let i = 0; i < packet.length; i += 2) sum += (packet[i] ?? 0) * 256 + (packet[i + 1] ?? 0)
        while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
        assert.equal(sum, 0xffff)
      }),
    )
  })

  it('are found behind an IP header with options', () => {
    const echo = { identifier: 1, sequence: 2, data: Buffer.from('x') }
    const header = Buffer.alloc(24)
    header[0] = 0x46
    const datagram = Buffer.concat([header, reply('ipv4', echoRequest('ipv4', echo))])
    assert.deepEqual(readEchoReply('ipv4', datagram, true), echo)
  })

  it('are nothing else: requests, short ones, other types', () => {
    const request = echoRequest('ipv6', { identifier: 1, sequence: 2, data: Buffer.alloc(0) })
    for (const datagram of [
      request,
      Buffer.alloc(0),
      reply('ipv6', request).subarray(0, 7),
      reply('ipv4', request),
    ])
      assert.equal(readEchoReply('ipv6', datagram, false), null)
    assert.equal(readEchoReply('ipv4', Buffer.from([0x4f]), true), null)
  })
})

for (const [family, host] of [
  ['ipv6', '::1'],
  ['ipv4', '127.0.0.1'],
] as const) {
  const why = whyNot(family)
  for (const { engine, run } of ENGINES) {
    const ping = pingOn(run)
    if (why === null)
      describe(`ping over ${family} ${engine}`, () => {
        after(closeNative)
        pings(host, ping)
      })
    else
      describe(`ping over ${family} ${engine}, where it is not allowed (${why})`, () => {
        after(closeNative)
        it('gives no verdict and says what to grant', async () => {
          const { ok, detail } = await ping(host)
          assert.equal(ok, null)
          assert.match(detail, /CAP_NET_RAW.*ping_group_range/)
        })
      })
  }
  if (why === null) describe(`the requests of a ping over ${family}`, () => requests(host, pingOn(runProbe)))
}

function pings(host: string, ping: ReturnType<typeof pingOn>): void {
  if (host === '127.0.0.1')
    it('is up from another address of this machine', async () => {
      const from = { source: '127.0.0.7' }
      assert.deepEqual([(await ping(host, from)).ok, (await ping(host, from)).ok], [true, true])
    })

  it('is up when the target answers', async () => {
    const { ok, detail, phase } = await ping(host)
    assert.deepEqual([ok, detail, phase], [true, 'answered 56 bytes', 'first byte'])
  })

  for (const size of [0, 1, 11, 12, 13, 1400])
    it(`is up with ${size} bytes of data`, async () => {
      assert.equal((await ping(host, { size })).detail, `answered ${size} bytes`)
    })

  it('serves many targets at once over one socket', async () => {
    const runs = Array.from({ length: 200 }, () => ping(host, { timeout: 3000 }))
    assert.deepEqual([...new Set((await Promise.all(runs)).map(({ reason }) => reason))], [null])
  })
}

function requests(host: string, ping: ReturnType<typeof pingOn>): void {
  it('spreads its requests evenly over the deadline', () => {
    const to = address(host)
    const run = startProbe({ probe: { kind: 'icmp', address: to, size: 56, count: 3 } }, 300, () => {})
    const wakes = [run.wakeAt]
    while (run.wakeAt < 300) {
      run.wake()
      wakes.push(run.wakeAt)
    }
    run.cancel()
    assert.deepEqual(wakes, [100, 200, Number.POSITIVE_INFINITY])
  })

  it('goes on after a run that was given up', async () => {
    const to = address(host)
    const run = startProbe({ probe: { kind: 'icmp', address: to, size: 56, count: 1 } }, 1000, () => {
      assert.fail('nobody asked any more')
    })
    run.cancel()
    assert.equal((await ping(host)).ok, true)
  })
}
