import assert from 'node:assert/strict'
import { asAscii, hasUtf8 } from '../../../../src/cli/terminal/ascii.js'
import { renderStatus } from '../../../../src/cli/terminal/status.js'
import { widthOf } from '../../../../src/util/text-width.js'
import { NOW, statusDocument } from '../../../support/cli/documents.js'

describe('ascii: the locale', () => {
  const rows: [env: Record<string, string>, isUtf8: boolean][] = [
    [{}, false],
    [{ LANG: 'C' }, false],
    [{ LANG: 'POSIX' }, false],
    [{ LANG: 'de_DE' }, false],
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LC_ALL: 'C', LC_CTYPE: 'C.UTF-8', LANG: 'C.UTF-8' }, false],
    [{ LC_ALL: '', LC_CTYPE: 'C', LANG: 'C.UTF-8' }, false],
    [{ LC_ALL: '', LC_CTYPE: '', LANG: 'C.UTF-8' }, true],
  ]
  for (const [env, isUtf8] of rows)
    it(`of ${JSON.stringify(env)} ${isUtf8 ? 'has' : 'has not'} UTF-8`, () =>
      assert.equal(hasUtf8(env), isUtf8))
})

describe('ascii', () => {
  it("replaces lvsd's own signs, and no character of a name", () => {
    assert.equal(asAscii('a · b → c… ·[2J büro', 80), 'a - b -> c... .[2J büro')
  })

  for (const width of [20, 40, 80, 120])
    it(`fits into ${width} columns`, () => {
      const text = renderStatus(statusDocument(), { width, colour: true, now: NOW })
      for (const line of asAscii(text, width).split('\n')) {
        assert.doesNotMatch(line, /[…·→]/)
        assert.ok(widthOf(line) <= width, line)
      }
    })
})
