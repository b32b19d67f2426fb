import assert from 'node:assert/strict'
import type { CheckResult } from '../../../../src/core/model.js'
import { LAZY, Outbox, type Sender } from '../../../../src/schedule/engine/outbox.js'
import type { Report } from '../../../../src/schedule/engine/protocol.js'

type Results = Report & { readonly kind: 'results' }

function result(over: Partial<CheckResult> = {}): CheckResult {
  const phases = [{ phase: 'connect', ms: 1 } as const, { phase: 'body', ms: 2 } as const]
  return { ok: true, reason: null, detail: '200 OK', phase: 'body', ms: 3, phases, ...over }
}

function stage() {
  const posted: Results[] = []
  const outbox = new Outbox(report => posted.push(report as Results))
  const sender: Sender = { job: 7, last: null, run: 0, fullIn: -1, isSettled: false }
  /** The outbox has just sent something at time 0. */
  outbox.defer(0)
  outbox.flush(0)
  posted.length = 0
  return { posted, outbox, sender }
}

describe('engine: the outbox', () => {
  it('sends each result at once while the core may learn from it', () => {
    const { posted, outbox, sender } = stage()
    outbox.add(sender, result(), Number.NaN)
    outbox.flush(1)
    outbox.add(sender, result({ ms: 4 }), 2)
    outbox.flush(2)
    assert.deepEqual(
      posted.map(({ full, repeats }) => [full.map(({ job, run, delay }) => [job, run, delay]), repeats]),
      [
        [[[7, 1, Number.NaN]], null],
        [[[7, 2, 2]], null],
      ],
    )
  })

  it('keeps what is of no news, and sends it as numbers', () => {
    const { posted, outbox, sender } = stage()
    outbox.add(sender, result(), 0)
    outbox.flush(1)
    sender.isSettled = true
    const phases = [{ phase: 'connect', ms: 10 } as const, { phase: 'body', ms: 20 } as const]
    outbox.add(sender, result({ ms: 30, phases }), 5)
    outbox.flush(LAZY)
    assert.equal(posted.length, 1)
    outbox.flush(LAZY + 1)
    assert.deepEqual([...(posted[1]?.repeats ?? [])], [7, 5, 30, 2, 10, 20])
    outbox.flush(3 * LAZY)
    assert.equal(posted.length, 2)
  })

  it('says in how many milliseconds it has to send what it holds', () => {
    const { posted, outbox, sender } = stage()
    assert.equal(outbox.dueIn(1), Number.POSITIVE_INFINITY)
    outbox.add({ ...sender, last: result(), isSettled: true }, result(), 0)
    assert.equal(outbox.dueIn(1), LAZY - 1)
    assert.equal(outbox.dueIn(LAZY + 1), 0)
    outbox.flush(LAZY)
    assert.equal(posted.length, 1)
    assert.equal(outbox.dueIn(LAZY), Number.POSITIVE_INFINITY)
  })

  it('holds no result that differs from an earlier one in times only', () => {
    const { outbox, sender } = stage()
    const [first, second] = [result(), result({ detail: '201 Created' })]
    outbox.add(sender, first, 0)
    sender.isSettled = true
    outbox.add(sender, result({ ms: 30 }), 0)
    assert.equal(sender.last, first)
    outbox.add(sender, second, 0)
    assert.equal(sender.last, second)
  })

  it('sends another verdict or reason at once, with all that waits before it', () => {
    for (const over of [
      { ok: false, reason: 'refused' },
      { ok: null, reason: 'no-verdict' },
    ] as const) {
      const { posted, outbox, sender } = stage()
      const other: Sender = { ...sender, job: 8, last: result(), isSettled: true }
      outbox.add(other, result(), 0)
      sender.last = result()
      sender.isSettled = true
      outbox.add(sender, result(over), 0)
      outbox.flush(1)
      assert.deepEqual(posted[0]?.repeats?.[0], 8)
      assert.deepEqual(posted[0]?.full[0]?.result.reason, over.reason)
      // From now on each result may be news again.
      assert.equal(sender.isSettled, false)
    }
  })

  it('sends another detail later, and in full', () => {
    const { posted, outbox, sender } = stage()
    sender.last = result()
    sender.isSettled = true
    outbox.add(sender, result({ detail: 'another' }), 0)
    outbox.flush(1)
    assert.equal(posted.length, 0)
    outbox.flush(LAZY + 1)
    assert.equal(posted[0]?.full[0]?.result.detail, 'another')
  })

  it('keeps the order of the results of a job, and the details of each', () => {
    const { posted, outbox, sender } = stage()
    sender.last = result()
    sender.isSettled = true
    outbox.add(sender, result({ ms: 1 }), 0)
    outbox.add(sender, result({ ms: 2, detail: 'another' }), 0)
    outbox.add(sender, result({ ms: 3, detail: 'another' }), 0)
    outbox.flush(LAZY + 1)
    assert.equal(posted[0]?.repeats?.[2], 1)
    assert.equal(posted[0]?.repeats?.length, 6)
    assert.deepEqual(
      posted[0]?.full.map(one => one.result.ms),
      [2, 3],
    )
    outbox.add(sender, result({ ms: 4, detail: 'another' }), 0)
    outbox.flush(3 * LAZY)
    assert.equal(posted[1]?.repeats?.[2], 4)
  })

  it('sends the result of a run that was started at once as such, and without delay', () => {
    const { posted, outbox, sender } = stage()
    sender.last = result()
    sender.isSettled = true
    outbox.add(sender, result({ isEarly: true }), 0)
    outbox.flush(1)
    assert.equal(posted[0]?.full[0]?.result.isEarly, true)
  })

  it('keeps no advice waiting', () => {
    const { posted, outbox, sender } = stage()
    sender.last = result({ advice: { weight: 3 } })
    sender.isSettled = true
    outbox.add(sender, result({ advice: { weight: 3 } }), 0)
    outbox.flush(1)
    assert.equal(posted.length, 1)
  })

  it('holds any number of results', () => {
    const { posted, outbox, sender } = stage()
    sender.last = result()
    sender.isSettled = true
    for (let i = 0; i < 10_000; i++) outbox.add(sender, result({ ms: i }), 0)
    outbox.flush(LAZY + 1)
    const { repeats } = posted[0] ?? {}
    assert.equal(repeats?.length, 60_000)
    assert.equal(repeats?.[6 * 9999 + 2], 9999)
  })
})
