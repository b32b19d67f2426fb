/** Which jobs ask which endpoint: checks of several kinds may have the same address and port. */
import { isOverTcp } from '../check/check.js'
import { type Address, endpoint } from '../core/address.js'
import type { WantedSource } from '../core/check-source.js'
import type { Job } from '../health/jobs.js'
import type { Endpoint } from './tcp.js'

export interface AskedEndpoint extends Endpoint {
  /** Address and port, and the source if the configuration gives one. */
  readonly key: string
  readonly source: WantedSource | undefined
  readonly ids: readonly string[]
}

/** Returns the endpoints of these jobs, those alone whose checks speak TCP to it directly. */
export function endpointsOf(jobs: Iterable<Job>): ReadonlyMap<string, AskedEndpoint> {
  const found = new Map<string, AskedEndpoint & { ids: string[] }>()
  for (const { id, check, target, use, answer, path } of jobs) {
    if (answer || path || target.port === 0 || !isOverTcp(check, use.options)) continue
    const { address, port } = target
    const key = keyOf(address, port, use.source)
    const known = found.get(key)
    if (known) known.ids.push(id)
    else found.set(key, { key, address, port, source: use.source, ids: [id] })
  }
  return found
}

function keyOf(address: Address, port: number, source: WantedSource | undefined): string {
  const from = source === undefined ? '' : ` from ${source === 'kernel' ? source : source.text}`
  return `${endpoint(address, port)}${from}`
}

/** Returns the source for a connection; null: the kernel chooses. `chosen`: as lvsd chooses it for the target. */
export function sourceFor(
  { address, source }: AskedEndpoint,
  chosen: (target: Address) => Address | null,
): Address | null {
  if (source === 'kernel') return null
  return source && source.family === address.family ? source : chosen(address)
}
