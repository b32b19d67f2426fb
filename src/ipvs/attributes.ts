/** The constants of linux/ip_vs.h. The comment above each table gives the prefix that its names omit. */
import { be16, bytes, nested, skipped, text, u8, u16, u32, u64, type Values } from '../netlink/attribute.js'
import type { Family, Request } from '../netlink/family.js'

/** IPVS_STATS_ATTR_, as in STATS64: all values have 64 bits. */
const stats = {
  CONNS: [1, u64],
  INPKTS: [2, u64],
  OUTPKTS: [3, u64],
  INBYTES: [4, u64],
  OUTBYTES: [5, u64],
  CPS: [6, u64],
  INPPS: [7, u64],
  OUTPPS: [8, u64],
  INBPS: [9, u64],
  OUTBPS: [10, u64],
} as const

/** IPVS_SVC_ATTR_ */
const service = {
  AF: [1, u16],
  PROTOCOL: [2, u16],
  ADDR: [3, bytes], // 16 bytes; IPv4 in the first 4
  PORT: [4, be16],
  FWMARK: [5, u32],
  SCHED_NAME: [6, text],
  FLAGS: [7, bytes], // struct ip_vs_flags: u32 flags, u32 mask
  TIMEOUT: [8, u32],
  NETMASK: [9, u32], // IPv6: prefix length; IPv4: network mask in network byte order
  STATS: [10, skipped], // 32-bit counters of kernels before 4.1
  PE_NAME: [11, text],
  STATS64: [12, nested(stats)],
} as const

/** IPVS_DEST_ATTR_ */
const dest = {
  ADDR: [1, bytes],
  PORT: [2, be16],
  FWD_METHOD: [3, u32],
  WEIGHT: [4, u32],
  U_THRESH: [5, u32],
  L_THRESH: [6, u32],
  ACTIVE_CONNS: [7, u32],
  INACT_CONNS: [8, u32],
  PERSIST_CONNS: [9, u32],
  STATS: [10, skipped],
  ADDR_FAMILY: [11, u16],
  STATS64: [12, nested(stats)],
  TUN_TYPE: [13, u8],
  TUN_PORT: [14, be16],
  TUN_FLAGS: [15, u16],
} as const

/** What each level has that packets change: counters, and how many connections there are. */
export const counters = {
  service: ['STATS', 'STATS64'],
  dest: ['ACTIVE_CONNS', 'INACT_CONNS', 'PERSIST_CONNS', 'STATS', 'STATS64'],
} as const

/** The attributes within SERVICE and within DEST, and within STATS64 of both. */
export const levels = { service, dest, stats } as const

/** IPVS_DAEMON_ATTR_ */
const daemon = {
  STATE: [1, u32],
  MCAST_IFN: [2, text],
  SYNC_ID: [3, u32],
  SYNC_MAXLEN: [4, u16],
  MCAST_GROUP: [5, bytes], // IPv4
  MCAST_GROUP6: [6, bytes],
  MCAST_PORT: [7, u16], // in host byte order
  MCAST_TTL: [8, u8],
} as const

/** IPVS_CMD_ */
const commands = {
  NEW_SERVICE: 1,
  SET_SERVICE: 2,
  DEL_SERVICE: 3,
  GET_SERVICE: 4,
  NEW_DEST: 5,
  SET_DEST: 6,
  DEL_DEST: 7,
  GET_DEST: 8,
  NEW_DAEMON: 9,
  DEL_DAEMON: 10,
  GET_DAEMON: 11,
  SET_CONFIG: 12,
  GET_CONFIG: 13,
  SET_INFO: 14,
  GET_INFO: 15,
  ZERO: 16,
  FLUSH: 17,
} as const

/** IPVS_CMD_ATTR_ */
const attributes = {
  SERVICE: [1, nested(service)],
  DEST: [2, nested(dest)],
  DAEMON: [3, nested(daemon)],
  TIMEOUT_TCP: [4, u32],
  TIMEOUT_TCP_FIN: [5, u32],
  TIMEOUT_UDP: [6, u32],
} as const

export const ipvs: Family<typeof attributes> = { name: 'IPVS', version: 1, commands, attributes }

export type IpvsAttributes = typeof attributes
export type Command = keyof typeof commands
export type IpvsRequest = Request<typeof attributes> & { readonly command: Command }
export type IpvsValues = Values<typeof attributes>
export type ServiceValues = Values<typeof service>
export type DestValues = Values<typeof dest>
export type DaemonValues = Values<typeof daemon>
export type StatsValues = Values<typeof stats>

/** Address families (sys/socket.h) and transport protocols (netinet/in.h). */
export const AF = { ipv4: 2, ipv6: 10 } as const
export const IPPROTO = { tcp: 6, udp: 17, sctp: 132 } as const

/** IP_VS_SVC_F_. The kernel sets HASHED itself, so comparisons ignore it. */
export const serviceFlag = {
  PERSISTENT: 0x01,
  HASHED: 0x02,
  ONEPACKET: 0x04,
  SCHED1: 0x08,
  SCHED2: 0x10,
  SCHED3: 0x20,
} as const

/** IP_VS_CONN_F_, under IP_VS_CONN_F_FWD_MASK. */
export const forward = { MASQ: 0, LOCALNODE: 1, TUNNEL: 2, DROUTE: 3, BYPASS: 4, MASK: 7 } as const

/** IP_VS_CONN_F_TUNNEL_TYPE_ and IP_VS_TUNNEL_ENCAP_FLAG_. */
export const tunnelType = { ipip: 0, gue: 1, gre: 2 } as const
export const tunnelFlag = { none: 0, csum: 1, remcsum: 2 } as const

/** IP_VS_STATE_: the role of the connection synchronization daemon. */
export const daemonState = { MASTER: 1, BACKUP: 2 } as const
