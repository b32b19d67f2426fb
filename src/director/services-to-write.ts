/** Decides which part of the kernel's table a new configuration concerns. Pure. */
import { keysOfKernel } from '../core/kernel-services.js'
import { keyOfMember, type ResolvedConfig, type ResolvedService } from '../core/model.js'
import { differingOf } from '../core/shared-config.js'
import { hasNames } from '../names/lookup-requests.js'
import { isSameValue } from '../util/same-value.js'

/** Real servers. More are computed in time slices, with the whole table. */
const MOST = 500

/**
 * Returns the names of the services that have changed, if the change concerns only entries that lvsd has in the table: no
 * service and no server comes, none leaves with its service, none has a firewall mark or a check through its path, which
 * have services of lvsd's own, and no name is resolved, whose doubts concern other services. Null: all of the table is to
 * be read and compared.
 */
export function servicesToWrite(before: ResolvedConfig, next: ResolvedConfig): readonly string[] | null {
  if (!isSameValue({ ...before, services: null }, { ...next, services: null })) return null
  if ([...before.services, ...next.services].some(hasNames)) return null
  const [gone, fresh] = differingOf(before.services, next.services)
  const isPart =
    fresh.length > 0 &&
    fresh.reduce((sum, { reals }) => sum + reals.length, 0) <= MOST &&
    [...gone, ...fresh].every(isAlone) &&
    isSubset(keysOf(gone), keysOf(fresh)) &&
    isSubset(keysOf(fresh), keysOf(gone)) &&
    isSubset(membersOf(fresh), membersOf(gone))
  return isPart ? fresh.map(({ name }) => name) : null
}

function isAlone({ virtual, reals }: ResolvedService): boolean {
  const hasPaths = reals.some(({ checks }) => checks.some(({ path }) => path === 'service'))
  return virtual.kind !== 'fwmark' && !hasPaths
}

function keysOf(services: readonly ResolvedService[]): ReadonlySet<string> {
  return new Set(services.flatMap(keysOfKernel))
}

function membersOf(services: readonly ResolvedService[]): ReadonlySet<string> {
  return new Set(
    services.flatMap(service => {
      const [key = ''] = keysOfKernel(service)
      return service.reals.map(real => keyOfMember({ name: key }, real))
    }),
  )
}

function isSubset(some: ReadonlySet<string>, of: ReadonlySet<string>): boolean {
  return [...some].every(key => of.has(key))
}
