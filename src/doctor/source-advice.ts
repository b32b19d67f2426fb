/** Logs which virtual address is the source of checks, at a start and a reload. */
import type { Config } from '../core/model.js'
import type { EventListener } from '../events/event-bus.js'
import type { Log } from '../system/log.js'
import { counted } from '../util/plural.js'
import { readSources } from './read/sources.js'
import { namesOf, virtualSourcesIn } from './uses.js'

/** Logs each address once. A later configuration cancels the examination of an earlier one. */
export function sourceAdvice(log: Log, read = readSources): EventListener & { idle(): Promise<void> } {
  const told = new Set<string>()
  let current: Config | null = null
  let looking: Promise<void> = Promise.resolve()
  return {
    idle: () => looking,
    config(config) {
      current = config
      const checked = config.services.flatMap(({ reals }) =>
        reals.flatMap(({ address, checks }) => checks.flatMap(check => check.address ?? address ?? [])),
      )
      looking = read(checked).then(sources => {
        if (current !== config) return
        for (const { address, services, servers } of virtualSourcesIn(config, sources)) {
          if (told.has(address.text)) continue
          told.add(address.text)
          log.warn(
            'check.virtual-source',
            { address: address.text, services: namesOf(services) },
            `checks of ${counted(servers.length, 'real server')} have the virtual address ${address.text} as source, so answers may go elsewhere; lvsd doctor says what to do`,
          )
        }
      })
    },
  }
}
