/** Computes the weight of a server that is up, from its configured weight and the advice of its checks. Pure. */
import { MAX_WEIGHT, type Weighing, type WeightAdvice } from './model.js'

/** Returns the lowest weight that the passing checks advise, at most MAX_WEIGHT, or the configured weight without advice. */
export function weightFrom(configured: number, advice: readonly WeightAdvice[]): number {
  if (advice.length === 0) return configured
  return Math.min(MAX_WEIGHT, ...advice.map(each => advised(each, configured)))
}

/** Returns the advised weight, limited by `most`. */
function advised(advice: WeightAdvice, configured: number): number {
  const weight = weighed(advice, configured)
  return advice.most ? Math.min(weight, weighed(advice.most, configured)) : weight
}

/** A positive share is at least 1: rounding must not drain a server. */
function weighed(weighing: Weighing, configured: number): number {
  if ('weight' in weighing) return weighing.weight
  const share = (configured * weighing.percent) / 100
  return share > 0 ? Math.max(1, Math.round(share)) : 0
}
