/** The services of a configuration by the keys under which the text has them. */
import type { Service } from '../core/model.js'

/** The services of a block: one with several protocols or ports is several. */
export interface Group {
  readonly key: string
  readonly services: readonly Service[]
}

/** Returns the groups in the order in which the text has their keys. */
export function groupsOf(services: readonly Service[]): readonly Group[] {
  const groups = new Map<string, Service[]>()
  for (const service of services) {
    const key = service.part?.of ?? service.name
    const known = groups.get(key)
    if (known) known.push(service)
    else groups.set(key, [service])
  }
  return [...groups].map(([key, all]) => ({ key, services: all }))
}
