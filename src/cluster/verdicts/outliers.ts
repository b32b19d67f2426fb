/** Finds directors whose verdicts differ from those of all others. */
import { isOutlier } from '../../core/agreement.js'
import type { HealthState } from '../../core/model.js'

export interface Voter {
  readonly id: string
  readonly host: string
  readonly isSelf: boolean
}

/** What the directors say of one question. */
type Votes = readonly (readonly [Voter, { readonly state: HealthState | 'own' }])[]

export interface OutlierChange {
  readonly voter: Voter
  /** False: its view agrees again. */
  readonly isOutlier: boolean
}

export class Outliers {
  /** Since when each director has been in the minority. */
  readonly #suspects = new Map<string, number>()
  readonly #outliers = new Map<string, Voter>()

  get current(): readonly Voter[] {
    return [...this.#outliers.values()]
  }

  /**
   * Takes the questions of which directors say different things. Returns what has changed. `comparedOf` returns the number
   * of verdicts of a director; one is an outlier after `patience` ms in the minority.
   */
  look(
    disputes: readonly Votes[],
    comparedOf: (voter: Voter) => number,
    now: number,
    patience: number,
  ): readonly OutlierChange[] {
    const seen = new Map<string, { voter: Voter; contrary: number; against: Set<string> }>()
    for (const votes of disputes)
      for (const [voter, { state }] of votes) {
        const others = votes.filter(([{ id }]) => id !== voter.id)
        if (others.length === 0 || others.some(([, vote]) => vote.state === state)) continue
        const entry = seen.get(voter.id) ?? { voter, contrary: 0, against: new Set() }
        seen.set(voter.id, entry)
        entry.contrary++
        for (const [{ id }] of others) entry.against.add(id)
      }
    const found = new Map<string, Voter>()
    for (const [id, { voter, contrary, against }] of seen) {
      if (!isOutlier({ compared: comparedOf(voter), contrary, against: against.size })) seen.delete(id)
      else if (now - this.#suspectSince(id, now) >= patience) found.set(id, voter)
    }
    for (const id of this.#suspects.keys()) if (!seen.has(id)) this.#suspects.delete(id)
    return this.#changesTo(found)
  }

  #suspectSince(id: string, now: number): number {
    const since = this.#suspects.get(id) ?? now
    this.#suspects.set(id, since)
    return since
  }

  #changesTo(found: ReadonlyMap<string, Voter>): readonly OutlierChange[] {
    const changes: OutlierChange[] = []
    for (const [id, voter] of this.#outliers)
      if (!found.has(id)) {
        this.#outliers.delete(id)
        changes.push({ voter, isOutlier: false })
      }
    for (const [id, voter] of found)
      if (!this.#outliers.has(id)) {
        this.#outliers.set(id, voter)
        changes.push({ voter, isOutlier: true })
      }
    return changes
  }
}

/** Directors whose hosts have the same name get a part of their ids. */
export function toldApart<T>(votes: readonly (readonly [Voter, T])[]): readonly (readonly [Voter, T])[] {
  const counts = new Map<string, number>()
  for (const [{ host }] of votes) counts.set(host, (counts.get(host) ?? 0) + 1)
  return votes.map(([voter, vote]) => {
    const { id, host } = voter
    return [counts.get(host) === 1 ? voter : { ...voter, host: `${host} (${id.slice(0, 6)})` }, vote]
  })
}
