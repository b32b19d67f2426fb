/** What is to be run, and where: data with the core, where each of its steps is bounded, and all else in workers. */
import type { Answer } from '../check/check.js'
import { answerFromError } from '../check/error-to-answer.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import type { CheckWork } from '../check/run-code.js'
import { isBounded } from '../probe/bounded.js'
import { mayNeedCode } from '../probe/needs-code.js'
import { type PreparedProbe, prepareProbe } from '../probe/start-probe.js'

export type Placement =
  /** Data that the core runs itself; `defers`: the verdict may be left to the check's code. */
  | { readonly kind: 'core'; readonly prepared: PreparedProbe; readonly defers: boolean }
  | { readonly kind: 'worker' }
  /** A check that was made in this process and is in no file, as in tests. */
  | { readonly kind: 'here' }

/** Where this runs. Of a user's check nothing is called here, not even to ask what it would send. */
export function placementOf({ check, target, options, answer }: CheckWork): Placement {
  if (answer) return fixed(answer)
  const codePlace = check.module === undefined ? 'here' : 'worker'
  if (check.origin === 'user') return { kind: codePlace }
  try {
    const probe = check.probe?.(target, options) ?? null
    if (probe && (codePlace === 'here' || isBounded(probe))) return inCore(probe)
    return { kind: codePlace }
  } catch (error) {
    // Whoever cannot say what it asks fails; no start and no reload does for that.
    return fixed(answerFromError(error))
  }
}

function inCore(probe: ProbeSpec): Placement {
  return { kind: 'core', prepared: prepareProbe(probe), defers: mayNeedCode(probe) }
}

function fixed(answer: Answer): Placement {
  return { kind: 'core', prepared: { probe: { kind: 'fixed', answer } }, defers: false }
}
