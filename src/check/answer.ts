/** What a run of a check comes to. */
import type { CheckResult, OwnWord, Reason, WeightAdvice } from '../core/model.js'

/** What `run` returns: an answer without the timing, which the core adds. Make it with `up` and `down`. */
export type Answer = Pick<CheckResult, 'ok' | 'reason' | 'detail' | 'advice'>

/** The server passes; `advice` is for checks that have a say in its weight. */
export function up(detail: string, advice?: WeightAdvice): Answer {
  return { ok: true, reason: null, detail, ...(advice && { advice }) }
}

/** One of lvsd's reasons, or a word of the check's own: lower-case letters, digits and hyphens. */
export function down(reason: Reason | OwnWord, detail: string): Answer {
  return { ok: false, reason, detail }
}

/** lvsd itself could not ask: the health of the server does not move. */
export function noVerdict(detail: string): Answer {
  return { ok: null, reason: 'no-verdict', detail }
}
