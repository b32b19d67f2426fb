import assert from 'node:assert/strict'
import { digestOf, hashedOf } from '../../../src/watch/digest.js'
import { KnownFiles } from '../../../src/watch/file-changes.js'

const MAIN = '/etc/lvsd.yaml'
const filesOf = (texts: Readonly<Record<string, string>>) =>
  Object.entries(texts).map(([path, text]) => ({ path, text }))
const hashed = (texts: Readonly<Record<string, string>>) => hashedOf(filesOf(texts))
const BEFORE = { [MAIN]: '1', '/etc/a': '1', '/etc/b': '1', '/etc/c': '1', '/etc/d': '1' }

describe('watch: which files have changed', () => {
  const cases: [string, Record<string, string>, file: string, text: string][] = [
    ['the main one', { ...BEFORE, [MAIN]: '2' }, MAIN, MAIN],
    ['an included one', { ...BEFORE, '/etc/b': '2' }, '/etc/b', '/etc/b'],
    ['two', { ...BEFORE, '/etc/b': '2', '/etc/d': '2' }, '/etc/b', '/etc/b, /etc/d'],
    ['a new one', { ...BEFORE, '/etc/e': '1' }, '/etc/e', '/etc/e (new)'],
    [
      'none but the main one is left',
      { [MAIN]: '1' },
      '/etc/a',
      '/etc/a (gone), /etc/b (gone), /etc/c (gone), 1 more',
    ],
    ['none', BEFORE, MAIN, MAIN],
  ]
  for (const [what, after, file, text] of cases)
    it(`tells: ${what}`, () => {
      const known = new KnownFiles(MAIN)
      known.take(hashed(BEFORE))
      assert.deepEqual(known.changesIn(hashed(after)), { file, text })
      assert.equal(known.digest, digestOf(filesOf(BEFORE)))
      assert.deepEqual(known.take(hashed(after)), { file, text })
      assert.equal(known.digest, digestOf(filesOf(after)))
    })

  it('keeps the files that a text which cannot be parsed may include', () => {
    const known = new KnownFiles('lvsd.yaml')
    known.take(hashed({ 'lvsd.yaml': '1', '/etc/a': '1' }))
    assert.deepEqual(known.take(hashed({ 'lvsd.yaml': '{' }), { isPart: true }), {
      file: 'lvsd.yaml',
      text: 'lvsd.yaml',
    })
    assert.equal(known.digest, digestOf(filesOf({ 'lvsd.yaml': '{', '/etc/a': '1' })))
  })
})
