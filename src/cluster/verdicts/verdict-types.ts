/** What directors share: questions, what each says of them, and what people see of it. */
import type { Agreement } from '../../core/agreement.js'
import type { CheckResult } from '../../core/model.js'
import type { Hashed } from '../../core/observers.js'
import type { HeapItem } from '../../util/due-heap.js'
import type { Voter } from './outliers.js'

/** What is asked: a check of a target. */
export interface Question {
  /** Its name in this director: a job. */
  readonly job: string
  /** Its name in the site. */
  readonly key: string
  /** Milliseconds. */
  readonly interval: number
  readonly timeout: number
  /** The services that use it. */
  readonly services: readonly string[]
}

/**
 * What a director says of a question. own: each director has to ask by itself, because the check advises a weight.
 * `found`: why it is down.
 */
export interface Vote {
  readonly state: 'up' | 'down' | 'own'
  readonly found: Pick<CheckResult, 'reason' | 'phase' | 'detail'> | null
}

/** What a director tells of itself and of its verdicts. */
export interface Said {
  readonly id: string
  readonly host: string
  /** Names the process. */
  readonly instance: string
  /** Grows with each change of its verdicts. */
  readonly version: number
  /** The version that the changes follow; null: `votes` are all. */
  readonly base: number | null
  /** Milliseconds; null: as that of this director. */
  readonly heartbeat: number | null
  /** Milliseconds since the oldest result that a verdict of it comes from; null: it has none, or does not say it. */
  readonly oldest: number | null
  readonly isAble: boolean
  /** Hash of its services. */
  readonly config: string
  readonly votes: readonly (readonly [key: string, vote: Vote])[]
  readonly gone: readonly string[]
}

export interface SharingSettings {
  readonly observers: number
  readonly agree: Agreement
  /** Milliseconds. */
  readonly heartbeat: number
}

/** When a question is asked: milliseconds after multiples of its interval, on the clock of the site. */
export interface Plan {
  readonly phase: number
}

/** A vote, for people. */
export interface VoteView extends Voter {
  readonly state: 'up' | 'down'
  readonly detail: string | null
}

/** What one director says. */
export interface Share extends Voter {
  /** Its verdicts. */
  readonly verdicts: number
  /** Milliseconds since the oldest result that one of them comes from; null: it has none, or does not say it. */
  readonly oldest: number | null
}

export interface SharingSnapshot extends SharingSettings {
  /** Questions that this director asks, and those that it hears of only. */
  readonly asked: number
  readonly heard: number
  /** Questions of which directors say different things. */
  readonly disputed: number
  /** Directors whose verdicts count at present, this one included. */
  readonly directors: readonly string[]
  /** What each of them says. */
  readonly shares: readonly Share[]
  /** Directors whose view differs from that of all others. */
  readonly outliers: readonly string[]
}

/** A question with what this director knows of it. */
export interface SharedQuestion extends HeapItem {
  readonly question: Question
  readonly hashed: Hashed
  observers: readonly Hashed[]
  /** Observers that were chosen and had said nothing yet, by the time of that. */
  awaited: ReadonlyMap<string, number>
  own: Vote | null
  /** When the last result came of which `own` is. */
  ownAt: number
  /** A director has said that each must ask by itself. */
  isOwn: boolean
  /** An operator wants a result of this director. */
  isWanted: boolean
  plan: Plan | null
}

/** Verdicts of one director. */
export const MOST_VOTES = 30_000
