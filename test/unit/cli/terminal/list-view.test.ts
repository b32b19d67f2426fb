import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  itemAt,
  KEYS,
  type ListSection,
  type ListState,
  pressed,
  START,
  windowOf,
} from '../../../../src/cli/terminal/list-view.js'

const section = (id: string, quiet: readonly boolean[], lines = 1): ListSection => ({
  id,
  head: [id],
  items: quiet.map((isQuiet, i) => ({
    id: `${id} ${i}`,
    lines: Array.from({ length: lines }, (_, n) => `  ${id}-${i}.${n}`),
    words: `${id}-${i}`,
    isQuiet,
  })),
  foot: [],
  words: id,
  quietWord: 'healthy',
})
const quiet = (count: number) => Array<boolean>(count).fill(true)
const [DOWN, ENTER, END, FOLD] = [KEYS.down[0], KEYS.enter[0], KEYS.last[0], KEYS.fold[0]]

function stateAfter(keys: readonly string[], sections: readonly ListSection[], room: number): ListState {
  return keys.reduce<ListState>((state, key) => {
    const next = pressed(state, key, sections, room) ?? state
    return windowOf(sections, next, { room, width: 80, colour: false }).state
  }, START)
}

function shown(keys: readonly string[], sections: readonly ListSection[], room: number): readonly string[] {
  return windowOf(sections, stateAfter(keys, sections, room), { room, width: 80, colour: false }).lines
}

describe('list-view: a list', () => {
  const tall = [section('a', [false, ...quiet(9)]), section('b', quiet(5))]

  it('shows all items where they fit', () => {
    assert.equal(shown([], tall, 40).length, 1 + 10 + 1 + 1 + 5)
  })

  it('folds quiet items where they do not, and keeps the others', () => {
    assert.deepEqual(shown([], tall, 12), ['a', '  a-0.0', '  … 9 healthy', '', 'b', '  … 5 healthy'])
  })

  it('folds no few items', () => {
    const few = [section('a', quiet(3)), section('b', quiet(30))]
    assert.deepEqual(shown([], few, 8).slice(0, 4), ['a', '  a-0.0', '  a-1.0', '  a-2.0'])
  })

  it('has no cursor before a key, and then one that moves over items and folds', () => {
    assert.equal(stateAfter([], tall, 12).cursor, null)
    assert.equal(itemAt(stateAfter([DOWN], tall, 12)), 'a 0')
    assert.equal(itemAt(stateAfter([DOWN, DOWN], tall, 12)), null, 'a fold is no item')
    assert.deepEqual(shown([DOWN], tall, 12)[1], '> a-0.0')
    assert.equal(shown([END], tall, 12).at(-1), '> … 5 healthy')
  })

  it('draws the cursor on the first line of an item alone', () => {
    assert.deepEqual(shown([DOWN], [section('a', [false], 2)], 12), ['a', '> a-0.0', '  a-0.1'])
  })

  it('unfolds by Enter, and folds and unfolds by f', () => {
    const unfolded = stateAfter([DOWN, DOWN, ENTER], tall, 12)
    assert.equal(itemAt(unfolded), 'a 1')
    assert.deepEqual(shown([DOWN, FOLD], [section('a', quiet(3))], 12), ['a', '> … 3 healthy'])
    assert.equal(shown([DOWN, FOLD, FOLD], [section('a', quiet(3))], 12).length, 4)
  })

  it('filters items by their words, and sections by theirs; nothing is folded then', () => {
    assert.deepEqual(shown(['/', 'a', '-', '9'], tall, 12), ['a', '  a-9.0'])
    assert.equal(shown(['/', 'b'], tall, 12).length, 6)
    assert.deepEqual(shown(['/', 'x'], tall, 12), [])
    assert.deepEqual(shown(['/', 'x', KEYS.erase[0], ENTER], tall, 12), shown([], tall, 12))
    assert.deepEqual(shown(['/', 'x', KEYS.escape[0]], tall, 12), shown([], tall, 12))
    assert.deepEqual(shown(['/', '9', ENTER, KEYS.escape[0]], tall, 12), shown([], tall, 12))
  })

  it('removes the cursor together with its item', () => {
    const state = stateAfter([DOWN], tall, 12)
    assert.equal(
      windowOf([section('b', quiet(5))], state, { room: 12, width: 80, colour: false }).state.cursor,
      null,
    )
  })

  it('shows no blank lines in a window that has grown while there are lines above', () => {
    const few = [section('a', [false, false, false, false]), section('b', [false, false, false, false])]
    const small = stateAfter([END], few, 4)
    assert.ok(small.top > 0)
    assert.equal(windowOf(few, small, { room: 11, width: 80, colour: false }).above, 0)
    assert.equal(windowOf(few, small, { room: 8, width: 80, colour: false }).lines.length, 8)
  })

  it('has the cursor in the window, whatever is pressed in whatever list', () => {
    const sections = fc.array(
      fc.record({ flags: fc.array(fc.boolean(), { maxLength: 12 }), lines: fc.integer({ min: 1, max: 2 }) }),
      { maxLength: 4 },
    )
    const keys = fc.array(fc.constantFrom(...Object.values(KEYS).flat(), 'a', '1'), { maxLength: 30 })
    fc.assert(
      fc.property(sections, keys, fc.integer({ min: 2, max: 15 }), (parts, typed, room) => {
        const all = parts.map(({ flags, lines }, i) => section('abcd'[i] as string, flags, lines))
        const state = stateAfter(typed, all, room)
        const window = windowOf(all, state, { room, width: 80, colour: false })
        assert.ok(window.lines.length <= room)
        assert.ok(window.above >= 0 && window.below >= 0)
        assert.equal(state.cursor === null ? 0 : 1, window.lines.filter(line => line.startsWith('> ')).length)
      }),
    )
  })
})
