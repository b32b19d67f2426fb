/** Probes that go to a virtual address through one real server: marked, from a source of this machine's own. */
import { noVerdict } from '../check/check.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import type { OnDone } from '../check/run.js'
import type { CheckWork, PathUse } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import type { WantedSource } from '../core/check-source.js'
import type { CheckResult } from '../core/model.js'
import { NEEDS_CODE } from '../probe/needs-code.js'
import type { CheckSources, MayBeFromVirtual } from './check-sources.js'

/** The answer of a probe that must not be left to the check's code. */
export const NO_CODE = noVerdict(
  'a check through the path of the service follows no redirects: ask for another page, set redirects: 0, or write path: real',
)

export const NO_MARK = noVerdict(
  "only the running lvsd can ask through the path of the service, by its entries in the kernel's table: see lvsd why",
)

const AS_CODE = noVerdict(
  'the code of this check makes connections of its own, so it cannot go through the path of the service: write path: real',
)

const NO_SOURCE =
  'this machine has no address for checks through the path of the service that is not virtual, or lvsd cannot ask the kernel for it'

export const MOVED = 'the addresses of this machine have changed during the run'

/** Returns the probe as it runs through the path. `probe` is null for a check that runs as code which cannot. */
export function throughPath(probe: ProbeSpec | null, { mark }: PathUse): ProbeSpec {
  if (probe?.kind === 'fixed') return probe
  if (!probe || probe.kind === 'icmp') return { kind: 'fixed', answer: AS_CODE }
  return mark === undefined ? { kind: 'fixed', answer: NO_MARK } : { ...probe, mark }
}

/** True if the check's own code may take the path too. */
export function codeTakesPath({ check, options }: Pick<CheckWork, 'check' | 'options'>): boolean {
  return check.origin !== 'user' && check.run !== undefined && check.takesPath?.(options) === true
}

/** As `SourceBinding`. */
interface PathBinding {
  readonly begin: () => Address | null
  readonly judged: (result: CheckResult) => CheckResult
  readonly isFromVirtual: (mayBeFrom: MayBeFromVirtual) => boolean
}

/**
 * Returns the binding of a job through a path. Without a source of its own no run has a verdict: the kernel would choose the
 * virtual address, so the answers would not come back. A failure says which way it went.
 */
export function pathBinding(
  { via, how }: PathUse,
  target: Address,
  source: WantedSource | undefined,
  sources: Pick<CheckSources, 'towards'> | null,
): PathBinding {
  const choose = () =>
    typeof source === 'object' && source.family === target.family
      ? source
      : (sources?.towards(target, via) ?? null)
  let bound: Address | null = null
  return {
    begin() {
      bound = choose()
      return bound
    },
    judged(result) {
      if (result.ok === null) return result
      if (bound === null) return unproved(result, NO_SOURCE)
      if (result.ok) return result
      const told = { ...result, detail: `through the path of the service (${how}): ${result.detail}` }
      return choose()?.text === bound.text ? told : unproved(told, MOVED)
    },
    isFromVirtual: mayBeFrom => bound !== null && mayBeFrom(target, bound) && choose()?.text !== bound.text,
  }
}

/** Returns `done` for a probe whose verdict may be left to code: `defer` is called then; null: it cannot be left. */
export function orElse(done: OnDone, defer: (() => void) | null): OnDone {
  return answer => {
    if (answer !== NEEDS_CODE) done(answer)
    else if (defer) defer()
    else done(NO_CODE)
  }
}

/** Returns the result without a verdict. */
export function unproved(result: CheckResult, why: string): CheckResult {
  return { ...result, ok: null, reason: 'no-verdict', detail: `${why}; ${result.detail}` }
}
