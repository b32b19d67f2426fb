/** Facts about a site, in ldirectord's terms. */
import { parseAddress } from '../../../src/core/address.js'

/** One fact with the values of ldirectord and of lvsd. */
export interface Fact {
  readonly where: string
  /** Index of the virtual. */
  readonly index: number
  readonly what: string
  readonly theirs: string
  readonly ours: string
}

export type Facts = Readonly<Record<string, string>>

/** Addresses by host name. */
export type Names = ReadonlyMap<string, string>

export function factsOf(where: string, index: number, theirs: Facts, ours: Facts): Fact[] {
  return Object.entries(theirs).map(([what, value]) => ({
    where,
    index,
    what,
    theirs: value,
    ours: ours[what] ?? '-',
  }))
}

export function literal(host: string, names: Names): string {
  return names.get(host) ?? host
}

export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

export function bare(host: string): string {
  return parseAddress(host)?.text ?? host
}

export function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}
