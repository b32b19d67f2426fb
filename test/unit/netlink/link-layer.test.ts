import assert from 'node:assert/strict'
import { openLinkLayer } from '../../../src/netlink/link-layer.js'
import { openSocket } from '../../../src/netlink/socket.js'
import { bytesOfHex } from '../../support/netlink/hex.js'

/** A kernel that answers each dump with these messages: type and body in hexadecimal digits. */
function answering(...messages: readonly (readonly [type: number, body: string])[]) {
  let sequence = 0
  let datagrams: Buffer[] = []
  return openLinkLayer({
    send(request) {
      sequence = Buffer.from(request).readUInt32LE(8)
      datagrams = messages.map(([type, body]) => {
        const content = bytesOfHex(body)
        const header = Buffer.alloc(16)
        header.writeUInt32LE(16 + content.length, 0)
        header.writeUInt16LE(type, 4)
        header.writeUInt32LE(sequence, 8)
        return Buffer.concat([header, content])
      })
    },
    receive: into => datagrams.shift()?.copy(into) ?? null,
    close: () => {},
  })
}

const DONE = [3, '00000000'] as const
/** RTM_NEWLINK with IFLA_ADDRESS and IFLA_IFNAME eth0; `flags` as in struct ifinfomsg. */
const link = (flags: string, type = '0100', hardware = '0a000100 020000000011 0000') =>
  [16, `0000 ${type} 02000000 ${flags} 00000000 ${hardware} 09000300 6574683000 000000`] as const
/** RTM_NEWNEIGH of 192.0.2.11 on interface 2, with NDA_DST and NDA_LLADDR. */
const neighbour = (state: string, hardware = '0a000200 020000000011 0000') =>
  [28, `02000000 02000000 ${state} 0001 08000100 c000020b ${hardware}`] as const

describe('netlink: hardware addresses', () => {
  it('knows the interfaces of this machine, and not lo, which has none that resolves', () => {
    const linkLayer = openLinkLayer(openSocket(65_536, 'route'))
    try {
      const links = linkLayer.links()
      assert.ok(links.every(({ hardware }) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(hardware)))
      assert.equal(links.find(({ name }) => name === 'lo')?.isEthernet ?? false, false)
      assert.ok(Array.isArray(linkLayer.neighbours()))
    } finally {
      linkLayer.close()
    }
  })

  const UP = '43100000'
  const cases: [string, ReturnType<typeof link>, boolean | null][] = [
    ['an Ethernet that is up', link(UP), true],
    ['one that is down', link('02100000'), false],
    ['one without a carrier', link('03100000'), false],
    ['one that does not resolve addresses (NOARP), as a dummy', link('c3000000'), false],
    ['a point-to-point one', link('53100000'), false],
    ['a loopback', link('49000000'), false],
    ['another type than Ethernet', link(UP, '0300'), false],
    [
      'one whose hardware address has another length, as InfiniBand',
      link(UP, '2000', '08000100 02000000'),
      null,
    ],
  ]
  for (const [what, message, isEthernet] of cases)
    it(`tells of an interface: ${what}`, () => {
      const found = answering(message, DONE).links()
      const expected = { index: 2, name: 'eth0', hardware: '02:00:00:00:00:11', isEthernet }
      assert.deepEqual(found, isEthernet === null ? [] : [expected])
    })

  it('knows neighbours with a hardware address, and not those that were asked for in vain', () => {
    const [reachable, stale, failed, incomplete] = ['0200', '0400', '2000', '0100']
    const all = [reachable, stale, failed, incomplete].map(state => neighbour(state))
    const found = answering(...all, neighbour('0200', '08000200 02000000'), DONE).neighbours()
    assert.deepEqual(
      found.map(({ address, hardware }) => [address.text, hardware]),
      [
        ['192.0.2.11', '02:00:00:00:00:11'],
        ['192.0.2.11', '02:00:00:00:00:11'],
      ],
    )
  })

  it('throws what the kernel refuses, and if it does not answer to the end', () => {
    const refused = answering([2, `${'ffffffff'} 00000000 00000000 00000000 00000000`])
    assert.throws(() => refused.links(), /does not tell hardware addresses: EPERM/)
    assert.throws(() => answering(link(UP)).links(), /gives no answer/)
  })
})
