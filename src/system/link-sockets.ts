/**
 * Sockets for the packets by which machines on a link find each other: ARP (packet(7)) and ICMPv6 (ipv6(7)). They need
 * CAP_NET_RAW. See `numeric-calls.ts` for what the calls return.
 */
import { calls, type FixedMemory, fixedMemory, outcome, scratch } from './numeric-calls.js'

// <sys/socket.h>, <linux/if_packet.h>, <linux/if_ether.h>, <netinet/in.h>, <netinet/icmp6.h>
const AF_INET6 = 10
const AF_PACKET = 17
const SOCK_DGRAM = 2
const SOCK_RAW = 3
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000
const ETH_P_ARP = 0x0806
const IPPROTO_IPV6 = 41
const IPPROTO_ICMPV6 = 58
const ICMP6_FILTER = 1
const IPV6_MULTICAST_HOPS = 18
const IPV6_MULTICAST_LOOP = 19

/** Opens a socket without the headers of Ethernet. It receives nothing before it is bound. */
export function openArp(): number {
  const c = calls()
  return outcome(c, c.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
}

/** struct sockaddr_ll: family, protocol, index of the interface, type and kind of packet, length and address. */
export function arpAddress(link: number, hardware?: Uint8Array): FixedMemory {
  const memory = fixedMemory(20)
  memory.bytes.writeUInt16LE(AF_PACKET, 0)
  memory.bytes.writeUInt16BE(ETH_P_ARP, 2)
  memory.bytes.writeInt32LE(link, 4)
  if (hardware) {
    memory.bytes.writeUInt8(hardware.length, 11)
    memory.bytes.set(hardware, 12)
  }
  return memory
}

/** Opens a raw ICMPv6 socket that receives one type, and whose multicasts have the hop limit 255 and do not come back. */
export function openIcmpv6(type: number): number {
  const c = calls()
  const fd = outcome(c, c.socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6))
  if (fd < 0) return fd
  const { value } = scratch()
  // struct icmp6_filter: a bit set of the types to drop.
  value.bytes.fill(0xff, 0, 32)
  value.bytes.writeUInt8(0xff & ~(1 << (type & 7)), type >> 3)
  const failed = outcome(c, c.setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, value.address, 32))
  for (const [name, number] of [
    [IPV6_MULTICAST_HOPS, 255],
    [IPV6_MULTICAST_LOOP, 0],
  ] as const) {
    value.bytes.writeInt32LE(number, 0)
    c.setsockopt(fd, IPPROTO_IPV6, name, value.address, 4)
  }
  if (failed >= 0) return fd
  c.close(fd)
  return failed
}
