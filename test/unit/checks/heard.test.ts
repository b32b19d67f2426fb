import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Heard } from '../../../checks/lib/heard.js'

describe('heard: bytes that are heard', () => {
  it('give the same lines however they come', () => {
    const text = fc.array(fc.constantFrom('a', 'bc', '\r', '\n', '\r\n', 'é', ''), { maxLength: 60 })
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (pieces, sizes) => {
        const bytes = Buffer.from(pieces.join(''))
        const heard = new Heard()
        const lines: string[] = []
        const kept: Buffer[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1
          heard.push(bytes.subarray(at, at + size))
          at += size
          for (let line = heard.line(); line; line = heard.line()) {
            lines.push(line.toString())
            kept.push(line)
          }
        }
        const expected = bytes.toString().split('\n')
        assert.equal(heard.peek().toString(), expected.pop())
        assert.deepEqual(
          lines,
          expected.map(line => line.replace(/\r$/, '')),
        )
        assert.deepEqual(kept.map(String), lines, 'what was handed out changed')
      }),
    )
  })

  it('are taken by their number', () => {
    const heard = new Heard()
    heard.push(Buffer.from('abc'))
    assert.equal(heard.take(4), null)
    heard.push(Buffer.from('d\n'))
    assert.equal(heard.take(4)?.toString(), 'abcd')
    assert.equal(heard.line()?.toString(), '')
    assert.equal(heard.length, 0)
  })

  it('cost a search of each byte once, however small the pieces', () => {
    const heard = new Heard()
    const start = process.cpuUsage()
    for (let i = 0; i < 300_000; i++) {
      heard.push(Buffer.from('a'))
      assert.equal(heard.line(), null)
    }
    assert.ok(process.cpuUsage(start).user < 5_000_000)
  })
})
