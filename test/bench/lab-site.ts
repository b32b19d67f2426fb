/** The daemons, servers and table of a site in a lab, in which each server is behind an interface of its own. */
import { addressOf, nameOf, networkOf, VIRTUAL } from '../kernel/site/links.js'
import { DIRECTOR, within } from '../kernel/site/namespaces.js'
import { type Farm, openFarm } from './farm.js'
import { destinations } from './kernel-table.js'
import type { Site } from './sites.js'

export interface Timing {
  /** Seconds. */
  readonly interval: number
  /** Seconds. */
  readonly timeout: number
  readonly sentinels: boolean
}

/** The site for a daemon, with one service on `VIRTUAL`. */
export function labSite(servers: number, { interval, timeout, sentinels }: Timing): Site {
  const reals = Array.from({ length: servers }, (_, k) => ({
    address: addressOf(k + 1),
    port: 80,
    weight: 1,
  }))
  return { interval, timeout, sentinels, services: [{ address: VIRTUAL, reals }] }
}

/** Opens the web server of machine `i`. */
export function openServer(i: number): Promise<Farm> {
  return within(nameOf(i), () => openFarm(1, { prefix: networkOf(i), port: 80 }))
}

/** True if server `i` gets connections by the kernel's table. */
export function isServing(i: number): boolean {
  const key = `[${addressOf(i)}]:80`
  return within(DIRECTOR, destinations).some(each => each.key === key && each.weight > 0)
}
