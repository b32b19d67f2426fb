/**
 * Parses lines of real servers and fallbacks: `address[:port] forwarding [weight] ["request", "receive"] [l:N] [u:N]`.
 */

import { type Address, addressFromBytes, bracketed, bytesOf } from '../../core/address.js'
import { counted } from '../../util/plural.js'
import type { PortLookup } from '../ports.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import { bracketsRound, type Host, ipv4FromNumber, readHost, readPort, splitToken } from './addresses.js'
import { parseRealParams, type RealParams, readForwarding } from './real-params.js'
import { positionOf, positionOfWord, type TextSpan } from './text-span.js'
import type { ForwardingWord } from './vocabulary.js'

export interface RealLine extends RealParams {
  readonly host: Host
  /** 0 if no port is given. */
  readonly port: number
  /** Position of the address. */
  readonly at: Position
}

export interface FallbackLine {
  readonly host: Host
  /** Null if no port is given. */
  readonly port: number | null
  readonly forwarding: ForwardingWord
  readonly at: Position
}

export interface LineContext {
  readonly report: Report
  readonly ports: PortLookup
  /** Protocols for which ldirectord must find a port's name in /etc/services. Empty: it accepts any protocol. */
  readonly protocols: readonly string[]
}

/** Limit of servers in a range. */
const MAX_RANGE = 65_536

/**
 * Returns the real servers of one line: one, or those of a range. If the line is invalid, reports an error and returns
 * none.
 */
export function readRealLine(value: TextSpan, context: LineContext): readonly RealLine[] {
  const [token, rest] = splitToken(value.text)
  const at = positionOf(value, 0, token.length)
  const where = readWhere(token, at, context)
  const how = parseRealParams(
    { ...value, text: rest, column: value.column + value.text.length - rest.length },
    at,
    context.report,
  )
  if (!where || !how) return []
  return where.hosts.map(host => ({ host, port: where.port, ...how, at }))
}

interface Where {
  readonly hosts: readonly Host[]
  readonly port: number
}

function readWhere(token: string, at: Position, context: LineContext): Where | null {
  const { report } = context
  const text = withoutDoubleColon(token, at, report)
  const match = /^(\[[^\]]*\]|[^:[\]>]+?)(?:->(\[[^\]]*\]|[^:[\]>]+))?(?::([\w-]+))?$/.exec(text)
  if (!match) {
    report.error('BAD_REAL', at, `"${token}" is no real server: expected address:port${adviceOnReal(token)}`)
    return null
  }
  const [, first = '', last, portText] = match
  const from = readHost(first, at, report)
  const port = portText === undefined ? 0 : readPort(portText, at, { ...context, protocols: [] })
  if (!from || port === null) return null
  if (first.includes('_'))
    report.warn(
      'ODD_ADDRESS',
      at,
      `ldirectord reads "${first}" from behind the last underscore: ${first.split('_').pop()}`,
    )
  const hosts = last === undefined ? [from] : readRange(from, last, at, report)
  return hosts && { hosts, port }
}

/** Reads `192.0.2.1::80`, a form in ldirectord's own sample file. */
function withoutDoubleColon(token: string, at: Position, report: Report): string {
  const match = /^(\d+\.\d+\.\d+\.\d+)::(\d+)$/.exec(token)
  if (!match) return token
  const port = Number(match[2])
  report.warn(
    'DOUBLE_COLON',
    at,
    `read as ${match[1]}:${port}; ldirectord reads the real server ${ipv4FromNumber(port).text} with port 0`,
  )
  return `${match[1]}:${port}`
}

function adviceOnReal(token: string): string {
  if (/->/.test(token) && /:\w+->/.test(token))
    return '; of a range the port stands once, at its end: 192.0.2.1->192.0.2.9:80 (ldirectord reads no server at all)'
  if (!token.startsWith('[') && token.split(':').length > 2)
    return `; an IPv6 address needs brackets: ${bracketsRound(token)}`
  if (token.startsWith('"')) return ', without quotes'
  return ''
}

/** Returns all hosts of a range. Reports an error and returns null if it is invalid. */
function readRange(from: Host, lastText: string, at: Position, report: Report): readonly Host[] | null {
  const last = readHost(lastText, at, report)
  if (!last) return null
  if (!from.address && !last.address) return readNameRange(from.text, last.text, at, report)
  if (!from.address || from.address.family !== last.address?.family) {
    report.error(
      'BAD_RANGE',
      at,
      'a range goes from one IPv4 address to another or from one IPv6 address to another; write other servers line by line',
    )
    return null
  }
  const [first, end] = [inTwo(from.address), inTwo(last.address)]
  if (!first.head.equals(end.head)) {
    report.error('BAD_RANGE', at, `the range has more than ${MAX_RANGE} servers, or ends before it begins`)
    return null
  }
  if (!isRange(first.tail, end.tail, at, report)) return null
  const count = end.tail - first.tail + 1
  if (from.address.family === 'ipv6')
    report.warn(
      'RANGE',
      at,
      `${counted(count, 'server')}; ldirectord knows ranges of IPv4 alone, and refuses the file`,
    )
  else if (String(first.tail).length !== String(end.tail).length)
    report.warn(
      'RANGE',
      at,
      `${counted(count, 'server')}; ldirectord compares the ends as text and reads other servers, or none`,
    )
  return Array.from({ length: count }, (_, i) => {
    const tail = Buffer.alloc(4)
    tail.writeUInt32BE(first.tail + i)
    const address = addressFromBytes(Buffer.concat([first.head, tail]))
    return { text: bracketed(address), address }
  })
}

/**
 * Splits an address into its last four bytes as a number, and the bytes before them, which all addresses of a range
 * share.
 */
function inTwo(address: Address): { head: Buffer; tail: number } {
  const bytes = Buffer.from(bytesOf(address))
  return { head: bytes.subarray(0, -4), tail: bytes.readUInt32BE(bytes.length - 4) }
}

/**
 * Returns the names of a range such as `sql01->sql03`. ldirectord resolves both ends and uses the addresses between
 * them.
 */
function readNameRange(first: string, last: string, at: Position, report: Report): readonly Host[] | null {
  const [, head = '', from = '', tail] = /^(.*?)(\d+)(\D*)$/.exec(first) ?? []
  const [, head2, to = '', tail2] = /^(.*?)(\d+)(\D*)$/.exec(last) ?? []
  if (from === '' || head !== head2 || tail !== tail2) {
    report.error(
      'BAD_RANGE',
      at,
      'a range of names needs a number that counts up, as in sql01->sql03; write others line by line',
    )
    return null
  }
  const [start, end] = [Number(from), Number(to)]
  if (!isRange(start, end, at, report)) return null
  report.warn(
    'RANGE',
    at,
    `the names ${first} to ${last}; ldirectord takes the addresses between those of the two`,
  )
  return Array.from({ length: end - start + 1 }, (_, i) => {
    const text = `${head}${String(start + i).padStart(from.length, '0')}${tail}`
    return { text, address: null }
  })
}

function isRange(start: number, end: number, at: Position, report: Report): boolean {
  if (start <= end && end - start < MAX_RANGE) return true
  const why =
    start > end
      ? 'the range ends before it begins'
      : `the range has ${end - start + 1} servers, more than ${MAX_RANGE}`
  report.error('BAD_RANGE', at, why)
  return false
}

// ---------------------------------------------------------------- fallback

/** Parses the value of `fallback =`. Reports an error and returns null if it is invalid. */
export function readFallbackLine(value: TextSpan, isSix: boolean, context: LineContext): FallbackLine | null {
  const { report } = context
  const [token, rest] = splitToken(value.text)
  const at = positionOf(value, 0, token.length)
  if (token === '') {
    const here = isSix ? '[::1]' : '127.0.0.1'
    report.warn('EMPTY_FALLBACK', at, `no address: ${here}, this machine, as with ldirectord`)
    return { host: readHost(here, at, report) as Host, port: null, forwarding: 'gate', at }
  }
  const match = /^(\[[^\]]*\]|[^:[\]]+)(?::([\w-]+))?$/.exec(token)
  const host = match && readHost(match[1] ?? '', at, report)
  if (!match)
    report.error(
      'BAD_ADDRESS',
      at,
      `"${token}" is no fallback: expected address or address:port${adviceOnReal(token)}`,
    )
  const forwarding = rest === '' ? 'gate' : readForwarding(rest, positionOfWord(value, rest), report)
  if (!host || !forwarding) return null
  const portText = match?.[2]
  const port = portText === undefined ? null : readPort(portText, at, context)
  return port === null && portText !== undefined ? null : { host, port, forwarding, at }
}
