/** The source address of the runs of one job. */
import type { CheckWork } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import type { CheckResult } from '../core/model.js'
import type { CheckSources } from './check-sources.js'

export interface SourceBinding {
  /** Returns the source of the run that begins now; null: the kernel chooses. */
  readonly begin: () => Address | null
  /**
   * Returns the result of the last run that began. A failure is no verdict if the source would be another one by now:
   * the addresses of this machine have changed meanwhile, and the answer may have gone elsewhere.
   */
  readonly judged: (result: CheckResult) => CheckResult
}

export function bindingOf({ source, target }: CheckWork, sources: CheckSources | null): SourceBinding {
  // The target may be a name that has got an address of another family than the given source.
  if (source !== undefined && (source === 'kernel' || source.family === target.address.family)) {
    const fixed = source === 'kernel' ? null : source
    return { begin: () => fixed, judged: result => result }
  }
  if (!sources) return { begin: () => null, judged: result => result }
  let bound: string | null = null
  return {
    begin() {
      const chosen = sources.of(target.address)
      bound = chosen?.text ?? null
      return chosen
    },
    judged(result) {
      if (result.ok !== false || (sources.of(target.address)?.text ?? null) === bound) return result
      return { ...result, ok: null, reason: 'no-verdict', detail: `${MOVED}; ${result.detail}` }
    },
  }
}

const MOVED = 'the source address of the check has changed during the run'
