/** A site with one service, web, on [fc00::80]:80, and its real servers fc00::11, fc00::12 … behind NAT. */
import { DEFAULT_SOCKET, fetchWhy } from '../../../src/api/client.js'
import type { WhyReal } from '../../../src/api/why-types.js'
import { type RealServer, startRealServer } from './real-server.js'
import { buildSite, freshDirector } from './site.js'

export const WEB = 'tcp [fc00::80]:80'

/** Builds the site, and starts its servers before each test. Call it once per file, in its `describe`. */
export function webSite(numbers: readonly number[] = [11, 12]): { readonly servers: readonly RealServer[] } {
  const site: { servers: readonly RealServer[] } = { servers: [] }
  before(() =>
    buildSite(
      ['fc00::80'],
      numbers.map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    ),
  )
  beforeEach(async () => {
    await freshDirector()
    site.servers = numbers.map(n => startRealServer(`r${n}`))
  })
  return site
}

/** Returns the table with these servers, by number, and their weights. */
export function webTable(weights: Readonly<Record<number, number>>) {
  const reals = Object.entries(weights).map(([n, weight]) => [`[fc00::${n}]:80`, `masq ${weight}`] as const)
  return { [WEB]: Object.fromEntries(reals) }
}

/** Returns why a server is as it is. */
export async function whyOf(n: number, service = 'web'): Promise<WhyReal> {
  return (await fetchWhy(DEFAULT_SOCKET, { service, real: `[fc00::${n}]:80` })) as WhyReal
}
