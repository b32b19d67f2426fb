/** The maintenance windows of a running lvsd, as its control socket gives them. Plain JSON. */
import type { WithWindows } from '../core/coming-windows.js'
import type { Service } from '../core/model.js'
import type { EarlyEnd } from '../overrides/early-ends.js'

export interface WindowsDocument {
  readonly schema: 1
  /** The daemon's clock, ISO 8601. */
  readonly now: string
  /** All services, those without windows too. */
  readonly services: readonly WithWindows[]
  /** Openings that operators have ended early, while they would still be open. */
  readonly ended: readonly EndedWindow[]
}

/** An opening of a window that is over for a real server, or for a service (`real` null). */
export interface EndedWindow {
  readonly service: string
  readonly real: string | null
  /** `window 0 2 * * sun Europe/Berlin` */
  readonly window: string
  /** ISO 8601; its begin, the end that it would have had, and when it was ended. */
  readonly begin: string
  readonly until: string
  readonly at: string
  readonly who: string
}

export function endedWindow({ target, window, begin, end, at, who }: EarlyEnd): EndedWindow {
  const iso = (ms: number) => new Date(ms).toISOString()
  const { service, real } = target
  return { service, real, window, begin: iso(begin), until: iso(end), at: iso(at), who }
}

export function windowsDocument(
  { services }: { readonly services: readonly Service[] },
  { endedEarly }: { readonly endedEarly: readonly EarlyEnd[] },
  now = Date.now(),
): WindowsDocument {
  return {
    schema: 1,
    now: new Date(now).toISOString(),
    services: services.map(({ name, windows = [] }) => ({ name, windows })),
    ended: endedEarly.map(endedWindow),
  }
}
