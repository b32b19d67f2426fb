/** The maintenance windows of a running lvsd, as its control socket gives them. Plain JSON. */
import type { WithWindows } from '../core/coming-windows.js'
import type { Service } from '../core/model.js'

export interface WindowsDocument {
  readonly schema: 1
  /** The daemon's clock, ISO 8601. */
  readonly now: string
  /** All services, those without windows too. */
  readonly services: readonly WithWindows[]
}

export function windowsDocument(services: readonly Service[], now: number): WindowsDocument {
  return {
    schema: 1,
    now: new Date(now).toISOString(),
    services: services.map(({ name, windows = [] }) => ({ name, windows })),
  }
}
