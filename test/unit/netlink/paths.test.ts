/** Routes and interfaces of this machine; needs no rights. */
import assert from 'node:assert/strict'
import { type Address, parseAddress } from '../../../src/core/address.js'
import { openPaths } from '../../../src/netlink/paths.js'
import { openSocket } from '../../../src/netlink/socket.js'

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
})
