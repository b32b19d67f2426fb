import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Change, familyOf, type ServiceId } from '../../../src/core/model.js'
import {
  type DestValues,
  forward,
  type IpvsRequest,
  ipvs,
  type ServiceValues,
  serviceFlag,
} from '../../../src/ipvs/attributes.js'
import {
  decodeCounters,
  decodeReal,
  decodeRealCounters,
  decodeService,
  encodeService,
  encodeServiceId,
  requestOf,
} from '../../../src/ipvs/codec.js'
import { coder } from '../../../src/netlink/family.js'
import { anyChange } from '../../support/ipvs.js'
import { bytesOfHex, failsAsMalformed } from '../../support/netlink/hex.js'
import { address, SERVICE_ATTRIBUTES, serviceId, tableReal } from '../../support/tables.js'

const { encode, decode, commandNumber } = coder(ipvs)

/** The command and the attributes, as the kernel gets them. */
function bytesOf({ command, values }: IpvsRequest): string {
  const { size, write } = encode(values)
  const body = Buffer.alloc(size)
  write(body, 0)
  return Buffer.from([commandNumber(command)]).toString('hex') + body.toString('hex')
}

/** The attributes of a request once they went over the wire. */
function sent({ values }: IpvsRequest) {
  const { size, write } = encode(values)
  const body = Buffer.alloc(size)
  write(body, 0)
  return decode(body, 0, size)
}

const WEB = serviceId('2001:db8::80')
const MARK: ServiceId = { kind: 'fwmark', fwmark: 258, family: 'ipv6' }
const persistent = {
  scheduler: 'sh',
  schedulerFlags: ['flag-1', 'flag-2'] as const,
  persistence: { timeout: 300, prefix: 64, engine: 'sip' },
  onePacket: true,
}

describe('codec: a change to the IPVS table', () => {
  const cases: readonly (readonly [string, Change, string])[] = [
    [
      'adds a service',
      { op: 'add-service', id: WEB, service: SERVICE_ATTRIBUTES },
      `
      01                                              IPVS_CMD_NEW_SERVICE
      5400 0180                                       IPVS_CMD_ATTR_SERVICE
        0600 0100 0a00 0000                           IPVS_SVC_ATTR_AF: AF_INET6
        0600 0200 0600 0000                           IPVS_SVC_ATTR_PROTOCOL: TCP
        1400 0300 20010db8000000000000000000000080    IPVS_SVC_ATTR_ADDR
        0600 0400 0050 0000                           IPVS_SVC_ATTR_PORT: big-endian
        0800 0600 776c6300                            IPVS_SVC_ATTR_SCHED_NAME: "wlc"
        0c00 0700 00000000 ffffffff                   IPVS_SVC_ATTR_FLAGS: flags, mask
        0800 0800 00000000                            IPVS_SVC_ATTR_TIMEOUT
        0800 0900 80000000                            IPVS_SVC_ATTR_NETMASK: /128
      `,
    ],
    [
      'changes a firewall-mark service to persistence, flags and one-packet scheduling',
      { op: 'set-service', id: MARK, service: persistent, was: SERVICE_ATTRIBUTES },
      `
      02                                              IPVS_CMD_SET_SERVICE
      4000 0180                                       IPVS_CMD_ATTR_SERVICE
        0600 0100 0a00 0000                           IPVS_SVC_ATTR_AF: AF_INET6
        0800 0500 02010000                            IPVS_SVC_ATTR_FWMARK: 258
        0700 0600 736800 00                           IPVS_SVC_ATTR_SCHED_NAME: "sh"
        0c00 0700 1d000000 ffffffff                   IPVS_SVC_ATTR_FLAGS: PERSISTENT ONEPACKET SCHED1 SCHED2
        0800 0800 2c010000                            IPVS_SVC_ATTR_TIMEOUT: 300
        0800 0900 40000000                            IPVS_SVC_ATTR_NETMASK: /64
        0800 0b00 73697000                            IPVS_SVC_ATTR_PE_NAME: "sip"
      `,
    ],
    [
      'signs a service by a timeout without persistence',
      { op: 'set-service', id: MARK, service: { ...SERVICE_ATTRIBUTES, owner: 5 }, was: SERVICE_ATTRIBUTES },
      `
      02                                              IPVS_CMD_SET_SERVICE
      3800 0180                                       IPVS_CMD_ATTR_SERVICE
        0600 0100 0a00 0000                           IPVS_SVC_ATTR_AF: AF_INET6
        0800 0500 02010000                            IPVS_SVC_ATTR_FWMARK: 258
        0800 0600 776c6300                            IPVS_SVC_ATTR_SCHED_NAME: "wlc"
        0c00 0700 00000000 ffffffff                   IPVS_SVC_ATTR_FLAGS: none
        0800 0800 05003000                            IPVS_SVC_ATTR_TIMEOUT: 3 * 2^20 + 5
        0800 0900 80000000                            IPVS_SVC_ATTR_NETMASK: /128
      `,
    ],
    [
      'adds an IPv4 service with an IPv4 mask',
      {
        op: 'add-service',
        id: { kind: 'address', protocol: 'udp', address: address('192.0.2.1'), port: 53 },
        service: { ...SERVICE_ATTRIBUTES, persistence: { timeout: 1, prefix: 20, engine: null } },
      },
      `
      01                                              IPVS_CMD_NEW_SERVICE
      5400 0180                                       IPVS_CMD_ATTR_SERVICE
        0600 0100 0200 0000                           IPVS_SVC_ATTR_AF: AF_INET
        0600 0200 1100 0000                           IPVS_SVC_ATTR_PROTOCOL: UDP
        1400 0300 c0000201000000000000000000000000    IPVS_SVC_ATTR_ADDR: in the first four bytes
        0600 0400 0035 0000                           IPVS_SVC_ATTR_PORT
        0800 0600 776c6300                            IPVS_SVC_ATTR_SCHED_NAME
        0c00 0700 01000000 ffffffff                   IPVS_SVC_ATTR_FLAGS: PERSISTENT
        0800 0800 01000000                            IPVS_SVC_ATTR_TIMEOUT
        0800 0900 fffff000                            IPVS_SVC_ATTR_NETMASK: 255.255.240.0
      `,
    ],
    [
      'removes a service',
      { op: 'delete-service', id: MARK, was: { id: MARK, ...SERVICE_ATTRIBUTES, reals: new Map() } },
      `
      03                                              IPVS_CMD_DEL_SERVICE
      1400 0180                                       IPVS_CMD_ATTR_SERVICE
        0600 0100 0a00 0000                           IPVS_SVC_ATTR_AF
        0800 0500 02010000                            IPVS_SVC_ATTR_FWMARK
      `,
    ],
    [
      'adds a real server with direct routing and thresholds',
      {
        op: 'add-real',
        id: MARK,
        real: tableReal('fd00::1', { forwarding: 'gate', weight: 1000, upper: 20, lower: 10 }),
      },
      `
      05                                              IPVS_CMD_NEW_DEST
      1400 0180 0600 0100 0a00 0000 0800 0500 02010000
      4800 0280                                       IPVS_CMD_ATTR_DEST
        1400 0100 fd000000000000000000000000000001    IPVS_DEST_ATTR_ADDR
        0600 0200 0050 0000                           IPVS_DEST_ATTR_PORT: big-endian
        0800 0300 03000000                            IPVS_DEST_ATTR_FWD_METHOD: DROUTE
        0800 0400 e8030000                            IPVS_DEST_ATTR_WEIGHT
        0800 0500 14000000                            IPVS_DEST_ATTR_U_THRESH
        0800 0600 0a000000                            IPVS_DEST_ATTR_L_THRESH
        0600 0b00 0a00 0000                           IPVS_DEST_ATTR_ADDR_FAMILY: AF_INET6
      `,
    ],
    [
      'changes a real server to an IPv4 gue tunnel',
      {
        op: 'set-real',
        id: MARK,
        real: tableReal('192.0.2.9', { forwarding: 'gue', tunnelPort: 6080, tunnelChecksum: 'remcsum' }),
        was: tableReal('192.0.2.9'),
      },
      `
      06                                              IPVS_CMD_SET_DEST
      1400 0180 0600 0100 0a00 0000 0800 0500 02010000
      6000 0280                                       IPVS_CMD_ATTR_DEST
        1400 0100 c0000209000000000000000000000000    IPVS_DEST_ATTR_ADDR
        0600 0200 0050 0000                           IPVS_DEST_ATTR_PORT
        0800 0300 02000000                            IPVS_DEST_ATTR_FWD_METHOD: TUNNEL
        0800 0400 01000000                            IPVS_DEST_ATTR_WEIGHT
        0800 0500 00000000                            IPVS_DEST_ATTR_U_THRESH
        0800 0600 00000000                            IPVS_DEST_ATTR_L_THRESH
        0600 0b00 0200 0000                           IPVS_DEST_ATTR_ADDR_FAMILY: AF_INET
        0500 0d00 01 000000                           IPVS_DEST_ATTR_TUN_TYPE: GUE
        0600 0e00 17c0 0000                           IPVS_DEST_ATTR_TUN_PORT: big-endian
        0600 0f00 0200 0000                           IPVS_DEST_ATTR_TUN_FLAGS: REMCSUM
      `,
    ],
    [
      'removes a real server, by what names it alone',
      { op: 'delete-real', id: MARK, was: tableReal('fd00::1') },
      `
      07                                              IPVS_CMD_DEL_DEST
      1400 0180 0600 0100 0a00 0000 0800 0500 02010000
      2800 0280                                       IPVS_CMD_ATTR_DEST
        1400 0100 fd000000000000000000000000000001    IPVS_DEST_ATTR_ADDR
        0600 0200 0050 0000                           IPVS_DEST_ATTR_PORT
        0600 0b00 0a00 0000                           IPVS_DEST_ATTR_ADDR_FAMILY
      `,
    ],
  ]
  for (const [name, change, hex] of cases)
    it(name, () => assert.equal(bytesOf(requestOf(change)), bytesOfHex(hex).toString('hex')))

  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(anyChange, change => {
        const { SERVICE, DEST } = sent(requestOf(change))
        if ('service' in change)
          assert.deepEqual(SERVICE && decodeService(SERVICE), { id: change.id, service: change.service })
        if ('real' in change) assert.deepEqual(DEST && decodeReal(familyOf(change.id), DEST), change.real)
      }),
    )
  })
})

describe('codec: what the kernel reports', () => {
  const service: ServiceValues = { ...encodeServiceId(WEB), ...encodeService(WEB, SERVICE_ATTRIBUTES) }
  const real = (values: Partial<DestValues> = {}): DestValues => ({
    ADDR: Buffer.from('fd000000000000000000000000000001', 'hex'),
    PORT: 80,
    FWD_METHOD: forward.MASQ,
    WEIGHT: 1,
    ...values,
  })
  const flags = (value: number) => ({ FLAGS: Uint8Array.of(value, 0, 0, 0, 255, 255, 255, 255) })

  it('has a flag of its own, which is left out', () => {
    const reported = { ...service, ...flags(serviceFlag.HASHED) }
    assert.deepEqual(decodeService(reported)?.service, SERVICE_ATTRIBUTES)
  })

  it('is no service where its protocol has no name', () => {
    assert.equal(decodeService({ ...service, PROTOCOL: 58 }), null)
  })

  it('may be a timeout and netmask without persistence, which mean nothing', () => {
    assert.equal(decodeService({ ...service, TIMEOUT: 300, NETMASK: 64 })?.service.persistence, null)
  })

  it('may be an IPv4 mask with holes, which is no prefix length', () => {
    const id = serviceId('192.0.2.1')
    const values = { ...encodeServiceId(id), ...encodeService(id, SERVICE_ATTRIBUTES), ...flags(1) }
    assert.equal(decodeService({ ...values, NETMASK: 0x00ff00ff })?.service.persistence?.prefix, -1)
    assert.equal(decodeService({ ...values, NETMASK: 0xffffffff })?.service.persistence?.prefix, 32)
    assert.equal(decodeService({ ...values, NETMASK: 0 })?.service.persistence?.prefix, 0)
  })

  it('may lack what older kernels do not know', () => {
    assert.deepEqual(decodeReal('ipv6', real()), tableReal('fd00::1'))
    assert.deepEqual(
      decodeReal('ipv6', real({ FWD_METHOD: forward.TUNNEL })),
      tableReal('fd00::1', { forwarding: 'ipip' }),
    )
  })

  it('takes the service’s family for a real server without one', () => {
    const ADDR = Buffer.from('c0000201000000000000000000000000', 'hex')
    assert.equal(decodeReal('ipv4', real({ ADDR })).address.text, '192.0.2.1')
    assert.equal(decodeReal('ipv6', real({ ADDR, ADDR_FAMILY: 2 })).address.text, '192.0.2.1')
  })

  it('is direct routing where a real server is local or bypassed', () => {
    for (const FWD_METHOD of [forward.LOCALNODE, forward.BYPASS, forward.DROUTE])
      assert.equal(decodeReal('ipv6', real({ FWD_METHOD })).forwarding, 'gate')
  })

  it('keeps its other connection flags to itself', () => {
    assert.equal(decodeReal('ipv6', real({ FWD_METHOD: 0x0100 | forward.DROUTE })).forwarding, 'gate')
  })

  it('says nothing of tunnels where there is none', () => {
    const left = real({ TUN_TYPE: 1, TUN_PORT: 6080, TUN_FLAGS: 1 })
    assert.deepEqual(decodeReal('ipv6', left), tableReal('fd00::1'))
  })

  it('counts', () => {
    const STATS64 = {
      CONNS: 1,
      INPKTS: 2,
      OUTPKTS: 3,
      INBYTES: 2 ** 40,
      OUTBYTES: 5,
      CPS: 6,
      INPPS: 7,
      OUTPPS: 8,
      INBPS: 9,
      OUTBPS: 10,
    }
    const counters = {
      connections: 1,
      inPackets: 2,
      outPackets: 3,
      inBytes: 2 ** 40,
      outBytes: 5,
      connectionRate: 6,
      inPacketRate: 7,
      outPacketRate: 8,
      inByteRate: 9,
      outByteRate: 10,
    }
    assert.deepEqual(decodeCounters(STATS64), counters)
    const busy = real({ ACTIVE_CONNS: 11, INACT_CONNS: 12, PERSIST_CONNS: 13, STATS64 })
    assert.deepEqual(decodeRealCounters(busy), { ...counters, active: 11, inactive: 12, persistent: 13 })
  })

  describe('is malformed', () => {
    const without = <T extends object>(values: T, name: keyof T): T => ({ ...values, [name]: undefined })
    const services: Record<string, readonly [ServiceValues, RegExp]> = {
      'when a service has no family': [without(service, 'AF'), /address family undefined/],
      'when a service is of an unknown family': [{ ...service, AF: 7 }, /address family 7/],
      'when a service has no address': [without(service, 'ADDR'), /without its address or port/],
      'when a service has no port': [without(service, 'PORT'), /without its address or port/],
      'when a service’s address is short': [{ ...service, ADDR: new Uint8Array(4) }, /an address of 4 bytes/],
      'when a service has no scheduler': [without(service, 'SCHED_NAME'), /without its scheduler/],
      'when a service has no flags': [without(service, 'FLAGS'), /flags/],
      'when a service’s flags are short': [{ ...service, FLAGS: new Uint8Array(4) }, /flags/],
      'when a service has no timeout': [without(service, 'TIMEOUT'), /timeout/],
      'when a service has no netmask': [without(service, 'NETMASK'), /netmask/],
    }
    for (const [name, [values, message]] of Object.entries(services))
      it(name, () => failsAsMalformed(() => decodeService(values), message))

    const reals: Record<string, readonly [DestValues, RegExp]> = {
      'when a real server has no address': [without(real(), 'ADDR'), /without its address or port/],
      'when a real server has no port': [without(real(), 'PORT'), /without its address or port/],
      'when a real server has no forwarding method': [
        without(real(), 'FWD_METHOD'),
        /forwarding method or weight/,
      ],
      'when a real server has no weight': [without(real(), 'WEIGHT'), /forwarding method or weight/],
      'when a real server is of an unknown family': [real({ ADDR_FAMILY: 1 }), /address family 1/],
      'when a real server’s address is short': [real({ ADDR: new Uint8Array(15) }), /an address of 15 bytes/],
    }
    for (const [name, [values, message]] of Object.entries(reals))
      it(name, () => failsAsMalformed(() => decodeReal('ipv6', values), message))
  })
})
