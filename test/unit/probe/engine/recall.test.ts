import assert from 'node:assert/strict'
import fc from 'fast-check'
import { down, up } from '../../../../src/check/check.js'
import { Recall } from '../../../../src/probe/engine/recall.js'
import { compileJudge } from '../../../../src/probe/matcher.js'

const JUDGE = {
  kind: 'http',
  method: 'GET',
  status: [[200, 299]],
  match: { kind: 'text', text: 'OK' },
  limit: 100_000,
} as const

const answers = fc
  .tuple(
    fc.constantFrom(200, 204, 500),
    fc.constantFrom('OK', 'O', 'it is OK'),
    fc.integer({ min: 0, max: 3 }),
  )
  .map(([status, body, missing]) =>
    Buffer.from(`HTTP/1.0 ${status} Said\r\nContent-Length: ${body.length + missing}\r\n\r\n${body}`),
  )

describe('engine: what is recalled of answers', () => {
  it('is of any answer what its parser says', () => {
    const hear = compileJudge(JUDGE)
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 20 }), pieces => {
        const recall = new Recall()
        for (const bytes of pieces) {
          const hearing = hear()
          const answer = hearing.push(bytes)
          const known = recall.answerTo(bytes)
          if (known) assert.deepEqual([known, recall.phase], [answer, hearing.phase])
          else if (answer) recall.keep(bytes, answer, hearing.phase)
        }
      }),
    )
  })

  it('is the answer that passed last, whatever becomes of its buffer', () => {
    const recall = new Recall()
    const [first, second] = [up('first'), up('second')]
    const buffer = Buffer.from('first')
    recall.keep(buffer, first, 'headers')
    buffer.fill(0)
    assert.equal(recall.answerTo(Buffer.from('first')), first)
    assert.equal(recall.phase, 'headers')
    assert.equal(recall.answerTo(buffer), null)
    recall.keep(Buffer.from('other'), second, 'body')
    assert.equal(recall.answerTo(Buffer.from('first')), null)
    assert.equal(recall.answerTo(Buffer.from('other')), second)
  })

  it('is no failure, and nothing long', () => {
    const recall = new Recall()
    assert.equal(recall.answerTo(Buffer.alloc(0)), null)
    recall.keep(Buffer.from('no'), down('status', 'no'), 'body')
    assert.equal(recall.answerTo(Buffer.from('no')), null)
    recall.keep(Buffer.alloc(4096), up('long'), 'body')
    assert.equal(recall.answerTo(Buffer.alloc(4096)), null)
  })
})
