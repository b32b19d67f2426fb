/** The weight of a server that is up: the configured one, or what its checks advise. Pure. */
import type { Weighing, WeightAdvice } from './model.js'

/** The least where several checks advise; `advice` is that of those that pass. */
export function weightFrom(configured: number, advice: readonly WeightAdvice[]): number {
  return advice.length === 0 ? configured : Math.min(...advice.map(each => advised(each, configured)))
}

/** What the advice comes to, and no more than its limit. */
function advised(advice: WeightAdvice, configured: number): number {
  const weight = weighed(advice, configured)
  return advice.most ? Math.min(weight, weighed(advice.most, configured)) : weight
}

/** A share is never rounded to nothing: only 0 per cent, and that of 0, is 0. */
function weighed(weighing: Weighing, configured: number): number {
  if ('weight' in weighing) return weighing.weight
  const share = (configured * weighing.percent) / 100
  return share > 0 ? Math.max(1, Math.round(share)) : 0
}
