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
  for (const job of jobs) {
    if (!isAsked(job)) continue
    const { id, target, use } = job
    const { address, port } = target
    const key = keyOf(address, port, use.source)
    const known = found.get(key)
    if (known) known.ids.push(id)
    else found.set(key, { key, address, port, source: use.source, ids: [id] })
  }
  return found
}

/** Finds endpoints of jobs. */
export interface Endpoints {
  /** Returns that which the job asks; undefined where its check does not speak TCP to it directly. */
  of(id: string): AskedEndpoint | undefined
  /** Returns that with the address, the port and the source of this one, which may be of an earlier configuration. */
  like(endpoint: Omit<AskedEndpoint, 'ids'>): AskedEndpoint | undefined
}

/** Returns those of these jobs, of which each is made when it is asked for: to make thousands at a first failure takes a turn. */
export function lazyEndpoints(jobs: ReadonlyMap<string, Job>): Endpoints {
  const made = new Map<string, AskedEndpoint>()
  let places: ReadonlyMap<string, Place> | null = null

  function like({ key, address, port, source }: Omit<AskedEndpoint, 'ids'>): AskedEndpoint | undefined {
    places ??= placesOf(jobs.values())
    const ids = (places.get(address.text)?.get(port) ?? [])
      .filter(job => isAsked(job) && keyOf(address, port, job.use.source) === key)
      .map(({ id }) => id)
    const [first] = ids
    if (first === undefined) return undefined
    const known = made.get(first)
    if (known) return known
    const endpoint = { key, address, port, source, ids }
    for (const id of ids) made.set(id, endpoint)
    return endpoint
  }

  return {
    like,
    of(id) {
      const known = made.get(id)
      if (known) return known
      const job = jobs.get(id)
      if (!job || !isAsked(job)) return undefined
      const { address, port } = job.target
      const { source } = job.use
      return like({ key: keyOf(address, port, source), address, port, source })
    },
  }
}

/** Jobs by port. */
type Place = Map<number, Job[]>

/** By the text of the address. */
function placesOf(jobs: Iterable<Job>): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>()
  for (const job of jobs) {
    const { address, port } = job.target
    let place = places.get(address.text)
    if (!place) {
      place = new Map()
      places.set(address.text, place)
    }
    const known = place.get(port)
    if (known) known.push(job)
    else place.set(port, [job])
  }
  return places
}

function isAsked({ check, target, use, answer, path }: Job): boolean {
  return !answer && !path && target.port !== 0 && isOverTcp(check, use.options)
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
