/** What holds for a virtual once the global directives and ldirectord's defaults are counted in. */
import type { Position } from '../problems/problem.js'
import type { DirectiveName, Values } from './directives.js'
import { rowOf } from './kinds.js'
import type { Placed } from './report.js'

/** What the check of a virtual is made from. */
export interface VirtualFacts {
  readonly own: Values
  readonly globals: Values
  /** tcp, udp or fwm. */
  readonly protocol: string
  /** 0 for a firewall mark. */
  readonly port: number
  readonly at: Position
}

/** The virtual's own value, the global one, else the default, which stands where the virtual begins. */
export function effectiveValue<N extends DirectiveName, D>(
  name: N,
  own: Values,
  globals: Values,
  fallback: D,
  at: Position,
): NonNullable<Values[N]> | Placed<D> {
  return own[name] ?? globals[name] ?? { value: fallback, at }
}

/** Seconds for one run. Of the two directives the nearer one counts, then the other, then the default. */
export function timeoutOf(kind: string, own: Values, globals: Values, at: Position): Placed<number> {
  const byCheck = rowOf(kind).timeout === 'checktimeout'
  const order = byCheck
    ? (['checktimeout', 'negotiatetimeout'] as const)
    : (['negotiatetimeout', 'checktimeout'] as const)
  for (const values of [own, globals]) {
    for (const name of order) {
      const found = values[name]
      if (found) return found
    }
  }
  return { value: byCheck ? 5 : 30, at }
}
