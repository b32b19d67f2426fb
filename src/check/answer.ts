/** The answer of a run, and functions that create one. */
import type { CheckResult, OwnWord, Reason, WeightAdvice } from '../core/model.js'

/** An answer without timing, which the core adds. Create it with `up`, `down` or `noVerdict`. */
export type Answer = Pick<CheckResult, 'ok' | 'reason' | 'detail' | 'advice'>

/** The check passes. `advice` is for checks that advise a weight. */
export function up(detail: string, advice?: WeightAdvice): Answer {
  return { ok: true, reason: null, detail, ...(advice && { advice }) }
}

/** The check fails. `reason` is a reason of lvsd, or a word of lower-case letters, digits and hyphens. */
export function down(reason: Reason | OwnWord, detail: string): Answer {
  return { ok: false, reason, detail }
}

/** No verdict: lvsd itself could not run the check. The health of the server does not change. */
export function noVerdict(detail: string): Answer {
  return { ok: null, reason: 'no-verdict', detail }
}
