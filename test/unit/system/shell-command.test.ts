import assert from 'node:assert/strict'
import { chmodSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programsOf, whyNotShell, whyUnavailable } from '../../../src/system/shell-command.js'
import { temporaryFolder } from '../../support/folder.js'

describe('shell-command: a line of the shell', () => {
  const cases: [string, string, string[]][] = [
    ['a path', '/a/b', ['/a/b']],
    ['a path with words', '  /a/b -c /d', ['/a/b']],
    ['a name', 'logger -t lvsd', ['logger']],
    ['quotes', `'/a b/c' x`, ['/a b/c']],
    ['half of a word in quotes', `/a/"b c"/d`, ['/a/b c/d']],
    ['a backslash', '/a\\ b/c', ['/a b/c']],
    ['variables before it', `A=1 B='x y' /a/b`, ['/a/b']],
    ['words of the shell before it', 'if ! exec /a/b; then /c/d; fi', ['/a/b', '/c/d', 'fi']],
    ['several commands', '/a && /b || /c; /d | /e & /f\n/g', ['/a', '/b', '/c', '/d', '/e', '/f', '/g']],
    ['a subshell', '(/a/b; /c/d)', ['/a/b', '/c/d']],
    ['separators in quotes', `/a '; /b' "&& /c" \\; /d`, ['/a']],
    ['a word that the shell works out', '$HOME/a b', []],
    ['one in quotes', '"$HOME/a" b', []],
    ['a substitution', '`which a` b', []],
    ['text in single quotes', `'$HOME/a' b`, ['$HOME/a']],
    ['nothing', '', []],
    ['a quote without its end', `"/a/b`, ['"/a/b']],
  ]
  for (const [phrase, line, programs] of cases)
    it(`names its programs: ${phrase}`, () => assert.deepEqual(programsOf(line), programs))

  it('is not run where somebody else could change one of them, wherever it is found', () => {
    const folder = realpathSync(temporaryFolder())
    const file = (name: string, mode: number) => {
      writeFileSync(join(folder, name), '#!/bin/sh\n')
      chmodSync(join(folder, name), mode)
      return join(folder, name)
    }
    const [good, open] = [file('good', 0o755), file('open', 0o777)]
    symlinkSync(open, join(folder, 'link'))
    const path = `${folder}:/bin`
    for (const line of [open, `A=1 ${open}`, `${good} && ${folder}/link x`, 'open x', 'exec link'])
      assert.match(whyNotShell(line, path) ?? '', /open may be written by others/, line)
    for (const line of [good, 'good', 'true', 'echo', 'no-such-program', `${folder}/none`, `$X/${open}`])
      assert.equal(whyNotShell(line, path), null, line)
    assert.match(whyUnavailable(`${good}; ${open}`) ?? '', /written by others/)
    assert.match(whyUnavailable(`${folder}/none`) ?? '', /does not exist/)
    assert.match(whyUnavailable(file('plain', 0o644)) ?? '', /not executable/)
    writeFileSync(good, 'true\n')
    for (const line of [good, 'no-such-program', '$X/y']) assert.equal(whyUnavailable(line), null, line)
  })
})
