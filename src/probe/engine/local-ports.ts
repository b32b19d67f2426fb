/**
 * Local ports of checks with a firewall mark, in turn. IPVS finds a connection by its addresses and ports, whatever the mark
 * (ip_vs_conn_in_get), and remembers that of a silent server for a minute, one of UDP with NAT for five. A port that the
 * path of another server has used meanwhile would lead to that server. In turn, a port comes again after all others.
 *
 * The turn goes round with the clock of the machine, once in `LAP` seconds, or faster where more ports are taken. So a port that
 * an earlier run of lvsd has used comes again as late as one of this run, and nothing has to be stored.
 */
import type { Family } from '../../core/address.js'
import { closeDescriptor, EADDRINUSE, type FixedMemory } from '../../system/numeric-calls.js'
import { bindSocket, openStream } from '../../system/sockets.js'
import { readSysctl } from '../../system/sysctl.js'
import { ownPortTurns, type PortTurn, portTurn, spread } from './port-turns.js'

export interface PortRange {
  readonly first: number
  readonly last: number
  /** Ports in between that are left out: the first and the last of each part, in their order. */
  readonly reserved?: readonly (readonly [first: number, last: number])[]
}

interface Parts {
  /** Asked once in a lap. */
  readonly range?: () => PortRange
  /** Seconds of a clock that goes on over restarts of this process: CLOCK_MONOTONIC. */
  readonly now?: () => number
  readonly turn?: PortTurn
  /** Ports by which it is ahead of the clock, the same in each run of lvsd. */
  readonly ahead?: number
}

/** The kernel's default (ip-sysctl.rst). */
const DEFAULT_RANGE: PortRange = { first: 32_768, last: 60_999 }
/**
 * Seconds. IPVS remembers no connection of a check for longer: the timeout of UDP is 300 s (ip_vs_proto_udp.c), from the last packet
 * on, and the kernel's timers are up to 33 s late at that length (timer.c, level 5 with 1000 ticks a second).
 */
const LAP = 360
/** Ports in use that are passed over before the kernel chooses one. */
const MOST_PASSED = 100
/** Offset of the port in struct sockaddr_in and sockaddr_in6. */
const PORT_AT = 2

export class LocalPorts {
  readonly #askRange: () => PortRange
  readonly #now: () => number
  readonly #turn: PortTurn
  readonly #ahead: number
  #range: PortRange | null = null
  #askedAt = 0

  constructor({ range = systemRange, now = machineSeconds, turn = portTurn(null), ahead = 0 }: Parts = {}) {
    this.#askRange = range
    this.#now = now
    this.#turn = turn
    this.#ahead = ahead
  }

  /** Binds a socket to the address in `from`, whose port is overwritten. Returns 0, or the negative errno. */
  bind(fd: number, from: FixedMemory): number {
    for (let passed = 0; passed < MOST_PASSED; passed++) {
      from.bytes.writeUInt16BE(this.#take(), PORT_AT)
      const bound = bindSocket(fd, from)
      if (bound !== EADDRINUSE) return bound
    }
    from.bytes.writeUInt16BE(0, PORT_AT)
    return bindSocket(fd, from)
  }

  /**
   * Returns up to `count` different ports of the address in `from` that no TCP socket uses now, for another process; `from` is
   * overwritten. None where no socket can be bound to the address.
   */
  free(family: Family, from: FixedMemory, count: number): number[] {
    const ports = new Set<number>()
    while (ports.size < count) {
      const fd = openStream(family)
      const bound = fd < 0 ? fd : this.bind(fd, from)
      if (fd >= 0) closeDescriptor(fd)
      const port = from.bytes.readUInt16BE(PORT_AT)
      // One that comes again: there are no others in the range.
      if (bound < 0 || port === 0 || ports.has(port)) break
      ports.add(port)
    }
    return [...ports]
  }

  #take(): number {
    const now = this.#now()
    if (!this.#range || now - this.#askedAt >= LAP) {
      this.#range = this.#askRange()
      this.#askedAt = now
    }
    const { first, last, reserved = [] } = this.#range
    const count = last - first + 1 - reserved.reduce((sum, [from, to]) => sum + to - from + 1, 0)
    // The kernel chooses none of these, and says so where it has no other.
    if (count <= 0) return 0
    let port = first + ((this.#turn(Math.floor((now * count) / LAP)) + this.#ahead) % count)
    for (const [from, to] of reserved) if (port >= from) port += to - from + 1
    return port
  }
}

/** The sysctls are those of IPv6 too. */
function systemRange(): PortRange {
  const [first = 0, last = 0] = (readSysctl('net.ipv4.ip_local_port_range') ?? '').split(/\s+/).map(Number)
  const range = first > 0 && last >= first && last < 65_536 ? { first, last } : DEFAULT_RANGE
  return { ...range, reserved: reservedIn(readSysctl('net.ipv4.ip_local_reserved_ports') ?? '', range) }
}

/** Returns the parts of a list as of the kernel, `8080,9000-9010`, that lie in the range. The kernel sorts and joins them. */
export function reservedIn(list: string, { first, last }: PortRange): [first: number, last: number][] {
  return list
    .split(',')
    .map((part): [number, number] => {
      const [from = Number.NaN, to = from] = part.split('-').map(Number)
      return [Math.max(from, first), Math.min(to, last)]
    })
    .filter(([from, to]) => from <= to)
}

function machineSeconds(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds + nanoseconds / 1e9
}

/** By target: ports that lead to one virtual address do not matter to others. Bounded. */
const known = new Map<string, LocalPorts>()
const MOST_KNOWN = 10_000

/** Returns the ports for the checks with a mark to this address and port, as `socketAddress` writes it. */
export function localPortsTo(to: FixedMemory): LocalPorts {
  const key = to.bytes.toString('latin1')
  let ports = known.get(key)
  if (!ports) {
    // Otherwise the checks of all virtual addresses would want the same ports, many of which are still closing.
    ports = new LocalPorts({ turn: portTurn(ownPortTurns(), key), ahead: spread(key) })
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(key, ports)
  }
  return ports
}

/** As `bindSocket`, to a port in turn where there are `ports`. */
export function bindTo(fd: number, from: FixedMemory, ports: LocalPorts | null): number {
  return ports ? ports.bind(fd, from) : bindSocket(fd, from)
}
