/** Parses "address:port" of virtual addresses, real servers and fallbacks. */
import {
  type Address,
  bracketed,
  endpoint,
  isLinkLocal,
  isMapped,
  parseAddress,
  parseHostPort,
} from '../core/address.js'
import type { PortLookup } from './ports.js'
import type { Position } from './problems/problem.js'
import type { Report } from './problems/report.js'

export interface Endpoint {
  readonly host: string
  /** Null for a name. */
  readonly address: Address | null
  /** Null if no port is given, or if it is invalid; the latter has been reported. */
  readonly port: number | null
  readonly hasPort: boolean
}

export interface EndpointContext {
  readonly report: Report
  readonly ports: PortLookup
  /** Selects the port if /etc/services has the name for several protocols. */
  readonly protocol: string
}

/** Parses a host with an optional port. Reports an error and returns null for any other text. */
export function readEndpoint(text: string, at: Position, context: EndpointContext): Endpoint | null {
  const bare = text.startsWith('[') ? null : parseAddress(text)
  if (bare?.family === 'ipv6') {
    reportBrackets(text, bare, at, context.report)
    return null
  }
  const parsed = parseHostPort(text)
  if (!parsed) {
    const right = withBrackets(text)
    if (right !== null) {
      context.report.error('BRACKETS_NEEDED', at, `an IPv6 address with a port needs brackets: ${right}`)
      return null
    }
    context.report.error(
      'BAD_ADDRESS',
      at,
      `"${text}" is not an address or a name with a port${advice(text)}`,
    )
    return null
  }
  const { host, address, port } = parsed
  const number = port === null ? null : readPort(port, at, context)
  return { host, address, port: number, hasPort: port !== null }
}

/** Returns the number of a port given as a number or a name. Reports an error and returns null for any other text. */
export function readPort(
  text: string,
  at: Position,
  { report, ports, protocol }: EndpointContext,
): number | null {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : null
  if (number !== null && number <= 65_535) return number
  const named = /^\d+$/.test(text) ? null : ports(text, protocol)
  if (named === null)
    report.error('BAD_PORT', at, `"${text}" is not a port: expected 0 to 65535 or a name from /etc/services`)
  return named
}

/** True if one server can have the address. Reports an error otherwise. */
export function isUnicast(address: Address, at: Position, what: string, report: Report): boolean {
  const kind = kindOfNoServer(address)
  if (kind) report.error('NOT_UNICAST', at, `${bracketed(address)} is ${kind}: it cannot be ${what}`)
  return kind === null
}

/** True if the address has no zone, which IPVS cannot store. Reports an error otherwise. */
export function isWithoutZone(address: Address, at: Position, what: string, report: Report): boolean {
  if (address.zone === null) return true
  const message = `${what} has no zone in IPVS: write ${bracketed(address.text.replace(/%.*/, ''))} without "%${address.zone}"`
  report.error('ZONE_NOT_ALLOWED', at, message)
  return false
}

/** True if the kernel forwards packets to the address. Reports an error otherwise. */
export function isForwardable(address: Address, at: Position, what: string, report: Report): boolean {
  if (!isLinkLocal(address))
    return isUnicast(address, at, what, report) && isWithoutZone(address, at, what, report)
  const message = `${bracketed(address)} is link-local, and the kernel refuses link-local addresses (EINVAL); give ${what} a global or unique local (fd00::/8) address`
  report.error('LINK_LOCAL_REAL', at, message)
  return false
}

function kindOfNoServer(address: Address): string | null {
  const { family, text } = address
  if (text === '::' || text === '0.0.0.0') return 'the unspecified address'
  if (text === '255.255.255.255') return 'the broadcast address'
  if (isMapped(address)) return `an IPv4-mapped IPv6 address (${text.slice('::ffff:'.length)})`
  const first = Number.parseInt(text, 10)
  const multicast =
    family === 'ipv6' ? text.startsWith('ff') && /^ff[0-9a-f]{2}:/.test(text) : first >= 224 && first < 240
  return multicast ? 'a multicast address' : null
}

function reportBrackets(text: string, address: Address, at: Position, report: Report): void {
  const [, head, tail] = /^(.*[^:]):(\d{1,5})$/.exec(text) ?? []
  const split =
    head !== undefined && parseAddress(head)
      ? `, or '${endpoint(head, tail ?? '')}' if ${tail} is the port`
      : ''
  report.error('BRACKETS_NEEDED', at, `an IPv6 address needs brackets here: '${bracketed(address)}'${split}`)
}

/** Returns `[::1]:18003` for `::1:18003`, an IPv6 address and a port that cannot be its last group; null for any other text. */
function withBrackets(text: string): string | null {
  const [, head = '', tail = ''] = /^(.*):([\w-]+)$/.exec(text) ?? []
  const address = parseAddress(head)
  return address?.family === 'ipv6' ? endpoint(address, tail) : null
}

function advice(text: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return '; write it without the scheme and the path'
  if (/\/\d+$/.test(text)) return '; write it without the prefix length'
  if (/^\[[^\]]*$/.test(text)) return '; the closing ] is missing'
  if (/\s/.test(text)) return '; it has a blank in it'
  const [, rest, protocol] = /^(.+)\/(tcp|udp|sctp)$/i.exec(text) ?? []
  if (rest !== undefined && parseHostPort(rest))
    return `; write it without "/${protocol}": the protocol of a service is a key of its own`
  const [, inner, after = ''] = /^\[([^\]]*)\](.*)$/.exec(text) ?? []
  if (inner !== undefined && parseAddress(inner)?.family === 'ipv6')
    return after === ':'
      ? '; the port is missing after the colon'
      : `; after the brackets comes a colon with the port, not "${after}"`
  if (/^\[.*\]/.test(text)) return '; what stands in the brackets is not an IPv6 address'
  if (/^[\d.]+(:|$)/.test(text)) return '; an IPv4 address has four numbers from 0 to 255'
  return ''
}
