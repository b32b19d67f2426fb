/** Services that another program changes again and again: two directors that undo each other. Pure. */

/** Readings with a change of others, after which they are no accident. */
const MANY = 3
/** Readings without one, after which it is over. */
const QUIET = 10

export interface Dispute {
  /** `keyOfService`. */
  readonly service: string
  /** Of the first change, milliseconds of the steady clock. */
  readonly since: number
  /** Changes that were put right. */
  readonly changes: number
}

interface Count extends Dispute {
  /** Readings with a change, and how many there were since the last of them. */
  readonly readings: number
  readonly quiet: number
}

export class Disputes {
  #counts = new Map<string, Count>()

  /** Those that go on. */
  get current(): readonly Dispute[] {
    return [...this.#counts.values()].filter(isDispute)
  }

  has(service: string): boolean {
    const count = this.#counts.get(service)
    return count !== undefined && isDispute(count)
  }

  /** One reading: how many changes of others it has found, by service. Gives what has begun and what is over. */
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
