/** Writes each change that the next start needs. */
import type { EventListener } from '../events/event-bus.js'
import type { HealthMemory } from '../health/health-memory.js'

export function memoryListener(memory: Pick<HealthMemory, 'changed'>): EventListener {
  const changed = () => memory.changed()
  return { transition: changed, override: changed, traffic: changed, config: changed, applied: changed }
}
