/** The source address of the runs of one job. */
import type { PathUse } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import type { WantedSource } from '../core/check-source.js'
import type { CheckResult } from '../core/model.js'
import type { CheckSources, MayBeFromVirtual } from './check-sources.js'
import { MOVED, pathBinding, unproved } from './path-probe.js'

export interface SourceBinding {
  /** Returns the source of the run that begins now; null: the kernel chooses. */
  readonly begin: () => Address | null
  /**
   * Returns the result of the last run that began. A failure is no verdict if the answer may have gone elsewhere: the
   * source would be another one by now, or the kernel has chosen it and a virtual address has come or gone meanwhile.
   */
  readonly judged: (result: CheckResult) => CheckResult
  /** True if the last run began from an address that has become a virtual one: it would begin from another one now. */
  readonly isFromVirtual: (mayBeFrom: MayBeFromVirtual) => boolean
}

/** What decides the source of a job. */
interface Bound {
  readonly path?: PathUse
  readonly target: { readonly address: Address }
  readonly source?: WantedSource
}

const NOT_CHOSEN = { judged: (result: CheckResult) => result, isFromVirtual: () => false }
const BY_KERNEL: SourceBinding = { begin: () => null, ...NOT_CHOSEN }

export function bindingOf({ source, target, path }: Bound, sources: CheckSources | null): SourceBinding {
  if (path) return pathBinding(path, target.address, source, sources)
  // The target may be a name that has got an address of another family than the given source.
  if (source !== undefined && (source === 'kernel' || source.family === target.address.family)) {
    const fixed = source === 'kernel' ? null : source
    return { begin: () => fixed, ...NOT_CHOSEN }
  }
  if (!sources) return BY_KERNEL
  /** Undefined: none has begun. */
  let bound: Address | null | undefined
  let moves = 0
  const isAsNow = () => sources.of(target.address)?.text === bound?.text
  return {
    begin() {
      bound = sources.of(target.address)
      moves = sources.moves
      return bound
    },
    judged(result) {
      if (result.ok !== false) return result
      return isAsNow() && (bound || sources.moves === moves) ? result : unproved(result, MOVED)
    },
    isFromVirtual: mayBeFrom => bound !== undefined && mayBeFrom(target.address, bound) && !isAsNow(),
  }
}
