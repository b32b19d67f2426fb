/** The source address of the runs of one job. */
import type { PathUse } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import type { WantedSource } from '../core/check-source.js'
import type { CheckResult } from '../core/model.js'
import type { CheckSources } from './check-sources.js'
import { MOVED, pathBinding, unproved } from './path-probe.js'

export interface SourceBinding {
  /** Returns the source of the run that begins now; null: the kernel chooses. */
  readonly begin: () => Address | null
  /**
   * Returns the result of the last run that began. A failure is no verdict if the answer may have gone elsewhere: the
   * source would be another one by now, or the kernel has chosen it and a virtual address has come or gone meanwhile.
   */
  readonly judged: (result: CheckResult) => CheckResult
}

/** What decides the source of a job. */
interface Bound {
  readonly path?: PathUse
  readonly target: { readonly address: Address }
  readonly source?: WantedSource
}

const BY_KERNEL: SourceBinding = { begin: () => null, judged: result => result }

export function bindingOf({ source, target, path }: Bound, sources: CheckSources | null): SourceBinding {
  if (path) return pathBinding(path, target.address, source, sources)
  // The target may be a name that has got an address of another family than the given source.
  if (source !== undefined && (source === 'kernel' || source.family === target.address.family)) {
    const fixed = source === 'kernel' ? null : source
    return { begin: () => fixed, judged: result => result }
  }
  if (!sources) return BY_KERNEL
  let bound: string | null = null
  let moves = 0
  return {
    begin() {
      const chosen = sources.of(target.address)
      bound = chosen?.text ?? null
      moves = sources.moves
      return chosen
    },
    judged(result) {
      if (result.ok !== false) return result
      const now = sources.of(target.address)?.text ?? null
      if (now === bound && (bound !== null || sources.moves === moves)) return result
      return unproved(result, MOVED)
    },
  }
}
