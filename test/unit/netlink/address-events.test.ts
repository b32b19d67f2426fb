/** What the kernel reports about addresses. */
import assert from 'node:assert/strict'
import { changedAddresses, openAddressEvents } from '../../../src/netlink/address-events.js'

describe('netlink: address events', () => {
  it('name the addresses that changed', () => {
    // nlmsghdr: length 44, RTM_NEWADDR; ifaddrmsg: IPv6, /64, index 2; IFA_ADDRESS
    const added = `2c0000001400000000000000000000000a40000002000000${'14000100'}fc000000000000000000000000000080`
    assert.deepEqual([...(changedAddresses(Buffer.from(added, 'hex')) ?? [])], ['fc00::80'])
  })

  it('count as a change of all where they are malformed', () => {
    assert.equal(changedAddresses(Buffer.from('00', 'hex')), null)
  })

  it('come by a socket of the kernel, which is closed', () => {
    openAddressEvents(() => {}).close()
  })
})
