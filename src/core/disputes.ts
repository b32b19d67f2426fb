/** Detects services that another program changes repeatedly, as when two directors undo each other's changes. Pure. */

/** A dispute begins after this many table reads that found a foreign change. */
const MANY = 3
/** A dispute ends after this many consecutive table reads without a foreign change. */
const QUIET = 10

export interface Dispute {
  /** Key of the service, from `keyOfService`. */
  readonly service: string
  /** Time of the first foreign change, in milliseconds of the steady clock. */
  readonly since: number
  /** Number of foreign changes that lvsd has reverted. */
  readonly changes: number
}

interface Count extends Dispute {
  /** Number of table reads with a foreign change. */
  readonly readings: number
  readonly quiet: number
}

export class Disputes {
  #counts = new Map<string, Count>()

  /** The disputes that are going on. */
  get current(): readonly Dispute[] {
    return [...this.#counts.values()].filter(isDispute)
  }

  has(service: string): boolean {
    const count = this.#counts.get(service)
    return count !== undefined && isDispute(count)
  }

  /**
   * Records one table read. `changes` maps a service key to the number of foreign changes found. Returns the disputes
   * that began and those that ended with this read.
   */
  read(changes: ReadonlyMap<string, number>, now: number): { begun: Dispute[]; over: Dispute[] } {
    const before = this.#counts
    const after = [...new Set([...before.keys(), ...changes.keys()])]
      .map(service => nextCount(before.get(service), { service, changes: changes.get(service) ?? 0, now }))
      .filter(({ quiet }) => quiet < QUIET)
    this.#counts = new Map(after.map(count => [count.service, count]))
    return {
      begun: after.filter(count => isDispute(count) && !isDispute(before.get(count.service))),
      over: [...before.values()].filter(count => isDispute(count) && !this.#counts.has(count.service)),
    }
  }
}

function nextCount(
  before: Count | undefined,
  { service, changes, now }: { service: string; changes: number; now: number },
): Count {
  const known = before ?? { service, since: now, changes: 0, readings: 0, quiet: 0 }
  if (changes === 0) return { ...known, quiet: known.quiet + 1 }
  return { ...known, changes: known.changes + changes, readings: known.readings + 1, quiet: 0 }
}

function isDispute(count: Count | undefined): count is Count {
  return count !== undefined && count.readings >= MANY
}
