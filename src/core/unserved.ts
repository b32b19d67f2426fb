/** Whether a service has no real server while nothing judges its servers. Pure. */
import { combine, isWithoutVerdict } from './health.js'
import { kernelServices } from './kernel-services.js'
import {
  type HealthState,
  keyOfReal,
  keyOfService,
  type NoVerdicts,
  type ResolvedMember,
  type ResolvedReal,
  type ResolvedService,
  type Table,
} from './model.js'

/** Milliseconds that a check must have had no verdict: a start, or a moment without descriptors, is not told. */
export const UNJUDGED_AFTER = 10_000

export interface Unserved {
  /** The kernel's table as it was last read. */
  readonly table: Table
  /** Whether a real server keeps the fallback out; null while results are missing. */
  isAvailable(one: ResolvedService): boolean | null
  /** True if results of the server are missing, and none is on its way (`waitsInVain`). */
  isUnjudged(real: ResolvedReal): boolean
  /** True if results of the server are missing, and it would get connections if its checks passed. */
  isAwaited(real: ResolvedReal): boolean
}

/**
 * True if lvsd waits in vain for the servers of an address. It takes nothing that the kernel's table has for an answer that is
 * still to come, and ends as soon as another program puts a server back.
 *
 *   weight over 0 in the table   servers of the address                             result
 *   a real server                any                                                false
 *   none                         one is up, or its results are on their way         false
 *   none                         all that are waited for have no verdict            true
 *   the address is not known     any                                                false
 *
 * The fallback is no real server. That all servers are down is another thing (`availability` in desired.ts).
 */
export function isUnjudgedAndEmpty(service: ResolvedService, unserved: Unserved): boolean {
  return kernelServices(service).some(one => isAt(one, unserved))
}

function isAt(one: ResolvedService, { table, isAvailable, isUnjudged, isAwaited }: Unserved): boolean {
  if (one.id === null || hasServing(one, table) || isAvailable(one) !== null) return false
  return one.reals.every(real => !isAwaited(real) || isUnjudged(real))
}

function hasServing({ id, fallback, reals }: ResolvedService, table: Table): boolean {
  const held = id && table.get(keyOfService(id))
  if (!held) return false
  const last = fallback && keyIn(fallback)
  const isReal = (key: string) => key !== last || reals.some(real => keyIn(real) === key)
  for (const [key, { weight }] of held.reals) if (weight > 0 && isReal(key)) return true
  return false
}

function keyIn({ address, port }: ResolvedMember): string | null {
  return address && keyOfReal({ address, port })
}

/**
 * True if a server waits in vain: without the checks that have no verdict, `need` of its checks cannot pass. While enough
 * others have had no result yet, it is not in vain.
 */
export function waitsInVain(
  checks: readonly {
    readonly health: { readonly state: HealthState }
    readonly noVerdicts: NoVerdicts | null
  }[],
  need: number,
  now: number,
): boolean {
  const isOut = (runs: NoVerdicts | null) => isWithoutVerdict(runs) && now - runs.since >= UNJUDGED_AFTER
  const states = checks.map(({ health: { state }, noVerdicts }) =>
    state === 'unknown' && isOut(noVerdicts) ? 'down' : state,
  )
  return combine(states, need) === 'down'
}
