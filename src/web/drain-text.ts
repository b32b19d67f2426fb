/** What a drain changes: weights, connections that go on, and who serves afterwards. Pure. */
import type { ListedReal, ServiceListing } from './api-types.js'
import { counted } from './text.js'

/** The real servers are those of the service that are to be drained. */
export function drainText(service: ServiceListing, reals: readonly ListedReal[]): string {
  const names = new Set(reals.map(({ name }) => name))
  const serving = service.reals.filter(real => !names.has(real.name) && takesConnections(real))
  const active = reals.reduce((sum, { counters }) => sum + (counters?.active ?? 0), 0)
  const rest =
    serving.length > 0
      ? `New connections go to the other ${counted(serving.length, 'real server')}.`
      : service.fallback
        ? `No other real server is in service: new connections go to the fallback ${service.fallback.name}.`
        : 'No other real server is in service and there is no fallback: new connections are refused.'
  return `${weightText(reals)}. ${counted(active, 'active connection')} ${active === 1 ? 'continues' : 'continue'}. ${rest}`
}

/** A server that is down, or has weight 0, keeps its weight. */
function weightText(reals: readonly ListedReal[]): string {
  const [only] = reals
  if (reals.length === 1 && only) {
    const { wanted } = only.weight
    if (wanted === null) return 'It is not in the table; when it comes back, its weight is 0'
    return wanted === 0 ? 'Its weight is 0 already' : `Its weight changes from ${wanted} to 0`
  }
  const changing = reals.filter(takesConnections).length
  if (changing === 0) return 'No weight changes: no real server has one above 0'
  const of = changing === reals.length ? '' : `${changing} of `
  const whose = `${of}${counted(reals.length, 'real server')}`
  return changing === 1 ? `The weight of ${whose} changes to 0` : `The weights of ${whose} change to 0`
}

function takesConnections({ weight }: ListedReal): boolean {
  return (weight.wanted ?? 0) > 0
}
