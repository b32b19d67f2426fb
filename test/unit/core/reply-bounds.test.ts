import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ReplyBounds, type ReplyLimits } from '../../../src/core/reply-bounds.js'

const LIMITS: ReplyLimits = { bytes: 200, elements: 20, depth: 4, line: 60 }

/** Takes a text in pieces of this length. Returns the fault, or null. */
function judged(text: string, piece = text.length, limits = LIMITS) {
  const bounds = new ReplyBounds(limits)
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += Math.max(1, piece)) {
    const fault = bounds.take(bytes.subarray(at, at + Math.max(1, piece)))
    if (fault) return fault
  }
  return null
}

type Reply = string | number | null | { readonly error: string } | readonly Reply[]

function encoded(reply: Reply): string {
  if (reply === null) return '$-1\r\n'
  if (typeof reply === 'number') return `:${reply}\r\n`
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`
  if ('error' in reply) return `-${reply.error}\r\n`
  return `*${reply.length}\r\n${reply.map(encoded).join('')}`
}

const text = fc.string({ unit: 'binary-ascii', maxLength: 30 })
const { reply } = fc.letrec<{ reply: Reply }>(tie => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.constant(null),
    text.map(word => ({ error: word.replace(/[\r\n]/g, ' ') })),
    fc.array(tie('reply'), { maxLength: 4 }),
  ),
}))

describe('reply-bounds', () => {
  it('accepts answers within the limits, one after another and in any pieces', () => {
    const roomy = { bytes: 4000, elements: 400, depth: 5, line: 60 }
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (replies, piece) => {
        assert.equal(judged(replies.map(encoded).join('').repeat(20), piece, roomy), null)
      }),
    )
  })

  it('says the same of any bytes, whatever pieces they come in', () => {
    const byte = fc.constantFrom(...'$*+-:0123456789\r\nx')
    const bytes = fc.oneof(
      fc.array(byte, { maxLength: 80 }).map(all => all.join('')),
      fc.array(reply, { maxLength: 5 }).map(all => all.map(encoded).join('')),
    )
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 9 }), (all, piece) => {
        assert.equal(judged(all, piece)?.reason, judged(all, 1)?.reason)
      }),
    )
  })

  for (const [what, answer, reason, detail] of [
    ['a text that is too long, by its length alone', '$199\r\n', 'size', /200 bytes/],
    ['a text of 512 MB, by its length alone', '$536870912\r\n', 'size', /200 bytes/],
    ['an array that is too long, by its length alone', '*20\r\n', 'size', /20 elements/],
    ['an array of 4 thousand million elements', '*4294967295\r\n', 'size', /20 elements/],
    ['arrays within arrays', '*1\r\n'.repeat(5), 'size', /4 deep/],
    ['many small arrays', `*9\r\n${'*2\r\n:1\r\n:1\r\n'.repeat(9)}`, 'size', /20 elements/],
    ['many texts', `*9\r\n${'$20\r\n01234567890123456789\r\n'.repeat(9)}`, 'size', /200 bytes/],
    ['an error text without an end', `-${'x'.repeat(61)}`, 'size', /line/],
    ['a length without an end', `$${'1'.repeat(20)}`, 'protocol', /digits/],
    ['a length that is no number', '$1x\r\n', 'protocol', /length/],
    ['no length', '*\r\n', 'protocol', /length/],
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n', 'protocol', /byte 72/],
    ['a type of RESP3', '%1\r\n+a\r\n+b\r\n', 'protocol', /byte 37/],
  ] as const)
    it(`refuses ${what}`, () => {
      for (const piece of [1, 7, answer.length]) {
        const fault = judged(answer, piece)
        assert.equal(fault?.reason, reason)
        assert.match(fault?.detail ?? '', detail)
      }
    })

  it('counts each answer by itself', () => {
    assert.equal(judged(`*9\r\n${':1\r\n'.repeat(9)}`.repeat(100)), null)
    assert.equal(judged(`$150\r\n${'x'.repeat(150)}\r\n`.repeat(100), 7), null)
    assert.equal(judged('*0\r\n*-1\r\n$-1\r\n$0\r\n\r\n'.repeat(100)), null)
  })
})
