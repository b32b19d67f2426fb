/** Computes the changes from one table to another, in an order that keeps as many servers in service as possible. Pure. */
import {
  type Change,
  keyOfReal,
  keyOfService,
  type RealAttributes,
  type ServiceAttributes,
  type ServiceId,
  type Table,
  type TableReal,
  type TableService,
} from './model.js'

/**
 * Returns the changes that turn `actual` into `desired`. Order within a service: attributes, then real servers that are
 * added or gain weight, then real servers that drop to weight 0 or are removed. Deletions of services come last. A
 * service of `actual` that is neither in `desired` nor in `owned` (service keys) belongs to another program and is not
 * changed.
 */
export function diff(desired: Table, actual: Table, owned: ReadonlySet<string>): Change[] {
  const changes: Change[] = []
  for (const [key, service] of desired) changes.push(...serviceChanges(service, actual.get(key)))
  for (const [key, service] of actual)
    if (!desired.has(key) && owned.has(key))
      changes.push({ op: 'delete-service', id: service.id, was: service })
  return changes
}

function serviceChanges(wanted: TableService, held: TableService | undefined): Change[] {
  const { id } = wanted
  const changes: Change[] = []
  if (!held) changes.push({ op: 'add-service', id, service: attributesOf(wanted) })
  else if (!sameService(wanted, held))
    changes.push({ op: 'set-service', id, service: attributesOf(wanted), was: attributesOf(held) })
  const gains: Change[] = []
  const losses: Change[] = []
  // No loops over entries, of which each is a list: services with thousands of servers are compared again and again.
  wanted.reals.forEach((real, key) => {
    const was = held?.reals.get(key)
    if (real === was) return
    if (!was) (real.weight > 0 ? gains : losses).push({ op: 'add-real', id, real })
    else if (!sameReal(real, was)) (real.weight > 0 ? gains : losses).push({ op: 'set-real', id, real, was })
  })
  held?.reals.forEach((was, key) => {
    if (!wanted.reals.has(key)) losses.push({ op: 'delete-real', id, was })
  })
  return [...changes, ...gains, ...losses]
}

function attributesOf(service: TableService): ServiceAttributes {
  const { scheduler, schedulerFlags, persistence, onePacket, owner } = service
  return { scheduler, schedulerFlags, persistence, onePacket, ...(owner !== undefined && { owner }) }
}

export function sameService(a: ServiceAttributes, b: ServiceAttributes): boolean {
  return (
    a.scheduler === b.scheduler &&
    a.onePacket === b.onePacket &&
    a.owner === b.owner &&
    a.schedulerFlags.join() === b.schedulerFlags.join() &&
    a.persistence?.timeout === b.persistence?.timeout &&
    a.persistence?.prefix === b.persistence?.prefix &&
    a.persistence?.engine === b.persistence?.engine
  )
}

export function sameReal(a: RealAttributes, b: RealAttributes): boolean {
  return (
    a.weight === b.weight &&
    a.forwarding === b.forwarding &&
    a.upper === b.upper &&
    a.lower === b.lower &&
    a.tunnelPort === b.tunnelPort &&
    a.tunnelChecksum === b.tunnelChecksum
  )
}

/** Applies the changes to a copy of the table by the kernel's rules. A change whose service does not exist is skipped. */
export function applied(table: Table, changes: readonly Change[]): Table {
  if (changes.length === 0) return table
  const next = new Map(table)
  const copied = new Map<string, Map<string, TableReal>>()
  for (const change of changes) applyOne(next, copied, change)
  return next
}

function applyOne(
  table: Map<string, TableService>,
  copied: Map<string, Map<string, TableReal>>,
  change: Change,
): void {
  const key = keyOfService(change.id)
  const held = table.get(key)
  if (change.op === 'add-service') {
    table.set(key, { id: change.id, ...change.service, reals: freshReals(copied, key, []) })
  } else if (change.op === 'delete-service') {
    table.delete(key)
    copied.delete(key)
  } else if (!held) return
  else if (change.op === 'set-service') table.set(key, { id: held.id, ...change.service, reals: held.reals })
  else {
    const reals = copied.get(key) ?? freshReals(copied, key, held.reals)
    if (change.op === 'delete-real') reals.delete(keyOfReal(change.was))
    else reals.set(keyOfReal(change.real), change.real)
    if (held.reals !== reals) table.set(key, { ...held, reals })
  }
}

function freshReals(
  copied: Map<string, Map<string, TableReal>>,
  key: string,
  reals: Iterable<readonly [string, TableReal]>,
): Map<string, TableReal> {
  const copy = new Map(reals)
  copied.set(key, copy)
  return copy
}

/** Returns the part of the table that consists of these services. */
export function pick(table: Table, ids: Iterable<ServiceId>): Table {
  const part = new Map<string, TableService>()
  for (const id of ids) {
    const key = keyOfService(id)
    const service = table.get(key)
    if (service) part.set(key, service)
  }
  return part
}
