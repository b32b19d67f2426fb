import assert from 'node:assert/strict'
import type { Address } from '../../../src/core/address.js'
import type { CheckResult } from '../../../src/core/model.js'
import type { CheckSources } from '../../../src/schedule/check-sources.js'
import { bindingOf } from '../../../src/schedule/source-binding.js'
import { targetOf } from '../../support/probe.js'
import { address } from '../../support/tables.js'

const RESULT: CheckResult = {
  ok: false,
  reason: 'timeout',
  detail: 'no answer',
  phase: null,
  ms: 5,
  phases: [],
}
const OWN = address('fc00::1')

function binding(source?: Address | 'kernel') {
  const now: { source: Address | null; moves: number } = { source: null, moves: 0 }
  const sources = {
    of: () => now.source,
    get moves() {
      return now.moves
    },
  } as unknown as CheckSources
  const target = targetOf({ host: 'fc00::11', port: 80 })
  const work = { check: {}, target, options: {}, ...(source && { source }) } as unknown as Parameters<
    typeof bindingOf
  >[0]
  return { now, binding: bindingOf(work, sources) }
}

describe('schedule: the source of a job', () => {
  it('makes a failure no verdict if it has changed during the run', () => {
    const { now, binding: job } = binding()
    assert.equal(job.begin(), null)
    assert.equal(job.judged(RESULT), RESULT)
    now.source = OWN
    const { ok, reason, detail } = job.judged(RESULT)
    assert.deepEqual([ok, reason], [null, 'no-verdict'])
    assert.match(detail, /have changed during the run; no answer/)
    const passed = { ...RESULT, ok: true, reason: null }
    assert.equal(job.judged(passed), passed)
    assert.equal(job.begin(), OWN)
    now.moves++
    assert.equal(job.judged(RESULT), RESULT)
  })

  it('makes a failure no verdict if a virtual address has come and gone during a run that is left to the kernel', () => {
    const { now, binding: job } = binding()
    job.begin()
    now.moves++
    assert.equal(job.judged(RESULT).ok, null)
    job.begin()
    assert.equal(job.judged(RESULT), RESULT)
  })

  it('is from a virtual address if it may be, and would be another one now', () => {
    const { now, binding: job } = binding()
    const asked: unknown[] = []
    const mayBe = (target: Address, bound: Address | null) => asked.push([target.text, bound]) > 0
    now.source = OWN
    assert.equal(job.isFromVirtual(mayBe), false, 'none has begun')
    now.source = null
    job.begin()
    assert.equal(job.isFromVirtual(mayBe), false)
    now.source = OWN
    assert.equal(job.isFromVirtual(mayBe), true)
    assert.equal(
      job.isFromVirtual(() => false),
      false,
    )
    job.begin()
    assert.equal(job.isFromVirtual(mayBe), false)
    assert.deepEqual(asked, [
      ['fc00::11', null],
      ['fc00::11', null],
      ['fc00::11', OWN],
    ])
    const { now: given, binding: fixed } = binding('kernel')
    fixed.begin()
    given.source = OWN
    assert.equal(fixed.isFromVirtual(mayBe), false)
  })

  it('is that of the configuration, whatever the kernel would choose', () => {
    const given = address('fc00::5')
    for (const [source, expected] of [
      [given, given],
      ['kernel', null],
      // The name of the target has got an address of another family.
      [address('192.0.2.1'), OWN],
    ] as const) {
      const { now, binding: job } = binding(source)
      now.source = OWN
      assert.equal(job.begin(), expected)
      assert.equal(job.judged(RESULT), RESULT)
    }
  })
})
