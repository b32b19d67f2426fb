/** Which alerts a receiver gets. */
import { globPattern } from '../../config/glob.js'
import type { AlertReceiver } from '../../core/alert-receiver.js'
import { SEVERITIES } from '../../core/alert-rules.js'
import type { Alert } from './alert.js'

/** `groupOf`: the name that a service with several protocols or ports has in the configuration. */
export function alertFilter(
  { events, services, severity }: Pick<AlertReceiver, 'events' | 'services' | 'severity'>,
  groupOf: (service: string) => string | undefined,
): (alert: Pick<Alert, 'name' | 'service' | 'severity'>) => boolean {
  const ofEvent = matcher(events)
  const ofService = matcher(services)
  const least = SEVERITIES.indexOf(severity)
  return alert => {
    if (SEVERITIES.indexOf(alert.severity) < least || !ofEvent(alert.name)) return false
    if (alert.service === null) return true
    const group = groupOf(alert.service)
    return ofService(alert.service) || (group !== undefined && ofService(group))
  }
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.includes('*')) return () => true
  const all = patterns.map(globPattern)
  return name => all.some(fits => fits(name))
}
