/** Whether this machine has the interface that an address with a zone is reached by. */
import { readdirSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { Address } from '../core/address.js'
import { type Answer, down, noVerdict } from './check.js'

/**
 * Why nothing can be sent to this address, or null where it can. The kernel itself, told of an interface that is not
 * there, says EINVAL or waits for nothing. One that is down is the way to the server that fails; one that does not exist
 * (renamed, not made yet) leaves nobody to ask.
 */
export function groundedBy({ zone }: Address): Answer | null {
  if (zone === null || isUp(zone)) return null
  if (exists(zone)) return down('unreachable', `the network interface ${zone} of this machine is down`)
  return noVerdict(`this machine has no network interface ${zone}: it may have been renamed`)
}

/** Only interfaces that are up are listed; link-local addresses with the number of theirs. */
function isUp(zone: string): boolean {
  const interfaces = networkInterfaces()
  if (!isNumber(zone)) return zone in interfaces
  const addresses = Object.values(interfaces).flatMap(list => list ?? [])
  return addresses.some(each => each.family === 'IPv6' && each.scopeid === Number(zone))
}

function exists(zone: string): boolean {
  if (isNumber(zone)) return hasIndex(zone)
  return read('/proc/net/dev').some(line => line.trimStart().startsWith(`${zone}:`))
}

/** A file for each interface that speaks IPv6, up or down; its first line is `ifIndex N`. */
const FOLDER = '/proc/net/dev_snmp6'

function hasIndex(zone: string): boolean {
  try {
    return readdirSync(FOLDER).some(name => read(`${FOLDER}/${name}`)[0]?.split(/\s+/)[1] === zone)
  } catch {
    return false
  }
}

function isNumber(zone: string): boolean {
  return /^\d+$/.test(zone)
}

/** Lines; none where IPv6 is off and the kernel has no such file. */
function read(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}
