/**
 * Leads from one configuration to another in steps, each of which is a configuration itself. What takes a configuration
 * over does so in one turn of the event loop, so a reload that changes thousands of servers would be one long turn. Pure.
 */
import { type Config, keyAsWritten, type Service, type Virtual } from './model.js'

/** Real servers that one step changes, unless one service has more. */
export const STEP_REALS = 500

/**
 * Yields configurations, the last of which is `next`. Each step before it replaces some services by those that have the
 * same name and the same virtual addresses; what comes or goes, or is a part of another service, does so with the last
 * step. All other values are those of `next` from the first step on.
 */
export function* stepsTo(before: Pick<Config, 'services'> | null, next: Config, most = STEP_REALS) {
  const services = [...(before?.services ?? [])]
  const successors = new Map(next.services.map(service => [service.name, service]))
  let changed = 0
  for (const [i, old] of services.entries()) {
    const successor = successors.get(old.name)
    if (!successor || successor === old || !isSuccessor(old, successor)) continue
    const size = Math.max(old.reals.length, successor.reals.length)
    if (changed > 0 && changed + size > most) {
      yield Object.freeze({ ...next, services: Object.freeze([...services]) })
      changed = 0
    }
    services[i] = successor
    changed += size
  }
  yield next
}

function isSuccessor(old: Service, next: Service): boolean {
  if (old.part || next.part) return false
  return addressesOf(old).join() === addressesOf(next).join()
}

function addressesOf({ virtual, also = [] }: Service): readonly string[] {
  const all: readonly Virtual[] = [virtual, ...also.map(one => one.virtual)]
  return all.map(keyAsWritten)
}
