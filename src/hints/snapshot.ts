/** What is known of hints at one moment. */
import { HINT_KINDS, type HintKind } from '../core/hints.js'
import type { GivenHint, HintCounts } from './hints.js'
import type { SentinelState, SentinelView } from './sentinels.js'

export interface HintsSnapshot extends HintCounts {
  readonly sentinels: Readonly<Record<SentinelState | 'left-out', number>>
  /** Servers that are knocked on. */
  readonly knocking: number
  /** What is known of a job. Times are milliseconds of the steady clock. */
  of(id: string): JobHints
}

export interface JobHints {
  /** Null: the check has none. */
  readonly sentinel: SentinelView | null
  readonly isKnocking: boolean
  /** The last hint that brought the check forward. */
  readonly last: GivenHint | null
}

export const NO_HINTS: HintsSnapshot = {
  given: Object.fromEntries(HINT_KINDS.map(kind => [kind, 0])) as Record<HintKind, number>,
  broughtForward: 0,
  dropped: 0,
  waiting: 0,
  sentinels: { closed: 0, waiting: 0, opening: 0, watching: 0, 'left-out': 0 },
  knocking: 0,
  of: () => ({ sentinel: null, isKnocking: false, last: null }),
}
