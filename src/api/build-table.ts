/** Builds the documents of the kernel's table and of changes. Pure. */
import { isSameName } from '../core/display-names.js'
import type { Dispute } from '../core/disputes.js'
import { keysOfKernel } from '../core/kernel-services.js'
import {
  type Change,
  type Dump,
  keyOfReal,
  keyOfService,
  type RealAttributes,
  type ResolvedService,
  type ServiceAttributes,
  type TableService,
} from '../core/model.js'
import type { WallClock } from '../util/clock.js'
import type { StatusDocument } from './status-types.js'
import type { ChangeDocument, TableDocument } from './table-types.js'

/** Returns the names of services by the keys that they have in the kernel's table. */
export function namesByKey(services: readonly ResolvedService[]): ReadonlyMap<string, string> {
  return new Map(services.flatMap(service => keysOfKernel(service).map(key => [key, service.name])))
}

/** Returns disputes with the names of the services. */
export function disputesOf(
  disputes: readonly Dispute[],
  services: readonly ResolvedService[],
  dates: Pick<WallClock, 'iso'>,
): StatusDocument['reconcile']['disputes'] {
  if (disputes.length === 0) return []
  const names = namesByKey(services)
  return disputes.map(({ service, since, changes }) => {
    const name = names.get(service) ?? service
    return { service, name: isSameName(name, service) ? null : name, since: dates.iso(since), changes }
  })
}

export interface TableFacts {
  /** The services of the configuration by their keys. */
  readonly names: ReadonlyMap<string, string>
  /** Keys of the services that lvsd has created or adopted. */
  readonly owned: ReadonlySet<string>
  /** The paths of checks by their marks. */
  readonly paths: ReadonlyMap<number, string>
  /** True: with the services of these paths. */
  readonly isAll: boolean
}

export function tableServices(
  { table, services, reals }: Dump,
  { names, owned, paths, isAll }: TableFacts,
): TableDocument['services'] {
  const pathOf = ({ id }: TableService) =>
    (id.kind === 'fwmark' && owned.has(keyOfService(id)) && paths.get(id.fwmark)) || null
  const shown = isAll ? [...table] : [...table].filter(([, service]) => pathOf(service) === null)
  return shown.map(([key, service]) => ({
    key,
    name: names.get(key) ?? null,
    isOwned: owned.has(key),
    path: pathOf(service),
    ...serviceAttributes(service),
    counters: services.get(key) ?? null,
    reals: [...service.reals].map(([name, real]) => ({
      name,
      ...realAttributes(real),
      counters: reals.get(`${key} ${name}`) ?? null,
    })),
  }))
}

export function changeDocument(change: Change): ChangeDocument {
  const { op, id } = change
  const service = keyOfService(id)
  if ('real' in change) {
    const { real } = change
    const was = 'was' in change ? realAttributes(change.was) : null
    return { op, service, real: keyOfReal(real), to: realAttributes(real), was }
  }
  if ('service' in change) {
    const was = 'was' in change ? serviceAttributes(change.was) : null
    return { op, service, real: null, to: serviceAttributes(change.service), was }
  }
  if (change.op === 'delete-real')
    return { op, service, real: keyOfReal(change.was), to: null, was: realAttributes(change.was) }
  return { op, service, real: null, to: null, was: serviceAttributes(change.was) }
}

function serviceAttributes({ scheduler, schedulerFlags, persistence, onePacket }: ServiceAttributes) {
  return { scheduler, schedulerFlags, persistence, onePacket }
}

function realAttributes({ forwarding, tunnelPort, tunnelChecksum, weight, upper, lower }: RealAttributes) {
  return { forwarding, tunnelPort, tunnelChecksum, weight, upper, lower }
}
