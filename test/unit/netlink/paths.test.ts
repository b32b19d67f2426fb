/** Routes and interfaces of this machine; needs no rights. */
import assert from 'node:assert/strict'
import { type Address, parseAddress } from '../../../src/core/address.js'
import { NO_CHANGES, PATH_GROUPS, watchPaths } from '../../../src/netlink/path-changes.js'
import { openPaths } from '../../../src/netlink/paths.js'
import { openSocket } from '../../../src/netlink/socket.js'
import { SystemError } from '../../../src/system/libc.js'

const address = (text: string) => parseAddress(text) as Address

describe('netlink: paths', () => {
  it('knows the routes to this machine, and its loopback interface', () => {
    const paths = openPaths(openSocket(65_536, 'route'))
    try {
      for (const text of ['::1', '127.0.0.1'])
        assert.deepEqual(paths.routeTo(address(text)), { kind: 'local' })
      assert.equal(paths.routeTo(address('fe80::1%lo')), null)
      const { name, isWorking } = paths.link(1) ?? {}
      assert.deepEqual([name, isWorking], ['lo', true])
      assert.equal(paths.link(2 ** 30), null)
    } finally {
      paths.close()
    }
  })

  it('tells a refusal by its errno', () => {
    let request = Buffer.alloc(0)
    const answers = [-101]
    const paths = openPaths({
      send: datagram => {
        request = Buffer.from(datagram)
      },
      receive(into) {
        const errno = answers.pop()
        if (errno === undefined) return null
        const answer = Buffer.alloc(36)
        answer.writeUInt32LE(36, 0)
        answer.writeUInt16LE(2, 4) // NLMSG_ERROR
        answer.writeUInt32LE(request.readUInt32LE(8), 8)
        answer.writeInt32LE(errno, 16)
        answer.copy(into)
        return 36
      },
      close: () => {},
    })
    assert.deepEqual(paths.routeTo(address('2001:db8::1')), { kind: 'unreachable', code: 'ENETUNREACH' })
    assert.equal(
      request.toString('hex', 16),
      // struct rtmsg: family 10, 128 bits; RTA_DST
      '0a8000000000000000000000' + '14000100' + '20010db8000000000000000000000001',
    )
    assert.throws(() => paths.routeTo(address('2001:db8::1')), /gives no answer/)
  })

  it('knows the addresses of this machine', () => {
    const paths = openPaths(openSocket(65_536, 'route'))
    try {
      const own = paths.addresses().find(({ address: { text } }) => text === '127.0.0.1')
      assert.deepEqual(own && { ...own, address: own.address.text }, {
        address: '127.0.0.1',
        link: 1,
        prefix: 8,
        scope: 'host',
        isTentative: false,
        isDeprecated: false,
        isTemporary: false,
      })
    } finally {
      paths.close()
    }
  })

  it('reports changes by the addresses that they concern, and that some were lost', () => {
    const watch = watchPaths(openSocket(65_536, 'route', PATH_GROUPS))
    assert.deepEqual(watch.take(), NO_CHANGES)
    watch.close()
    // nlmsghdr: length 44, RTM_NEWADDR; ifaddrmsg: IPv6, /64, index 2; IFA_ADDRESS
    const added =
      '2c0000001400000000000000000000000a40000002000000' + '14000100' + 'fc000000000000000000000000000080'
    // RTM_NEWROUTE
    const routed = '1000000018000000' + '0000000000000000'
    const datagrams: (string | SystemError)[] = [added, new SystemError('ENOBUFS', 'recv'), routed]
    const fake = watchPaths({
      send: () => {},
      receive(into) {
        const next = datagrams.shift()
        if (next instanceof SystemError) throw next
        return next === undefined ? null : Buffer.from(next, 'hex').copy(into)
      },
      close: () => {},
    })
    assert.deepEqual(fake.take(), { addresses: new Set(['fc00::80']), routes: true, isLost: true })
    assert.deepEqual(fake.take(), NO_CHANGES)
  })
})
