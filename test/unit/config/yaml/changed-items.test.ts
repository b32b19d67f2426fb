import assert from 'node:assert/strict'
import { changedItems } from '../../../../src/config/yaml/changed-items.js'

const HEAD = "  web:\n    virtual: '[2001:db8::1]:80'\n    reals:\n"
const ITEMS = [
  "      - '[2001:db8:1::1]:80 masq 1'\n",
  '      - 192.0.2.2:80 ipip\n',
  '      - { weight: 3 }\n',
]
const TAIL = '    scheduler: wrr\n'
const textOf = (items: readonly string[], tail = TAIL) => `${HEAD}${items.join('')}${tail}`
const OTHER = "      - '[2001:db8:1::9]:80 masq 1'\n"
const TEXT = textOf(ITEMS)

describe('changed-items: finds the lines of real servers that have changed', () => {
  it('returns the service with these lines alone, and their places', () => {
    assert.deepEqual(changedItems(TEXT, textOf(ITEMS.with(1, OTHER)), 3), {
      text: `${HEAD}${OTHER}${TAIL}`,
      places: [1],
    })
    assert.deepEqual(changedItems(TEXT, textOf([OTHER, OTHER, ITEMS[2] ?? '']), 3)?.places, [0, 1])
  })

  it('takes a list at the end, with empty lines below it or no end of the last line, and one that is indented as its key', () => {
    for (const end of ['', '\n\n']) {
      const before = textOf(ITEMS, end)
      const now = textOf(ITEMS.with(2, OTHER), end)
      assert.equal(changedItems(before, now, 3)?.text, `${HEAD}${OTHER}${end}`)
      assert.equal(changedItems(before.trimEnd(), now.trimEnd(), 3)?.text, `${HEAD}${OTHER}`.trimEnd())
    }
    const shallow = (text: string) => text.replaceAll('      - ', '    - ')
    const now = shallow(textOf(ITEMS.with(0, OTHER)))
    assert.equal(changedItems(shallow(TEXT), now, 3)?.text, shallow(`${HEAD}${OTHER}${TAIL}`))
  })

  const NOT: Readonly<Record<string, string>> = {
    'the same text': TEXT,
    'another key': TEXT.replace('wrr', 'rr'),
    'an item more': textOf([...ITEMS, OTHER]),
    'an item less': textOf(ITEMS.slice(1)),
    'a comment behind an item': textOf(ITEMS.with(0, OTHER.replace('\n', ' # new\n'))),
    'a comment between items': textOf(ITEMS.with(1, '      # none\n')),
    'a comment below': textOf(ITEMS.with(0, OTHER), `    # below\n${TAIL}`),
    'a text over two lines': textOf(ITEMS.with(1, "      - '192.0.2.3:80\n        masq'\n")),
    'a text that is open': textOf(ITEMS.with(1, "      - 'open\n")),
    'a mapping with a quoted text that is open': textOf(ITEMS.with(1, "      - { weight: ' }\n")),
    'a mapping without braces': textOf(ITEMS.with(1, '      - weight: 1\n')),
    'an alias': textOf(ITEMS.with(1, '      - *one\n')),
    'an item that is indented more': textOf(ITEMS.with(1, '       - 192.0.2.3:80\n')),
    'an item without a value': textOf(ITEMS.with(1, '      -\n')),
    'a list twice': `${textOf(ITEMS.with(0, OTHER))}    reals:\n${ITEMS[0]}`,
    'lines that end as on Windows': textOf(ITEMS.with(0, OTHER)).replaceAll('\n', '\r\n'),
  }
  for (const [what, now] of Object.entries(NOT))
    it(`returns null for ${what}`, () => assert.equal(changedItems(TEXT, now, 3), null))

  it('returns null where the list has another number of items than real servers', () => {
    assert.equal(changedItems(TEXT, textOf(ITEMS.with(1, OTHER)), 4), null)
  })
})
