/** Names of services and servers, as shown to people. */

import { printable } from '../util/printable.js'
import { endpoint, isName } from './address.js'

/** True if a service has no name of its own, as in an ldirectord.cf: its name is its key, `tcp:[2001:db8::80]:80`. */
export function isSameName(name: string, key: string): boolean {
  return name.replaceAll(/[\s:]/g, '') === key.replaceAll(/[\s:]/g, '')
}

/** Formats host and port: `[2001:db8::1]:80`, `web1.example:80`. */
export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return endpoint(printable(host), port)
}

/** Like `hostPort`, but adds the address in use if the host is a name: `web1.example ([2001:db8::1]:80)`. */
export function hostWithAddress(member: {
  readonly host: string
  /** IPv6 in brackets; null while the name does not resolve. */
  readonly address: string | null
  readonly port: number
}): string {
  const { host, address, port } = member
  if (address === null || !isName(host)) return hostPort(member)
  return `${printable(host)} (${address}:${port})`
}
