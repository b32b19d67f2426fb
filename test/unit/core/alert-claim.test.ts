/** The rule that makes one message of one event that several directors see. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  CLAIM_LASTS,
  CLAIM_SCHEMA,
  type ClaimRecord,
  claim,
  claimOf,
  claimWindow,
  ended,
  settled,
} from '../../../src/core/alert-claim.js'
import { config, service } from '../../support/tables.js'

const WINDOW = 30_000
const ask = (record: ClaimRecord | null, id: string, now: number, mark = 'm', age = 0) =>
  claim(record, { id, host: `host-${id}`, mark, age, now, print: `print-${id}`, window: WINDOW })
const first = ask(null, 'a', 1000).record

describe('one message per event', () => {
  it('is sent by who asks first; the others wait, until it has been sent', () => {
    assert.ok(first)
    const waiting = ask(first, 'b', 4000)
    assert.deepEqual([waiting.verdict, waiting.print], ['wait', 'print-a'])
    assert.equal(ask(waiting.record, 'a', 5000).verdict, 'send')
    const sent = settled(waiting.record, { id: 'a', mark: 'm', isSent: true })
    assert.deepEqual([ask(sent, 'b', 5000).verdict, ask(sent, 'c', 5000).verdict], ['told', 'told'])
    assert.equal(ask(sent, 'a', 5000).verdict, 'told')
  })

  it('is sent by another one when the claim has ended, or the attempt has failed', () => {
    assert.equal(ask(first, 'b', 1000 + CLAIM_LASTS).verdict, 'send')
    const free = settled(first, { id: 'a', mark: 'm', isSent: false })
    const taken = ask(free, 'b', 1500)
    assert.equal(taken.verdict, 'send')
    assert.equal(ask(taken.record, 'a', 1600).verdict, 'wait')
    assert.equal(settled(taken.record, { id: 'a', mark: 'm', isSent: false }), null)
  })

  it('two events of one director are two, and one that two directors see at different times is one', () => {
    const sent = settled(first, { id: 'a', mark: 'm', isSent: true })
    const again = ask(sent, 'a', 21_000, 'n')
    assert.equal(again.verdict, 'send')
    assert.equal(ask(again.record, 'b', 24_000).verdict, 'wait')
    assert.equal(ask(sent, 'b', 24_000, 'm').verdict, 'told')
    assert.equal(ask(sent, 'b', 1000 + WINDOW + 1).verdict, 'send')
    // What waited in a queue counts by its own time.
    assert.equal(ask(sent, 'b', 100_000, 'm', 97_000).verdict, 'told')
  })

  it('is another one after the end of the first was told', () => {
    const sent = settled(first, { id: 'a', mark: 'm', isSent: true })
    const over = ended(sent, 0, 5000)
    // The director that told both is gone, and the server fails again.
    assert.equal(ask(over, 'b', 9000).verdict, 'send')
    // Its event was before that, and only its message is late.
    assert.equal(ask(over, 'b', 9000, 'm', 4500).verdict, 'told')
    assert.equal(ended(first, 0, 500), null)
    assert.equal(ended(null, 0, 500), null)
  })

  it('is the same end only of the same beginning', () => {
    const end = (record: ClaimRecord | null, id: string, print: string) =>
      claim(record, { id, host: id, mark: id, age: 0, now: 2000, print, window: WINDOW, isEnd: true })
    const { record } = end(null, 'a', 'print-1')
    assert.equal(end(record, 'b', 'print-1').verdict, 'wait')
    assert.equal(end(record, 'b', 'print-2').verdict, 'send')
  })

  it('is sent by all if a record is of a newer lvsd; that record stays', () => {
    const newer = claimOf(JSON.stringify({ schema: CLAIM_SCHEMA + 1, other: [1] }))
    assert.deepEqual(ask(newer, 'b', 0), { verdict: 'send', record: null, print: 'print-b' })
    assert.equal(settled(newer, { id: 'b', mark: 'm', isSent: true }), null)
    for (const text of ['', 'no JSON', '[]', 'null', '{}', '{"schema":1,"since":1}'])
      assert.equal(claimOf(text), null)
    assert.deepEqual(claimOf(JSON.stringify(first)), first)
  })

  it('counts as one within twice the time in which the slowest check notices it, within bounds', () => {
    assert.equal(claimWindow(config([])), 30_000)
    assert.ok(claimWindow(config([service('web')])) >= 30_000)
  })

  /**
   * Directors meet events of one server at times of their own; each may fail at an attempt, or die while it has the claim.
   * Time goes in seconds; a director asks again each second while it waits.
   */
  it('any course: never lost while a director that met it can send; once if nothing fails', () => {
    const course = fc.record({
      gaps: fc.array(fc.integer({ min: 20, max: 90 }), { minLength: 1, maxLength: 4 }),
      lags: fc.array(fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 4, maxLength: 4 }), {
        minLength: 3,
        maxLength: 3,
      }),
      lengths: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 3, maxLength: 3 }),
      isFailing: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      deaths: fc.array(fc.option(fc.integer({ min: 0, max: 200 }), { nil: 9999 }), {
        minLength: 3,
        maxLength: 3,
      }),
    })
    fc.assert(
      fc.property(course, ({ gaps, lags, lengths, isFailing, deaths }) => {
        const starts = gaps.map((_, i) => gaps.slice(0, i + 1).reduce((sum, gap) => sum + gap, 0))
        interface Task {
          readonly event: number
          readonly at: number
          due: number
          endsAt: number | null
          isDone: boolean
        }
        const directors = lags.map((own, n) => ({
          id: `d${n}`,
          death: deaths[n] ?? 9999,
          tasks: starts.map(
            (start, event): Task => ({
              event,
              at: start + (own[event] ?? 0),
              due: start + (own[event] ?? 0) + 2,
              endsAt: null,
              isDone: false,
            }),
          ),
        }))
        let record: ClaimRecord | null = null
        const sent = new Map<number, number>()
        for (let now = 0; now < 700; now++)
          for (const [n, { id, death, tasks }] of directors.entries()) {
            const task = tasks.find(({ isDone }) => !isDone)
            if (now >= death || !task || now < task.due) continue
            const mark = `${task.at}`
            if (task.endsAt === null || now < task.endsAt) {
              const answer = ask(record, id, now * 1000, mark, (now - task.at) * 1000)
              record = answer.record ?? record
              if (task.endsAt !== null) continue
              if (answer.verdict === 'told') task.isDone = true
              if (answer.verdict === 'wait') task.due = now + 1
              if (answer.verdict === 'send') task.endsAt = now + (lengths[n] ?? 0)
            } else {
              const isSent = !isFailing[n]
              if (isSent) sent.set(task.event, (sent.get(task.event) ?? 0) + 1)
              record = settled(record, { id, mark, isSent }) ?? record
              task.endsAt = null
              task.isDone = isSent
              task.due = now + 5
            }
          }
        const able = directors.filter((_, n) => !isFailing[n] && (deaths[n] ?? 0) > 700)
        const isQuiet = isFailing.every(each => !each) && deaths.every(each => each > 700)
        for (const event of starts.keys()) {
          const count = sent.get(event) ?? 0
          if (isQuiet) assert.equal(count, 1, `event ${event} is sent ${count} times`)
          if (able.length === directors.length) assert.ok(count > 0, `event ${event} is lost`)
        }
        // Whatever fails: the last event has been sent by somebody, if one that can send is left.
        if (able.length > 0) assert.ok((sent.get(starts.length - 1) ?? 0) > 0, 'the last event is lost')
      }),
      { numRuns: 300 },
    )
  })
})
