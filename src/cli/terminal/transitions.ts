/** Compares two status documents. Returns the changes as data, or as lines. Pure. */

import type { RealStatus, ServiceStatus, StatusDocument } from '../../api/status-types.js'
import { hostPort } from '../../core/display-names.js'
import type { HealthState } from '../../core/model.js'
import { painter } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import { dateTime } from '../../util/time-text.js'
import { STATE_STYLE } from './state-style.js'

/** A change of the state of a real server, or of a service that has lost its last available server or has one again. */
export interface StatusChange {
  readonly kind: 'real' | 'service'
  /** ISO 8601. */
  readonly at: string
  readonly service: string
  readonly from: HealthState
  readonly to: HealthState
  /** `[2001:db8::1]:80`; only for a real server. */
  readonly real?: string
  /** Reason of the present state; only for a real server. */
  readonly reason?: string
  /** Fallback of a service, and whether it is in use; null if it has none. Only for a service. */
  readonly fallback?: { readonly name: string; readonly inUse: boolean } | null
}

export function changesBetween(before: StatusDocument, after: StatusDocument): StatusChange[] {
  const was = new Map(before.services.map(service => [service.name, service]))
  return [
    ...after.services.flatMap(service => realChanges(was.get(service.name), service)),
    ...after.services.flatMap(service => serviceChange(was.get(service.name), service, after.now)),
  ]
}

function realChanges(before: ServiceStatus | undefined, { name, reals }: ServiceStatus): StatusChange[] {
  const was = new Map(before?.reals.map(real => [hostPort(real), real.state]))
  const changeOf = (real: RealStatus): StatusChange => ({
    kind: 'real',
    at: real.since,
    service: name,
    real: hostPort(real),
    from: was.get(hostPort(real)) ?? 'unknown',
    to: real.state,
    reason: real.reason,
  })
  return reals.map(changeOf).filter(({ from, to }) => from !== to)
}

/** Returns the change of a service. A change of its fallback alone counts too. */
function serviceChange(
  before: ServiceStatus | undefined,
  { name, state, since, fallback }: ServiceStatus,
  now: string,
): StatusChange[] {
  const from = before?.state ?? 'unknown'
  const isMoved = (fallback?.inUse ?? false) !== (before?.fallback?.inUse ?? false)
  if (from === state && !isMoved) return []
  const shown = fallback && { name: hostPort(fallback), inUse: fallback.inUse }
  return [
    {
      kind: 'service',
      at: (from !== state && since) || now,
      service: name,
      from,
      to: state,
      fallback: shown,
    },
  ]
}

/** Returns one line for each change, for people. `time` formats when it was, milliseconds of the wall clock. */
export function transitionLines(
  before: StatusDocument,
  after: StatusDocument,
  { colour, time = dateTime }: { readonly colour: boolean; readonly time?: (at: number) => string },
): string[] {
  const paint = painter(colour)
  return changesBetween(before, after).flatMap(change => {
    const { at, service, real = '', from, to, reason = '' } = change
    const head = `${time(Date.parse(at))}  ${printable(service)}`
    if (change.kind === 'service') return serviceWords(change).map(words => `${head}  ${words}`)
    return `${head} ${real}  ${from} -> ${paint(STATE_STYLE[to], to)}  ${printable(reason)}`
  })
}

function serviceWords({ fallback, from, to }: StatusChange): string[] {
  if (fallback?.inUse) return [`fallback ${fallback.name} takes the traffic`]
  if (to === 'down')
    return [`no server is left${fallback ? '' : ', there is no fallback'}: clients are refused`]
  if (from === 'unknown' || to === 'unknown') return []
  return [fallback ? `fallback ${fallback.name} is out again` : 'a server is back: clients are served again']
}
