/** How services and servers are called. */

import { printable } from '../util/printable.js'
import { endpoint, parseAddress } from './address.js'

/** True where a service has no name but what it is, as those of an ldirectord.cf: `tcp:[2001:db8::80]:80`. */
export function isSameName(name: string, key: string): boolean {
  return name.replaceAll(/[\s:]/g, '') === key.replaceAll(/[\s:]/g, '')
}

/** `[2001:db8::1]:80`, `web1.example:80`. */
export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return endpoint(printable(host), port)
}

/** With the address in use where the host is a name: `web1.example ([2001:db8::1]:80)`. */
export function hostWithAddress(member: {
  readonly host: string
  /** In brackets where it is IPv6; null while the name does not resolve. */
  readonly address: string | null
  readonly port: number
}): string {
  const { host, address, port } = member
  if (address === null || parseAddress(host)) return hostPort(member)
  return `${printable(host)} (${address}:${port})`
}
