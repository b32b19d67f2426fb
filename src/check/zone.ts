/** Checks whether this machine has the interface that an address zone names. */
import { readdirSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { Address } from '../core/address.js'
import { type Answer, down, noVerdict } from './check.js'

/**
 * Returns the answer if nothing can be sent to this address because of its interface, or null. The kernel's own errors
 * do not help: for a missing interface it returns EINVAL, or nothing happens until the deadline. An interface that is
 * down is a failure of the path to the server. If it does not exist (renamed, not created yet), there is no verdict.
 */
export function groundedBy({ zone }: Address): Answer | null {
  if (zone === null || isUp(zone)) return null
  if (exists(zone)) return down('unreachable', `the network interface ${zone} of this machine is down`)
  return noVerdict(`this machine has no network interface ${zone}: it may have been renamed`)
}

/** `networkInterfaces` lists only interfaces that are up. A numeric zone is compared with the scope ids. */
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

/** One file per interface with IPv6, up or down. Its first line is `ifIndex N`. */
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

/** Returns the lines of a file; empty if it cannot be read, for example because IPv6 is off. */
function read(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}
