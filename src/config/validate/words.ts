/** Words that messages use. */
import type { Family } from '../../core/address.js'

export function familyWord(family: Family): string {
  return family === 'ipv6' ? 'IPv6' : 'IPv4'
}
