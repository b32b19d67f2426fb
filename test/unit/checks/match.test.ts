import assert from 'node:assert/strict'
import fc from 'fast-check'
import { hexBytes, matchOf, unescapeBytes } from '../../../checks/lib/match.js'

describe('match: the options that several checks share', () => {
  it('understand escapes, and leave other backslashes alone', () => {
    const cases: [string, string][] = [
      ['PING\\r\\n', 'PING\r\n'],
      ['a\\tb\\0c', 'a\tb\0c'],
      ['\\\\n', '\\n'],
      ['\\x41\\xfg', 'A\\xfg'],
      ['\\d+\\', '\\d+\\'],
      ['grüße', 'grüße'],
    ]
    for (const [written, bytes] of cases)
      assert.deepEqual(Buffer.from(unescapeBytes(written)), Buffer.from(bytes), written)
    assert.deepEqual([...unescapeBytes('\\xff\\x00')], [255, 0])
  })

  it('read back any bytes written as escapes or as hexadecimal', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        const pairs = Array.from(bytes, byte => byte.toString(16).padStart(2, '0'))
        assert.deepEqual([...unescapeBytes(pairs.map(pair => `\\x${pair}`).join(''))], [...bytes])
        assert.deepEqual([...(hexBytes(pairs.join(' ')) ?? [])], [...bytes])
      }),
    )
    for (const wrong of ['0', '0g', '00 1']) assert.equal(hexBytes(wrong), null, wrong)
  })

  it('take an empty receive for none, and (?i) for a flag', () => {
    assert.equal(matchOf({ receive: '', text: null }), null)
    assert.equal(matchOf({ receive: null, text: '' }), null)
    assert.deepEqual(matchOf({ receive: '(?im)^ok', text: null }, 'm'), {
      kind: 'regexp',
      source: '^ok',
      flags: 'im',
    })
    assert.deepEqual(matchOf({ receive: null, text: 'a.b' }), { kind: 'text', text: 'a.b' })
  })
})
