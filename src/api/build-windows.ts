/** Builds the document of the maintenance windows of a running lvsd. */
import { comingWindows } from '../core/coming-windows.js'
import type { Service } from '../core/model.js'
import type { EarlyEnd } from '../overrides/early-ends.js'
import type { EndedWindow, WindowsDocument } from './windows-types.js'

export function endedWindowOf({ target, window, begin, end, at, who }: EarlyEnd): EndedWindow {
  const { service, real } = target
  return { service, real, window, begin: iso(begin), until: iso(end), at: iso(at), who }
}

/** `count`: how many of the coming windows. */
export function buildWindows(
  services: readonly Service[],
  endedEarly: readonly EarlyEnd[],
  { now, count }: { readonly now: number; readonly count: number },
): WindowsDocument {
  return {
    schema: 1,
    now: iso(now),
    services: services.map(({ name, windows = [] }) => ({ name, windows })),
    coming: comingWindows(services, now, count).map(({ begin, end, ...rest }) => ({
      begin: iso(begin),
      end: iso(end),
      ...rest,
    })),
    ended: endedEarly.map(endedWindowOf),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
