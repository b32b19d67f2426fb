import assert from 'node:assert/strict'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { clip, columns, pad } from '../../../../src/cli/terminal/columns.js'
import { frame } from '../../../../src/cli/terminal/live.js'
import { screenOf } from '../../../../src/cli/terminal/screen.js'
import { transitionLines } from '../../../../src/cli/terminal/transitions.js'
import { printable, printableLines } from '../../../../src/util/printable.js'
import { widthOf } from '../../../../src/util/text-width.js'
import { duration, formatDuration, formatUptime } from '../../../../src/util/time-text.js'
import { wrap } from '../../../../src/util/wrap-text.js'
import { DOWN, realStatus, serviceStatus, statusDocument } from '../../../support/cli/documents.js'

describe('text: widths', () => {
  const rows: [text: string, width: number, about: string][] = [
    ['abc', 3, 'letters'],
    ['\u001b[31mabc\u001b[0m', 3, 'colours need no room'],
    ['漢字', 4, 'East Asian wide characters'],
    ['한글', 4, 'Hangul'],
    ['ｱｲ', 2, 'halfwidth forms'],
    ['e\u0301', 1, 'a combining accent'],
    ['·…→', 3, 'ambiguous characters count as one'],
    ['🚀', 2, 'emoji'],
  ]
  for (const [text, width, about] of rows) it(`${about}`, () => assert.equal(widthOf(text), width))

  it('are those of string-width, also where ASCII needs no tables', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('\u001b[1;31m', '·', '…', '→', '’'),
    )
    fc.assert(
      fc.property(fc.array(piece), pieces =>
        assert.equal(widthOf(pieces.join('')), stringWidth(pieces.join(''))),
      ),
    )
  })

  it('clip keeps any text within any width, and short text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
        assert.ok(widthOf(clip(text, width)) <= width)
        if (widthOf(text) <= width) assert.equal(clip(text, width), text)
      }),
    )
  })

  it('clip ends the colour that it cuts', () => {
    assert.equal(clip('\u001b[31mabcdef\u001b[0m', 4), '\u001b[31mabc…\u001b[0m')
  })

  it('columns stand one under the other', () => {
    assert.equal(
      columns(
        [
          ['a', '1'],
          ['漢字', '22'],
        ],
        { right: [1], indent: 1 },
      ),
      ' a      1\n 漢字  22',
    )
    assert.equal(`${pad('漢', 4)}|`, '漢  |')
  })
})

describe('text: a wrapped text', () => {
  it('breaks at blanks and keeps its own breaks and long words', () => {
    assert.equal(
      wrap('one two three\n\nincomprehensibilities x', 8),
      'one two\nthree\n\nincomprehensibilities\nx',
    )
    assert.equal(wrap('', 8), '')
  })
})

describe('text: spans of time', () => {
  it('have two units at most', () => {
    const texts = [-5, 0, 59_999, 60_000, 192_000, 7_500_000, 273_600_000].map(formatUptime)
    assert.deepEqual(texts, ['0s', '0s', '59s', '1m00s', '3m12s', '2h05m', '3d04h'])
  })

  it('of a check are short', () => {
    assert.deepEqual([0.44, 9.99, 12.3, 999, 1250].map(formatDuration), [
      '0.4ms',
      '10.0ms',
      '12ms',
      '999ms',
      '1.25s',
    ])
  })

  it('of a configuration read as they are written', () => {
    assert.deepEqual([500, 3000, 1500, 120_000, 3_600_000].map(duration), [
      '500ms',
      '3s',
      '1500ms',
      '2m',
      '1h',
    ])
  })
})

describe('text from outside', () => {
  it('becomes one line without control characters', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x250)), codes => {
        const text = String.fromCodePoint(...codes)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
        assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f]/)
      }),
    )
    assert.equal(printable('a\r\n  b\u001b[2Jc'), 'a b·[2Jc')
    assert.equal(printable('a\u200eb\u200fc\u061cd\u202ee'), 'a·b·c·d·e')
    assert.equal(printableLines('a\u001b[2J\n  b\u200f\r\n'), 'a·[2J\n  b··\n')
  })
})

describe('text: a screen', () => {
  const terminal = { isTTY: true, columns: 132, rows: 50 }
  const rows: [
    env: Record<string, string>,
    stream: typeof terminal | object,
    colour: boolean,
    about: string,
  ][] = [
    [{}, terminal, true, 'a terminal has colours'],
    [{ NO_COLOR: '1' }, terminal, false, 'but not with NO_COLOR'],
    [{ NO_COLOR: '' }, terminal, true, 'an empty NO_COLOR is none'],
    [{ TERM: 'dumb' }, terminal, false, 'nor on a dumb one'],
    [{}, {}, false, 'a pipe has none'],
    [{ FORCE_COLOR: '1' }, {}, true, 'unless they are asked for'],
  ]
  for (const [env, stream, colour, about] of rows)
    it(`${about}`, () => assert.equal(screenOf(stream, env).colour, colour))

  it('is as wide as COLUMNS without a terminal, and unlimited without COLUMNS', () => {
    for (const [COLUMNS, width] of [
      ['80', 80],
      ['0', Number.POSITIVE_INFINITY],
      ['wide', Number.POSITIVE_INFINITY],
    ] as const)
      assert.equal(screenOf({}, { COLUMNS }).width, width)
  })

  it('is as wide as the terminal, and 80 where the terminal reports 0', () => {
    assert.deepEqual(screenOf(terminal, {}), { isTerminal: true, width: 132, height: 50, colour: true })
    assert.equal(screenOf({ isTTY: true, columns: 0 }, {}).width, 80)
  })
})

describe('text: a frame', () => {
  it('moves the cursor to the top, clears the rest of each line and of the screen, and is drawn at once', () => {
    assert.equal(frame('a\nb', 24), '\u001b[?2026h\u001b[Ha\u001b[K\r\nb\u001b[K\u001b[J\u001b[?2026l')
  })

  it('shows how many lines do not fit', () => {
    assert.ok(frame('1\n2\n3\n4\n5', 3).includes('1\u001b[K\r\n2\u001b[K\r\n… 3 more lines'))
  })
})

describe('text: transitions between two documents', () => {
  const view = { colour: false }
  const before = statusDocument({ services: [serviceStatus({ reals: [realStatus({ host: DOWN.host })] })] })
  const fallback = { name: '[::9]:80', host: '::9', address: '[::9]', port: 80, inUse: true }
  const after = statusDocument({ services: [serviceStatus({ reals: [DOWN], fallback })] })

  it('name the server, both states and the reason, and the fallback', () => {
    const lines = transitionLines(before, after, view).map(line =>
      line.replace(/^[\d-]{10} [\d:]{8} (UTC|[+-][\d:]+) {2}/, ''),
    )
    assert.deepEqual(lines, [
      'web [2001:db8:1::12]:80  up -> down  refused: nobody listens on [2001:db8:1::12]:80',
      'web  fallback [::9]:80 takes the traffic',
    ])
    assert.match(transitionLines(after, before, view)[0] ?? '', /down -> up/)
  })

  it('are none where nothing changed', () => assert.deepEqual(transitionLines(after, after, view), []))
})
