import assert from 'node:assert/strict'
import { readWords } from '../../../src/ldirectord-command/args.js'

describe('args: the command line of ldirectord', () => {
  const start = { kind: 'command', command: 'start', debug: false, config: null }
  const rows: [words: string[], read: unknown][] = [
    [['start'], start],
    [['web.cf', 'start'], { ...start, config: 'web.cf' }],
    [['-d', 'web.cf', 'start'], { ...start, debug: true, config: 'web.cf' }],
    [['--debug', '--', 'start'], { ...start, debug: true }],
    [['web.cf', 'start', 'and', '-x', 'are ignored'], { ...start, config: 'web.cf' }],
    [['try-restart'], { ...start, command: 'try-restart' }],
    [['-h'], { kind: 'help' }],
    [['-?'], { kind: 'help' }],
    [['-dv', 'start'], { kind: 'version' }],
    [['--version'], { kind: 'version' }],
    [[], { kind: 'usage', mistake: '' }],
    [['-x', 'start'], { kind: 'usage', mistake: 'Unknown option: x' }],
    [['--deb', 'start'], { kind: 'usage', mistake: 'Unknown option: deb' }],
    [['web.cf'], { kind: 'usage', mistake: 'web.cf is not a command of ldirectord' }],
    [['start', '-d'], { kind: 'usage', mistake: '-d is not a command of ldirectord' }],
  ]
  for (const [words, read] of rows)
    it(`reads: ldirectord ${words.join(' ')}`, () => assert.deepEqual(readWords(words), read))
})
