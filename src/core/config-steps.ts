/**
 * Leads from one configuration to another in steps, each of which is a configuration itself. What takes a configuration
 * over does so in one turn of the event loop, so a reload that changes thousands of servers would be one long turn. Pure.
 */
import { virtualsOf } from './kernel-services.js'
import { type Config, idAsWritten, keyAsWritten, type Service } from './model.js'

/** Real servers that one step changes, unless one service has more. */
export const STEP_REALS = 500

/**
 * Yields configurations, the last of which is `next`. Each step before it has some of the changes; the others come with
 * the last step, and so does the order of `next`. All other values are those of `next` from the first step on.
 *
 *   a service                                                          before the last step
 *   has the same name and virtual addresses in both                    is replaced
 *   is in `before` alone, with addresses that none has in `next`       leaves
 *   is in `next` alone, with addresses that none has in `before`       comes, as the last one
 *   is a part of another service, or new at a start                    is as before
 *
 * While the address of any service is a name, which may be that of another service, services neither leave nor come.
 */
export function* stepsTo(before: Pick<Config, 'services'> | null, next: Config, most = STEP_REALS) {
  const services = new Map(before?.services.map(service => [service.name, service]))
  let changed = 0
  for (const { name, old, now } of before ? changesInSteps(before.services, next.services) : []) {
    const size = Math.max(old?.reals.length ?? 0, now?.reals.length ?? 0)
    if (changed > 0 && changed + size > most) {
      yield Object.freeze({ ...next, services: Object.freeze([...services.values()]) })
      changed = 0
    }
    if (now) services.set(name, now)
    else services.delete(name)
    changed += size
  }
  yield next
}

interface ServiceChange {
  readonly name: string
  readonly old?: Service
  readonly now?: Service
}

function* changesInSteps(before: readonly Service[], next: readonly Service[]): Iterable<ServiceChange> {
  const known = new Map(before.map(service => [service.name, service]))
  const successors = new Map(next.map(service => [service.name, service]))
  const [taken, wanted] = [new Set(before.flatMap(addressesOf)), new Set(next.flatMap(addressesOf))]
  const areNamed = [...before, ...next].some(isNamed)
  const isApart = (service: Service, others: ReadonlySet<string>) =>
    !areNamed && !service.part && !addressesOf(service).some(address => others.has(address))
  for (const old of before) {
    const { name } = old
    const now = successors.get(name)
    if (now && now !== old && isSuccessor(old, now)) yield { name, old, now }
    else if (!now && isApart(old, wanted)) yield { name, old }
  }
  for (const now of next) if (!known.has(now.name) && isApart(now, taken)) yield { name: now.name, now }
}

function isSuccessor(old: Service, next: Service): boolean {
  if (old.part || next.part) return false
  return addressesOf(old).join() === addressesOf(next).join()
}

function isNamed(service: Service): boolean {
  return virtualsOf(service).some(virtual => idAsWritten(virtual) === null)
}

function addressesOf(service: Service): readonly string[] {
  return virtualsOf(service).map(keyAsWritten)
}
