/** How much a new configuration would take away. Pure. */
import { type Config, keyOfMember, keyOfService } from './model.js'

/** Real servers of the running configuration, and how many of them the next one no longer has. */
export function removals(running: Config, next: Config): { removed: number; running: number } {
  const kept = new Set(memberKeys(next))
  const keys = memberKeys(running)
  return { removed: keys.filter(key => !kept.has(key)).length, running: keys.length }
}

/** By what the kernel knows of a service, so that a service with a new name is the same one. */
function memberKeys(config: Config): string[] {
  return config.services.flatMap(service => {
    const name = service.id ? keyOfService(service.id) : service.host
    return service.reals.map(real => keyOfMember({ name }, real))
  })
}
