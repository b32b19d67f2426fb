/** Builds the documents of the kernel's table and of changes. Pure. */
import {
  type Change,
  type Dump,
  keyOfReal,
  keyOfService,
  type RealAttributes,
  type ServiceAttributes,
} from '../core/model.js'
import type { ChangeDocument, TableDocument } from './table-types.js'

/** `names`: the services of the configuration by their keys. */
export function tableServices(
  { table, services, reals }: Dump,
  names: ReadonlyMap<string, string>,
  owned: ReadonlySet<string>,
): TableDocument['services'] {
  return [...table].map(([key, service]) => ({
    key,
    name: names.get(key) ?? null,
    isOwned: owned.has(key),
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
