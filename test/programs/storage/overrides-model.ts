/** A sequence of overrides that are given and ended: what is in force after the first N of them. */
import type { CommandOverrides, Target } from '../../../src/overrides/command-overrides.js'

const REALS = 7
const EFFECTS = ['drain', 'disable', 'force-down'] as const

const targetOf = (n: number): Target => ({
  service: 'web',
  key: 'tcp [2001:db8::80]:80',
  real: `[fd00::${n % REALS}]:80`,
})
const effectOf = (n: number) => EFFECTS[n % EFFECTS.length] ?? 'drain'
/** Every fourth step ends what is on a real server, the others give an override. */
const isEnd = (n: number) => n % 4 === 3

/** Does step `n`. Resolves to whether the disk has it. */
export function take(overrides: CommandOverrides, n: number): Promise<boolean> {
  if (isEnd(n)) return overrides.end([targetOf(n)], EFFECTS, 'anna').isKept
  return overrides.give([targetOf(n)], {
    effect: { kind: effectOf(n) },
    source: 'command',
    who: 'root',
    reason: `${n} ${'x'.repeat(n % 500)}`,
    since: 1e12 + n,
    until: null,
  })
}

/** Returns the numbers of the overrides in force after step `n`, sorted. */
export function inForceAfter(n: number): readonly number[] {
  const held = new Map<string, number>()
  // An override lasts until the next step with the same real server and effect, at most.
  for (let step = Math.max(0, n - 4 * REALS * EFFECTS.length); step <= n; step++)
    if (isEnd(step)) for (const effect of EFFECTS) held.delete(`${targetOf(step).real} ${effect}`)
    else held.set(`${targetOf(step).real} ${effectOf(step)}`, step)
  return [...held.values()].sort((a, b) => a - b)
}
