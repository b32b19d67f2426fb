/**
 * What is new in the listing of a service since an answer that a client has. A page asks each second for thousands of real
 * servers, of which few change but for their connections.
 */
import { randomBytes } from 'node:crypto'
import type { ListedReal, Listing, ServiceListing } from './status-types.js'

/** Milliseconds after which a service that nobody asks for is forgotten. */
const KEPT_FOR = 60_000

interface Row {
  real: ListedReal
  /** Numbers of the answers in which the counters, and anything else, were new. */
  countersAt: number
  restAt: number
}

interface Known {
  /** Another one where the real servers are others, or in another order, and after a restart. */
  readonly epoch: string
  readonly rows: readonly Row[]
  number: number
  askedAt: number
}

export class ListingChanges {
  /** By the name of the service. */
  readonly #known = new Map<string, Known>()
  readonly #now: () => number

  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** `after`: the version of the answer that the client has. Null, or an unknown one: the answer is whole. */
  answer(listing: Listing, after: string | null): ServiceListing {
    const known = this.#update(listing)
    const { epoch, number, rows } = known
    const version = `${epoch}.${number}`
    const [itsEpoch, itsNumber] = (after ?? '').split('.')
    if (itsEpoch !== epoch) return { ...listing, version, isWhole: true, changedCounters: [] }
    const since = Number(itsNumber)
    return {
      ...listing,
      version,
      isWhole: false,
      reals: rows.filter(({ restAt }) => restAt > since).map(({ real }) => real),
      changedCounters: rows
        .filter(({ restAt, countersAt }) => restAt <= since && countersAt > since)
        .map(({ real: { name, counters } }) => ({ name, counters })),
    }
  }

  #update(listing: Listing): Known {
    const askedAt = this.#now()
    for (const [name, known] of this.#known) if (askedAt - known.askedAt > KEPT_FOR) this.#known.delete(name)
    const known = this.#known.get(listing.name)
    if (!known || !hasSameNames(known.rows, listing.reals)) {
      const rows = listing.reals.map(real => ({ real, countersAt: 0, restAt: 0 }))
      const fresh = { epoch: randomBytes(6).toString('hex'), rows, number: 0, askedAt }
      this.#known.set(listing.name, fresh)
      return fresh
    }
    known.askedAt = askedAt
    known.number++
    listing.reals.forEach((real, i) => {
      const row = known.rows[i] as Row
      if (!isSame(row.real.counters, real.counters)) row.countersAt = known.number
      if (!isSameRest(row.real, real)) row.restAt = known.number
      row.real = real
    })
    return known
  }
}

function hasSameNames(rows: readonly Row[], reals: readonly ListedReal[]): boolean {
  return rows.length === reals.length && reals.every(({ name }, i) => rows[i]?.real.name === name)
}

function isSameRest(one: ListedReal, other: ListedReal): boolean {
  for (const name in one)
    if (name !== 'counters' && !isSame(one[name as keyof ListedReal], other[name as keyof ListedReal]))
      return false
  return true
}

/** Of values that JSON can have, without lists. The same fields are in both. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  for (const name in one) if (!isSame(one[name as never], other[name as never])) return false
  return true
}
