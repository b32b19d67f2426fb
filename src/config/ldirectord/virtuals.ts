/** What a section is about: the virtual with its protocol and port, and its real servers. */
import type { Family } from '../../core/address.js'
import type { PortLookup } from '../ports.js'
import type { Position } from '../problems/problem.js'
import { readPort, type Virtual } from './addresses.js'
import type { Values } from './directives.js'
import type { Directive } from './lines.js'
import { type RealLine, readRealLine } from './reals.js'
import { placeOf, type Report } from './report.js'

interface Context {
  readonly report: Report
  readonly ports: PortLookup
}

/** A virtual with everything in it read. */
export interface Read {
  readonly head: Directive
  readonly at: Position
  readonly own: Values
  readonly virtual: Virtual
  /** tcp, udp or fwm. */
  readonly protocol: string
  /** 0 for a firewall mark. */
  readonly port: number
  readonly family: Family
  /** ldirectord's name for it: `tcp:192.0.2.1:80`, `fwm6:5`. */
  readonly id: string
  /** The servicename in one word, else the id. */
  readonly name: string
}

/** Protocol and port, which need each other: the protocol tells which port a name means. */
export function settle(
  virtual: Virtual,
  head: Directive,
  own: Values,
  { ports, report }: Context,
): Read | null {
  const at = head.value ? placeOf(head.value) : head.keyAt
  const protocol = protocolOf(virtual, own, report)
  const port =
    virtual.kind === 'fwmark' ? 0 : readPort(virtual.portText, at, { ports, protocols: [protocol], report })
  if (port === null) return null
  if (virtual.kind === 'address' && /^0\d/.test(virtual.portText))
    report.warn(
      'ODD_NUMBER',
      at,
      `the port is read as ${port}, and implies its service; for ldirectord "${virtual.portText}" implies none, and nothing is checked`,
    )
  const id =
    virtual.kind === 'fwmark'
      ? `fwm${virtual.family === 'ipv6' ? '6' : ''}:${virtual.fwmark}`
      : `${protocol}:${virtual.host.text}:${port}`
  const name = own.servicename?.value.replace(/\s+/g, '-') || id
  return { head, at, own, virtual, protocol, port, family: virtual.family, id, name }
}

function protocolOf(virtual: Virtual, own: Values, report: Report): string {
  const given = own.protocol
  if (virtual.kind === 'fwmark') {
    if (given && given.value !== 'fwm')
      report.error(
        'BAD_VALUE',
        given.at,
        `the protocol of a firewall mark is fwm, not ${given.value}; leave the line out`,
      )
    return 'fwm'
  }
  if (given?.value === 'fwm')
    report.error('BAD_VALUE', given.at, 'fwm is for firewall marks; the protocol of an address is tcp or udp')
  const byPort = /^(53|domain)$/.test(virtual.portText) ? 'udp' : 'tcp'
  return given && given.value !== 'fwm' ? given.value : byPort
}

/** The real servers of the section. */
export function readReals(
  directives: readonly Directive[],
  family: Family | null,
  head: Directive,
  { report, ports }: Context,
): RealLine[] {
  const lines = directives.filter(({ key }) => key === 'real' || key === 'real6')
  return lines.flatMap(({ key, keyAt, value }) => {
    if (!value || value.text === '') return []
    const reals = readRealLine(value, { report, ports, protocols: [] })
    const found = reals[0]?.host.address?.family ?? family
    const six = found === 'ipv6'
    const isAsWanted = found === family && six === (key === 'real6')
    // What a virtual is that cannot be read is not known, and one for IPv6 under the word for IPv4 has been told.
    const isTold = family === null || (head.key === 'virtual' && family === 'ipv6')
    if (reals.length > 0 && !isAsWanted && !isTold)
      report.warn(
        'FAMILY_WORD',
        keyAt,
        `taken as ${six ? 'real6' : 'real'}; ldirectord refuses "${key}" here`,
      )
    return reals
  })
}
