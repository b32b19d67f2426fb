/** Reads one section of the file: its virtual with protocol and port, directives, real servers, and kind of check. */
import type { Check } from '../../check/check.js'
import type { Family } from '../../core/address.js'
import { eachInSteps, type Sliced } from '../../util/time-slice.js'
import type { Report } from '../problems/report.js'
import { type RealLine, readRealLine } from './address-lines.js'
import { readPort, readVirtualAddress, type VirtualAddress } from './addresses.js'
import { chooseKind } from './check-keys.js'
import { reportKind } from './check-notes.js'
import { usedOptions } from './check-options.js'
import type { Directive } from './lines.js'
import { readValues } from './read-directives.js'
import type { Section } from './sections.js'
import { positionOf } from './text-span.js'
import type { Values, Virtual } from './virtual.js'

/** Values that all virtuals share. */
export interface VirtualContext
  extends Pick<Virtual, 'globals' | 'fallbacks' | 'ports' | 'hostname' | 'report'> {
  /** Kinds of check by name and alias. */
  readonly checks: ReadonlyMap<string, Check>
}

/** Returns the virtual. Reports the errors of the section, and returns null if the line of the virtual is invalid. */
export function* readingVirtual(
  { head, directives }: Section,
  context: VirtualContext,
): Sliced<Virtual | null> {
  const { checks, ...shared } = context
  const { report } = shared
  const own = readValues(directives, true, report)
  if (!head.value)
    report.error('NO_VALUE', head.keyAt, `${head.key} needs an address and a port, or a firewall mark`)
  const address = head.value && readVirtualAddress(head.value, head.key === 'virtual6', report)
  const reals = yield* readingReals(directives, address?.family ?? null, head, context)
  const at = head.value ? positionOf(head.value) : head.keyAt
  if (!address) return null
  const protocol = protocolOf(address, own, report)
  const port = portOf(address, protocol, at, context)
  if (port === null) return null
  const { family } = address
  const id =
    address.kind === 'fwmark'
      ? `fwm${family === 'ipv6' ? '6' : ''}:${address.fwmark}`
      : `${protocol}:${address.host.text}:${port}`
  const name = own.servicename?.value.replace(/\s+/g, '-') || id
  const chosen = chooseKind({ own, protocol, port, at })
  const options = usedOptions(chosen.kind, own, checks.get(chosen.kind))
  const facts = { own, at, head, directives, address, protocol, port, family, id, name, options, reals }
  const virtual: Virtual = { scope: 'virtual', ...shared, ...facts, ...chosen }
  reportKind(virtual)
  return virtual
}

function protocolOf(address: VirtualAddress, { protocol: given }: Values, report: Report): string {
  if (address.kind === 'fwmark') {
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
  const byPort = /^(53|domain)$/.test(address.portText) ? 'udp' : 'tcp'
  return given && given.value !== 'fwm' ? given.value : byPort
}

/** Returns the port, or null if its name is unknown for the protocol, which is then reported. */
function portOf(
  address: VirtualAddress,
  protocol: string,
  at: Virtual['at'],
  { ports, report }: VirtualContext,
): number | null {
  if (address.kind === 'fwmark') return 0
  const port = readPort(address.portText, at, { ports, protocols: [protocol], report })
  if (port !== null && /^0\d/.test(address.portText))
    report.warn(
      'ODD_NUMBER',
      at,
      `the port is read as ${port}, and implies its service; for ldirectord "${address.portText}" implies none, and nothing is checked`,
    )
  return port
}

function* readingReals(
  directives: readonly Directive[],
  family: Family | null,
  head: Directive,
  { report, ports }: VirtualContext,
): Sliced<RealLine[]> {
  const lines = directives.filter(({ key }) => key === 'real' || key === 'real6')
  const all: RealLine[] = []
  yield* eachInSteps(lines, ({ key, keyAt, value }) => {
    if (!value || value.text === '') return
    const reals = readRealLine(value, { report, ports, protocols: [] })
    const found = reals[0]?.host.address?.family ?? family
    const six = found === 'ipv6'
    const isAsWanted = found === family && six === (key === 'real6')
    // No warning if the virtual is invalid, since its family is unknown, or if its own FAMILY_WORD has been reported.
    const isTold = family === null || (head.key === 'virtual' && family === 'ipv6')
    if (reals.length > 0 && !isAsWanted && !isTold)
      report.warn(
        'FAMILY_WORD',
        keyAt,
        `taken as ${six ? 'real6' : 'real'}; ldirectord refuses "${key}" here`,
      )
    all.push(...reals)
  })
  return all
}
