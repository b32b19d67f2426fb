import assert from 'node:assert/strict'
import { phaseSpans } from '../../../src/core/phase-spans.js'

describe('phase-spans: how long each phase of a run took', () => {
  const rows: [what: string, ends: number[], ms: number, took: number[]][] = [
    ['nothing without phases', [], 4, []],
    ['the last one ends with the run', [0.76, 2.9, 2.9], 2.97, [0.8, 2.1, 0.1]],
    ['they add up, however they are rounded', [0.14, 0.28, 0.42, 0.56], 0.56, [0.1, 0.2, 0.1, 0.2]],
  ]
  for (const [what, ends, ms, took] of rows)
    it(what, () => {
      const phases = ends.map(end => ({ phase: 'connect' as const, ms: end }))
      const spans = phaseSpans(phases, ms)
      assert.deepEqual(
        spans.map(span => span.took),
        took,
      )
      assert.equal(spans.at(-1)?.end ?? 0, ends.length === 0 ? 0 : Math.round(10 * ms) / 10)
    })
})
