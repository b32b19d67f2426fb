/** Parses ldirectord's addresses of virtuals, real servers and fallbacks. */
import {
  type Address,
  bracketed,
  endpoint,
  type Family,
  parseAddress,
  parseHostPort,
} from '../../core/address.js'
import type { PortLookup } from '../ports.js'
import type { Report } from '../problems/report.js'
import { positionOf, positionOfWord, type TextSpan } from './text-span.js'

/** A literal address or a name, without a port. */
export interface Host {
  /** Text for use before `:port`: a literal in canonical form, with brackets for IPv6, or a name. */
  readonly text: string
  readonly address: Address | null
}

export type VirtualAddress =
  | { readonly kind: 'address'; readonly host: Host; readonly family: Family; readonly portText: string }
  | { readonly kind: 'fwmark'; readonly fwmark: number; readonly family: Family }

/** Parses the value of `virtual =`. Reports an error and returns null if it is invalid. */
export function readVirtualAddress(value: TextSpan, isSix: boolean, report: Report): VirtualAddress | null {
  const [token = '', rest = ''] = splitToken(value.text)
  const at = positionOf(value, 0, token.length)
  if (rest !== '')
    report.warn(
      'IGNORED_TEXT',
      positionOfWord(value, rest),
      `"${rest}" is ignored, as ldirectord does; a comment begins with #`,
    )
  if (/^\d+$/.test(token)) return readMark(Number(token), isSix, at, report)
  const [, hostText, portText] = /^(\[[^\]]*\]|[^:[\]]+):([\w-]+)$/.exec(token) ?? []
  if (hostText === undefined || portText === undefined) {
    report.error('BAD_ADDRESS', at, `"${token}" is no virtual service${adviceOnVirtual(token)}`)
    return null
  }
  const host = readHost(hostText, at, report)
  if (!host) return null
  const family = host.address?.family ?? (isSix ? 'ipv6' : 'ipv4')
  if (host.address && family === 'ipv6' && !isSix)
    report.warn(
      'FAMILY_WORD',
      at,
      'an IPv6 address, taken as virtual6; ldirectord refuses it after "virtual ="',
    )
  if (family === 'ipv4' && isSix) {
    report.error('BAD_ADDRESS', at, `${hostText} is an IPv4 address: write virtual = ${token}`)
    return null
  }
  return { kind: 'address', host, family, portText }
}

function readMark(
  fwmark: number,
  isSix: boolean,
  at: ReturnType<typeof positionOf>,
  report: Report,
): VirtualAddress | null {
  if (fwmark >= 1 && fwmark <= 2 ** 32 - 1) return { kind: 'fwmark', fwmark, family: isSix ? 'ipv6' : 'ipv4' }
  report.error('BAD_VALUE', at, `a firewall mark is a number from 1 to 4294967295, not ${fwmark}`)
  return null
}

function adviceOnVirtual(token: string): string {
  const mark = /^\d+/.exec(token)?.[0]
  const guess = mark === undefined ? '' : `; ldirectord would take it for the firewall mark ${mark}`
  const address = parseAddress(token)
  if (address) {
    const wanted = `expected a port: ${token.startsWith('[') || address.family === 'ipv4' ? endpoint(address, 80) : bracketsRound(token)}`
    return token.startsWith('[') ? `: ${wanted}` : `: ${wanted}${address.family === 'ipv4' ? guess : ''}`
  }
  if (token.startsWith('"')) return ': write it without quotes'
  if (!token.startsWith('[') && token.split(':').length > 2)
    return `: an IPv6 address needs brackets: ${bracketsRound(token)}`
  return `: expected address:port, name:port or the number of a firewall mark${guess}`
}

/** Returns both possible forms of an unbracketed IPv6 address that may end with a port. */
export function bracketsRound(token: string): string {
  const [, head, port] = /^(.*[^:]):(\d{1,5})$/.exec(token) ?? []
  const [whole, split] = [parseAddress(token), head === undefined ? null : parseAddress(head)]
  const readings = [split && endpoint(head ?? '', port ?? ''), whole && endpoint(token, 80)].filter(
    reading => reading !== null,
  )
  return readings.join(' or ') || '[2001:db8::1]:80'
}

/**
 * Parses a name, or a literal in any notation that ldirectord accepts. Reports an error and returns null for other
 * text.
 */
export function readHost(text: string, at: ReturnType<typeof positionOf>, report: Report): Host | null {
  const address = parseAddress(text) ?? readOddIpv4(text, at, report)
  if (address?.family === 'ipv6' && `${text}${address.text}`.includes('.'))
    report.warn('ODD_ADDRESS', at, 'an IPv4 address in the form of IPv6; ldirectord cannot read it')
  if (address) return { text: bracketed(address), address }
  if (!text.startsWith('[') && parseHostPort(text)) {
    report.note(
      'NAME',
      at,
      `${text} is resolved while lvsd runs, again and again; ldirectord resolves it once, and refuses the file where that fails`,
    )
    return { text, address: null }
  }
  report.error('BAD_ADDRESS', at, `"${text}" is neither an address nor a host name`)
  return null
}

/** Parses 10.0.1, 010.1.1.1 and 0x0a000001 like inet_aton of the C library, which ldirectord uses. */
function readOddIpv4(text: string, at: ReturnType<typeof positionOf>, report: Report): Address | null {
  const parts = text.split('.').map(readNumber)
  const last = parts.pop()
  if (parts.length > 3 || last === null || last === undefined || last >= 256 ** (4 - parts.length))
    return null
  if (parts.some(part => part === null || part > 255)) return null
  const head = (parts as number[]).reduce((sum, part, i) => sum + part * 256 ** (3 - i), 0)
  const address = ipv4FromNumber(head + last)
  report.warn(
    'ODD_ADDRESS',
    at,
    `"${text}" is read as ${address.text}, as ldirectord reads it; write it that way`,
  )
  return address
}

function readNumber(text: string): number | null {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number.parseInt(text.slice(2), 16)
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8)
  return /^[1-9]\d*$/.test(text) ? Number(text) : null
}

export function ipv4FromNumber(number: number): Address {
  const bytes = [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256)
  return { family: 'ipv4', text: bytes.join('.'), zone: null }
}

/**
 * Returns the number of a port given as a number or a name. Reports an error and returns null for other text.
 * `protocols`: those for which ldirectord looks up the name.
 */
export function readPort(
  text: string,
  at: ReturnType<typeof positionOf>,
  { ports, protocols, report }: { ports: PortLookup; protocols: readonly string[]; report: Report },
): number | null {
  const isNumber = /^\d+$/.test(text)
  const port = isNumber ? Number(text) : ports(text, protocols[0] ?? '')
  if (port !== null && port <= 65_535) {
    const missing = isNumber ? undefined : protocols.find(protocol => ports(text, protocol, 'only') === null)
    if (missing !== undefined)
      report.warn(
        'PORT_NAME',
        at,
        `"${text}" is read as ${port}; ldirectord looks for it among the names of ${missing}, finds none and refuses it`,
      )
    return port
  }
  const expected = port === null ? 'expected a number or a name from /etc/services' : 'ports end at 65535'
  report.error('BAD_PORT', at, `"${text}" is not a port: ${expected}`)
  return null
}

/** Splits the text into its first word and the rest, both trimmed. */
export function splitToken(text: string): [token: string, rest: string] {
  const match = /^(\S*)\s*(.*)$/.exec(text.trim())
  return [match?.[1] ?? '', match?.[2] ?? '']
}
