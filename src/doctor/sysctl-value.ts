/** Judges one sysctl, with the three ways in which it can be absent. Pure. */
import type { Facts } from './facts.js'
import { type Judgement, notKnown } from './finding.js'

/** Returns the value; undefined if the kernel does not have the sysctl, null if it cannot be read. */
export function sysctl({ machine }: Facts, name: string): string | null | undefined {
  return machine.sysctls.get(name)
}

/** Judges the value as a number. Returns no finding for a sysctl that the kernel does not have. */
export function judged(
  facts: Facts,
  name: string,
  judge: (value: number) => Judgement | null,
): readonly Judgement[] {
  const value = sysctl(facts, name)
  if (value === undefined) return []
  if (value === null)
    return [notKnown(`${name} is not known`, 'It cannot be read by this user: run lvsd doctor as root.')]
  const found = judge(Number(value))
  return found ? [found] : []
}
