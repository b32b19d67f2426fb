/** What is wrong with the services, in sentences. Pure. */
import type { OverviewDocument, ServiceOverview } from './api-types.js'
import { counted } from './text.js'

export interface Summary {
  readonly tone: 'good' | 'poor' | 'bad'
  /** The worst, or that all is well. */
  readonly headline: string
  /** What else is wrong with services. */
  readonly others: readonly string[]
  readonly counts: string
}

/** Names that a sentence has at most. */
const NAMED = 3

type Known = Pick<OverviewDocument, 'services' | 'totals' | 'isolation' | 'cluster'>

/** `hasTrouble`: something is wrong with the director itself. */
export function summaryOf({ services, totals, isolation, cluster }: Known, hasTrouble: boolean): Summary {
  const refusing = namesOf(services, isRefusing)
  const spared = namesOf(services, ({ fallback }) => fallback?.inUse === true)
  const panicking = namesOf(services, ({ panic }) => panic !== null)
  const reduced = namesOf(
    services,
    service => service.failed > 0 && !isRefusing(service) && !service.fallback?.inUse && !service.panic,
  )
  const unjudged = namesOf(services, ({ state }) => state === 'unknown')
  const isCutOff = isolation !== null || (cluster?.connectivity?.lost ?? null) !== null
  const [headline, ...others] = [
    // What it says of services is what it knew before.
    ...(isCutOff ? ['This director has lost its network'] : []),
    ...told(refusing, names => `Clients of ${names} are refused`),
    ...told(spared, names => `Only the fallback serves ${names}`),
    ...told(panicking, (names, isOne) => `${names} ${isOne ? 'is' : 'are'} in panic`),
    ...told(unjudged, (names, isOne) => `${names} ${isOne ? 'is' : 'are'} not judged yet`),
    ...told(reduced, (names, isOne) => `${names} ${isOne ? 'has' : 'have'} failed real servers`),
  ]
  const isBad = isCutOff || refusing.length + spared.length + panicking.length > 0
  return {
    tone: isBad ? 'bad' : headline !== undefined || hasTrouble ? 'poor' : 'good',
    headline: headline ?? 'All services are healthy',
    others,
    counts: countsText(services, totals),
  }
}

/** No real server serves, and no fallback. */
export function isRefusing({ state, fallback }: Pick<ServiceOverview, 'state' | 'fallback'>): boolean {
  return state === 'down' && !fallback?.inUse
}

/** Each server counts once, by its state as everywhere on the page: one that is drained is up. */
function countsText(services: readonly ServiceOverview[], totals: OverviewDocument['totals']): string {
  const { up, down, unknown } = totals
  const sum = (of: (service: ServiceOverview) => number) =>
    services.reduce((all, service) => all + of(service), 0)
  const failed = sum(service => service.failed)
  const drained = sum(service => service.drained)
  const held = down - failed
  return [
    `${up} of ${counted(up + down + unknown, 'real server')} up${drained > 0 ? ` (${drained} drained)` : ''}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unknown > 0 ? [`${unknown} not judged yet`] : []),
    ...(held > 0 ? [`${held} in maintenance`] : []),
  ].join(', ')
}

function namesOf(services: readonly ServiceOverview[], is: (service: ServiceOverview) => boolean): string[] {
  return services.filter(is).map(({ name }) => name)
}

function told(names: readonly string[], sentence: (names: string, isOne: boolean) => string): string[] {
  return names.length === 0 ? [] : [sentence(listed(names), names.length === 1)]
}

/** `web`, `web and mail`, `web, mail, shop and 4 more`. */
function listed(names: readonly string[]): string {
  const more = names.length - NAMED
  const parts = more > 0 ? [...names.slice(0, NAMED), `${more} more`] : names
  return parts.length === 1 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
