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
  const ofEvent = events.map(globPattern)
  const ofService = services.map(globPattern)
  const least = SEVERITIES.indexOf(severity)
  return alert => {
    if (SEVERITIES.indexOf(alert.severity) < least || !ofEvent.some(fits => fits(alert.name))) return false
    if (alert.service === null) return true
    const names = [alert.service, groupOf(alert.service)].filter(name => name !== undefined)
    return ofService.some(fits => names.some(fits))
  }
}
