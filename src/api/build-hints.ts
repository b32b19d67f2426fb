/** Builds what the status and `lvsd why` say of hints. */
import type { HintsSnapshot, JobHints } from '../hints/snapshot.js'
import type { WallClock } from '../util/clock.js'
import type { CheckHints, HintsStatus } from './hint-types.js'

/** Undefined if nothing is to be said. */
export function checkHintsOf(
  { sentinel, isKnocking, last }: JobHints,
  dates: Pick<WallClock, 'iso'>,
): CheckHints | undefined {
  if (!sentinel && !isKnocking && !last) return undefined
  return {
    sentinel: sentinel && {
      state: sentinel.state,
      since: sentinel.since === null ? null : dates.iso(sentinel.since),
      restsUntil: sentinel.restsUntil === null ? null : dates.iso(sentinel.restsUntil),
      idleLimit: sentinel.idleLimit === null ? null : Math.round(sentinel.idleLimit),
    },
    isKnocking,
    last: last && { kind: last.kind, detail: last.detail, at: dates.iso(last.at) },
  }
}

export function hintsStatusOf({ of, ...counts }: HintsSnapshot): HintsStatus {
  return { ...counts }
}
