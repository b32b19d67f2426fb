import assert from 'node:assert/strict'
import { Changes, SETTLED_AFTER } from '../../../src/watch/changes.js'
import type { Look } from '../../../src/watch/looker.js'

const seen = (digest: string | null, more: Partial<Look> = {}): Look => ({
  digest,
  files: [],
  fault: null,
  writtenAt: 0,
  isMoved: false,
  isWritten: false,
  ...more,
})

/** What comes of looks a second apart: `-` nothing, `new` or `again`, with ! where it is settled. */
function play(looks: readonly Look[]): string {
  const changes = new Changes('one')
  const words = looks.map((look, i) => {
    const change = changes.step(look, i * 1000)
    return change ? `${change.isNew ? 'new' : 'again'}${change.isSettled ? '!' : ''}` : '-'
  })
  return words.join(' ')
}

const two = seen('two')
const times = (count: number, look: Look) => Array<Look>(count).fill(look)

describe('changes: a changed content', () => {
  const cases: [string, readonly Look[], string][] = [
    ['is none where it stays', times(3, seen('one')), '- - -'],
    ['is told when two looks find it', [two, two, two], '- new again'],
    ['is told when it stands still', [two, seen('three'), seen('three')], '- - new'],
    ['is settled at once where it was moved into place', [seen('two', { isMoved: true }), two], '- new!'],
    ['is settled after ten seconds', times(11, two), `- new ${'again '.repeat(8)}again!`],
    ['is none after it was undone', [two, seen('one'), seen('one')], '- - -'],
    ['is waited for while it is gone', [two, seen(null), seen(null), two], '- - - new'],
    [
      'is not told while somebody writes it',
      [...times(5, seen('two', { isWritten: true })), two],
      '- - - - - new',
    ],
    [
      'is told after ten seconds, whoever has it open',
      times(11, seen('two', { isWritten: true })),
      `${'- '.repeat(10)}new!`,
    ],
    [
      'is told once more after another',
      [two, two, seen('three'), seen('three'), two, two],
      '- new - new - new',
    ],
  ]
  for (const [what, looks, expected] of cases) it(what, () => assert.equal(play(looks), expected))

  it('is not reported again after it was handled', () => {
    const changes = new Changes('one')
    assert.equal(changes.take('one'), false)
    assert.equal(changes.take('two'), true)
    assert.equal(changes.step(two, 0), null)
    assert.equal(changes.step(two, SETTLED_AFTER), null)
    assert.equal(changes.step(seen('three'), 0), null)
    assert.equal(changes.step(seen('three'), 1)?.isNew, true)
    assert.equal(changes.take('three'), false)
  })
})
