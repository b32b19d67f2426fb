/**
 * Local ports of probes with a firewall mark, in turn. IPVS finds a connection by its addresses and ports, whatever the mark
 * (ip_vs_conn_in_get), and remembers that of a silent server for a minute, one of UDP with NAT for five. A port that the
 * path of another server has used meanwhile would lead to that server. In turn, a port comes again after all others.
 */
import { EADDRINUSE, type FixedMemory } from '../../system/numeric-calls.js'
import { bindSocket } from '../../system/sockets.js'
import { readSysctl } from '../../system/sysctl.js'

export interface PortRange {
  readonly first: number
  readonly last: number
}

/** The kernel's default (ip-sysctl.rst). */
const DEFAULT_RANGE: PortRange = { first: 32_768, last: 60_999 }
/** Ports in use that are passed over before the kernel chooses one. */
const MOST_PASSED = 100
/** Offset of the port in struct sockaddr_in and sockaddr_in6. */
const PORT_AT = 2

export class LocalPorts {
  readonly #range: () => PortRange
  #last: number
  #next: number

  /** Begins at a random port: those of an earlier run of lvsd may be remembered. `range` is asked again after the last one. */
  constructor(range: () => PortRange = systemRange) {
    this.#range = range
    const { first, last } = range()
    this.#last = last
    this.#next = first + Math.floor(Math.random() * (last - first + 1))
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

  #take(): number {
    if (this.#next > this.#last) {
      const { first, last } = this.#range()
      this.#next = first
      this.#last = last
    }
    return this.#next++
  }
}

/** The sysctl is that of IPv6 too. */
function systemRange(): PortRange {
  const [first = 0, last = 0] = (readSysctl('net.ipv4.ip_local_port_range') ?? '').split(/\s+/).map(Number)
  return first > 0 && last >= first && last < 65_536 ? { first, last } : DEFAULT_RANGE
}

/** By target: ports that lead to one virtual address do not matter to others. Bounded. */
const known = new Map<string, LocalPorts>()
const MOST_KNOWN = 10_000

/** Returns the ports for the probes with a mark to this address and port, as `socketAddress` writes it. */
export function localPortsTo(to: FixedMemory): LocalPorts {
  const key = to.bytes.toString('latin1')
  let ports = known.get(key)
  if (!ports) {
    ports = new LocalPorts()
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(key, ports)
  }
  return ports
}

/** As `bindSocket`, to a port in turn where there are `ports`. */
export function bindTo(fd: number, from: FixedMemory, ports: LocalPorts | null): number {
  return ports ? ports.bind(fd, from) : bindSocket(fd, from)
}
