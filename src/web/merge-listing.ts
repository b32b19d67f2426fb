/** A listing, and what is new since then. Pure. */
import type { ListedReal, ServiceListing } from './api-types.js'

/** Real servers that have not changed are the same objects, so that their rows are not drawn again. */
export function mergedListing(known: ServiceListing | null, answer: ServiceListing): ServiceListing {
  if (answer.isWhole || !known) return answer
  const changed = new Map(answer.reals.map(real => [real.name, real]))
  const counters = new Map(answer.changedCounters.map(each => [each.name, each.counters]))
  if (changed.size + counters.size === 0) return { ...answer, reals: known.reals }
  return { ...answer, reals: known.reals.map(real => changed.get(real.name) ?? counted(real, counters)) }
}

function counted(real: ListedReal, known: ReadonlyMap<string, ListedReal['counters']>): ListedReal {
  const counters = known.get(real.name)
  return counters === undefined ? real : { ...real, counters }
}
