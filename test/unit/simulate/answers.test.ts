import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Answers, type AnswersParts } from '../../../src/simulate/answers.js'

const PARTS: AnswersParts = { seed: 1, check: 0, mean: 2, longest: 10, failing: 0.01 }

const parts = fc.record({
  seed: fc.nat(),
  check: fc.nat({ max: 1000 }),
  mean: fc.constantFrom(1, 2, 1000),
  longest: fc.constantFrom(0, 2, 10),
  failing: fc.constantFrom(0, 0.01, 0.5, 1),
})

describe('Answers', () => {
  it('of runs that are sure pass within the longest time', () => {
    fc.assert(
      fc.property(parts, given => {
        const answers = new Answers(given)
        for (let i = 0; i < 300; i++) {
          const isSure = answers.sure > 0
          const { isFailure, after } = answers.next()
          assert.equal(isSure, !isFailure && after < given.longest)
        }
      }),
    )
  })

  it('are the same after runs that were skipped as after runs that were asked', () => {
    fc.assert(
      fc.property(parts, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const [asked, skipped] = [new Answers(given), new Answers(given)]
        for (let i = 0; i < 50; i++) {
          const runs = Math.floor(share * Math.min(skipped.sure, 200))
          for (let run = 0; run < runs; run++) asked.next()
          skipped.skip(runs)
          assert.deepEqual(skipped.next(), asked.next())
          assert.equal(skipped.refusal(), asked.refusal())
        }
      }),
    )
  })

  it('fail, and take times, as is set', () => {
    const answers = new Answers(PARTS)
    const found = Array.from({ length: 100_000 }, () => answers.next())
    const share = (count: number) => count / found.length
    const failed = share(found.filter(({ isFailure }) => isFailure).length)
    assert.ok(Math.abs(failed / 0.01 - 1) < 0.1, String(failed))
    const mean = found.reduce((sum, { after }) => sum + after, 0) / found.length
    assert.ok(Math.abs(mean / 2 - 1) < 0.02, String(mean))
    // Of an exponential distribution, also beyond the longest time that is not late.
    for (const ms of [1, 5, 10, 12]) {
      const longer = share(found.filter(({ after }) => after > ms).length)
      const wanted = Math.exp(-ms / 2)
      assert.ok(Math.abs(longer - wanted) < 4 * Math.sqrt(wanted / found.length), `${longer} > ${ms} ms`)
    }
  })

  it('are others for another check and another seed', () => {
    const first = (more: Partial<AnswersParts>) => new Answers({ ...PARTS, ...more }).next().after
    assert.notEqual(first({ check: 1 }), first({}))
    assert.notEqual(first({ seed: 2 }), first({}))
  })
})
