/**
 * IPv4 and IPv6 addresses. They are parsed from every notation into one canonical form, and converted to and from wire
 * bytes. Canonical text follows RFC 5952; zones (RFC 4007) are kept.
 */

export type Family = 'ipv4' | 'ipv6'

export interface Address {
  readonly family: Family
  /** Canonical text (RFC 5952), with `%zone` if there is one. Equal addresses have equal text. */
  readonly text: string
  /** The interface of a link-local address (`eth0`), or null. */
  readonly zone: string | null
}

/** Host and port of a server. The host is a literal address, or a name that is not resolved yet. */
export interface HostPort {
  /** The canonical text of a literal, or the name as written. */
  readonly host: string
  /** Null while `host` is a name. */
  readonly address: Address | null
  /** The port as text (a number or a service name), or null if there is none. */
  readonly port: string | null
}

/** Parses an IPv4 or IPv6 literal, with or without brackets. Returns null for any other text. */
export function parseAddress(text: string): Address | null {
  const inner = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  if (!inner.includes(':')) return inner === text ? parseIpv4(text) : null
  const [literal = '', zone, ...rest] = inner.split('%')
  if (rest.length > 0 || zone === '' || (zone !== undefined && !/^[\w.@:-]{1,15}$/.test(zone))) return null
  const groups = ipv6Groups(literal)
  return groups && ipv6Address(groups, zone ?? null)
}

/** Returns the address in wire order, as the kernel expects it: 4 or 16 bytes. */
export function bytesOf(address: Address): Uint8Array {
  if (address.family === 'ipv4') return Uint8Array.from(address.text.split('.'), Number)
  const text = address.zone === null ? address.text : (address.text.split('%')[0] ?? '')
  const bytes = new Uint8Array(16)
  // Its text is canonical. A start makes bytes of each server's address, so nothing is validated again.
  const [head = '', tail = ''] = (text.includes('.') ? undotted(text) : text).split('::')
  const last = tail === '' ? [] : tail.split(':')
  putGroups(head === '' ? [] : head.split(':'), bytes, 0)
  putGroups(last, bytes, 16 - 2 * last.length)
  return bytes
}

function putGroups(groups: readonly string[], into: Uint8Array, from: number): void {
  let at = from
  for (let i = 0; i < groups.length; i++) {
    const group = Number.parseInt(groups[i] as string, 16)
    into[at++] = group >> 8
    into[at++] = group & 255
  }
}

/** Returns an IPv6 address whose last four bytes are written as those of IPv4 with groups in their place. */
function undotted(text: string): string {
  const at = text.lastIndexOf(':') + 1
  const [a = 0, b = 0, c = 0, d = 0] = text.slice(at).split('.').map(Number)
  return `${text.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

/** Inverse of `bytesOf`: 4 bytes are IPv4, 16 bytes are IPv6. Throws a RangeError for any other length. */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length === 4) return { family: 'ipv4', text: bytes.join('.'), zone: null }
  if (bytes.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`)
  // A dump of the table has thousands: this loop takes a quarter of what `Array.from` does.
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0))
  return ipv6Address(groups, null)
}

/** True for fe80::/10. Such an address is reachable only with a zone. */
export function isLinkLocal(address: Address): boolean {
  return address.family === 'ipv6' && /^fe[89ab]/.test(address.text)
}

/** True for an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`). Programs use it internally; it is not sent on the network. */
export function isMapped(address: Address): boolean {
  return /^::ffff:\d+\./.test(address.text)
}

/** Formats a host for use before a port: `[2001:db8::1]`, `192.0.2.1`, `web1.example`. A text must have no brackets. */
export function bracketed(host: Address | string): string {
  const text = typeof host === 'string' ? host : host.text
  return text.includes(':') ? `[${text}]` : text
}

/** Inverse of `bracketed`. A text without brackets is returned unchanged. */
export function withoutBrackets(text: string): string {
  return text.replace(/^\[(.*)\]$/, '$1')
}

/** Formats host and port: `[2001:db8::1]:80`, `192.0.2.1:80`, `web1.example:80`. */
export function endpoint(host: Address | string, port: number | string): string {
  const text = typeof host === 'string' ? host : host.text
  // These are keys of many tables. V8 keeps a template as a tree of its parts, of four times the size; joined, it is one string.
  return (text.includes(':') ? ['[', text, ']:', port] : [text, ':', port]).join('')
}

/** Parses `[v6]:port`, `v4:port` or `name:port`; the port is optional. Returns null for any other text. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(\[[^\]]+\]|[^:[\]\s]+)(?::([A-Za-z0-9_-]+))?$/.exec(text)
  if (!match) return bareIpv6(text)
  const [, host = '', port = null] = match
  const address = parseAddress(host)
  if (!address && (host.startsWith('[') || !isHostName(host))) return null
  return { host: address?.text ?? host, address, port }
}

function bareIpv6(text: string): HostPort | null {
  const address = parseAddress(text)
  return address && { host: address.text, address, port: null }
}

/** True if a `host` of `HostPort` is a name and not the canonical text of a literal. */
export function isName(host: string): boolean {
  return !host.includes(':') && !/^[\d.]+$/.test(host)
}

/** Returns the address of a `host` of `HostPort`, which is not parsed again; null if it is a name. */
export function literalAddress(host: string): Address | null {
  if (isName(host)) return null
  return { family: host.includes(':') ? 'ipv6' : 'ipv4', text: host, zone: host.split('%')[1] ?? null }
}

function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?![\d.]+$)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/.test(text)
}

function parseIpv4(text: string): Address | null {
  const parts = text.split('.')
  const valid =
    parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  return valid ? { family: 'ipv4', text, zone: null } : null
}

/** Returns the eight 16-bit groups of an IPv6 literal, or null if the text is not one. */
function ipv6Groups(text: string): number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves.map((half, i) => groupsOf(half, i === halves.length - 1))
  if (!head || (halves.length === 2 && !tail)) return null
  if (!tail) return head.length === 8 ? head : null
  const missing = 8 - head.length - tail.length
  return missing < 1 ? null : [...head, ...Array<number>(missing).fill(0), ...tail]
}

function groupsOf(text: string, isLast: boolean): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const dotted = isLast && parts.at(-1)?.includes('.') ? parseIpv4(parts.pop() ?? '') : undefined
  if (dotted === null || parts.some(part => !/^[0-9A-Fa-f]{1,4}$/.test(part))) return null
  const groups = parts.map(part => Number.parseInt(part, 16))
  if (!dotted) return groups
  const [a = 0, b = 0, c = 0, d = 0] = bytesOf(dotted)
  return [...groups, (a << 8) | b, (c << 8) | d]
}

function ipv6Address(groups: readonly number[], zone: string | null): Address {
  return { family: 'ipv6', text: canonicalIpv6(groups) + (zone === null ? '' : `%${zone}`), zone }
}

/** Formats as in RFC 5952: lower case, no leading zeros, `::` for the first longest run of two or more zero groups. */
function canonicalIpv6(groups: readonly number[]): string {
  const run = longestZeroRun(groups)
  if (run.start === 0 && run.length === 5 && groups[5] === 0xffff) return `::ffff:${dotted(groups)}`
  let text = ''
  for (let i = 0; i < groups.length; i++) {
    if (run.length >= 2 && i === run.start) {
      text += '::'
      i += run.length - 1
    } else {
      if (i > 0 && !text.endsWith(':')) text += ':'
      text += hexOf(groups[i] ?? 0)
    }
  }
  return text
}

/** Returns the last four bytes as those of an IPv4 address. */
function dotted(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16))

/** Returns `group.toString(16)`, which is far slower for more than one digit. */
function hexOf(group: number): string {
  const high = BYTES[group >> 8] ?? ''
  const low = BYTES[group & 255] ?? ''
  if (high === '0') return low
  return low.length === 1 ? `${high}0${low}` : high + low
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  const best = { start: 0, length: 0 }
  let start = 0
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue
    if (i - start > best.length) {
      best.start = start
      best.length = i - start
    }
    start = i + 1
  }
  return best
}
