import assert from 'node:assert/strict'
import type { SyncDaemon } from '../../../src/core/sync-daemon.js'
import { ipvs } from '../../../src/ipvs/attributes.js'
import { decodeDaemon, encodeDaemon } from '../../../src/ipvs/sync-codec.js'
import { coder } from '../../../src/netlink/family.js'

const DAEMON: SyncDaemon = {
  state: 'backup',
  interface: 'eth0',
  id: 7,
  group: 'ff02::81',
  port: 8849,
  ttl: 3,
  maxLength: 1400,
}

function bytesOf(daemon: SyncDaemon): string {
  const { size, write } = coder(ipvs).encode({ DAEMON: encodeDaemon(daemon) })
  const buffer = Buffer.alloc(size)
  write(buffer, 0)
  return buffer.toString('hex')
}

describe('sync codec', () => {
  it('writes the attributes of the kernel', () => {
    assert.equal(
      bytesOf(DAEMON),
      [
        '4c00' + '0380', // IPVS_CMD_ATTR_DAEMON
        '0800' + '0100' + '02000000', // STATE: backup
        '0900' + '0200' + '6574683000' + '000000', // MCAST_IFN
        '0800' + '0300' + '07000000', // SYNC_ID
        '0600' + '0400' + '7805' + '0000', // SYNC_MAXLEN
        '1400' + '0600' + 'ff020000000000000000000000000081', // MCAST_GROUP6
        '0600' + '0700' + '9122' + '0000', // MCAST_PORT
        '0500' + '0800' + '03' + '000000', // MCAST_TTL
      ].join(''),
    )
  })

  it('leaves out what is left to the kernel, and reads back what it wrote', () => {
    const bare = { ...DAEMON, state: 'master', group: null, port: null, ttl: null, maxLength: null } as const
    assert.deepEqual(Object.keys(encodeDaemon(bare)), ['STATE', 'MCAST_IFN', 'SYNC_ID'])
    for (const one of [DAEMON, bare, { ...DAEMON, group: '224.0.0.81' }])
      assert.deepEqual(decodeDaemon(encodeDaemon(one)), one)
  })
})
