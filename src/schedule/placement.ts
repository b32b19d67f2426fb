/** Decides where a check runs: data in the core if each of its steps is bounded, everything else in workers. */
import type { Answer } from '../check/check.js'
import { answerFromError } from '../check/error-to-answer.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import type { CheckWork, PathUse } from '../check/run-code.js'
import { isBounded } from '../probe/bounded.js'
import { mayNeedCode } from '../probe/needs-code.js'
import { type PreparedProbe, prepareProbe } from '../probe/start-probe.js'
import { codeTakesPath, NO_MARK, throughPath } from './path-probe.js'

export type Placement =
  /** A probe that the core runs. `defers`: it may defer the verdict to the check's code. */
  | { readonly kind: 'core'; readonly prepared: PreparedProbe; readonly defers: boolean }
  | { readonly kind: 'worker' }
  /** A check that exists only in this process and not in a file, as in tests. */
  | { readonly kind: 'here' }

/** Returns where the check runs. No function of a user's check is called in this process. */
export function placementOf({ check, target, options, answer, path }: CheckWork): Placement {
  if (answer) return fixed(answer)
  if (path && check.origin === 'user') return inCore(throughPath(null, path))
  const codePlace = check.module === undefined ? 'here' : 'worker'
  if (check.origin === 'user') return { kind: codePlace }
  try {
    const probe = check.probe?.(target, options) ?? null
    if (path)
      return (
        placementThrough(path, probe && isBounded(probe) ? probe : null, { check, options }) ?? {
          kind: codePlace,
        }
      )
    if (probe && (codePlace === 'here' || isBounded(probe))) return inCore(probe)
    return { kind: codePlace }
  } catch (error) {
    // An exception in `probe` fails only this check, not the start or reload.
    return fixed(answerFromError(error))
  }
}

/** Returns null where the check's code takes the path. */
function placementThrough(
  path: PathUse,
  probe: ProbeSpec | null,
  work: Pick<CheckWork, 'check' | 'options'>,
): Placement | null {
  if (probe || !codeTakesPath(work)) return inCore(throughPath(probe, path))
  return path.mark === undefined ? fixed(NO_MARK) : null
}

function inCore(probe: ProbeSpec): Placement {
  return { kind: 'core', prepared: prepareProbe(probe), defers: mayNeedCode(probe) }
}

function fixed(answer: Answer): Placement {
  return { kind: 'core', prepared: { probe: { kind: 'fixed', answer } }, defers: false }
}
