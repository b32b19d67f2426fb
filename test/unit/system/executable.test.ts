/** What the kernel executes, asked of files of every sort; each verdict is compared with the kernel's own. */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from '../../../checks/external.js'
import { whyNotExecutable } from '../../../src/system/executable.js'
import { UntrustedPath } from '../../../src/system/trusted-path.js'
import { temporaryFolder } from '../../support/folder.js'
import { probe } from '../../support/probe.js'

let folder: string
beforeEach(() => {
  folder = realpathSync(temporaryFolder())
})

function file(content: string | Buffer, name = 'file'): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  chmodSync(path, 0o755)
  return path
}

/** A program of this machine with some of its bytes replaced. */
function damaged(at: number, ...bytes: number[]): Buffer {
  const copy = readFileSync('/bin/true')
  copy.set(bytes, at)
  return copy
}

const REFUSED: readonly [string, () => string | Buffer, RegExp][] = [
  ['an empty file', () => '', /is empty/],
  ['a script without #!', () => 'exit 0\n', /neither a program for this machine nor a script with a #! line/],
  ['a line end alone', () => '\n', /neither/],
  ['a comment alone', () => '# exit 0\n', /neither/],
  ['a #! line behind a byte order mark', () => '\ufeff#!/bin/sh\nexit 0\n', /neither/],
  ['a #! line behind a blank', () => ' #!/bin/sh\nexit 0\n', /neither/],
  ['#! alone', () => '#!', /no interpreter/],
  ['#! without an interpreter', () => '#!  \t\nexit 0\n', /no interpreter/],
  ['an interpreter that does not exist', () => '#!/no/such/interpreter\n', /does not exist: \/no\/such/],
  ['an interpreter with Windows line ends', () => '#!/bin/sh\r\nexit 0\r\n', /Windows line ends/],
  ['a script of an empty file', () => `#!${file('', 'empty')}\n`, /empty is empty/],
  ['zeros', () => Buffer.alloc(1000), /neither/],
  ['the beginning of a program', () => readFileSync('/bin/true').subarray(0, 40), /neither/],
  ['a program of another machine', () => damaged(18, 0x16, 0), /neither/],
  ['a program without parts', () => damaged(56, 0, 0), /neither/],
  ['an object file', () => damaged(16, 1, 0), /neither/],
  ['a page of HTML', () => '<html>404</html>', /neither/],
]

describe('executable: a file that the kernel does not execute', function () {
  this.timeout(60_000)
  for (const [phrase, content, said] of REFUSED)
    it(`is found out, and is no verdict: ${phrase}`, async () => {
      const path = file(content())
      assert.match(whyNotExecutable(path) ?? '', said)
      const { ok, reason, detail } = await probe(check, 80, { checkcommand: path }, { timeout: 15_000 })
      assert.deepEqual({ ok, reason }, { ok: null, reason: 'no-verdict' })
      assert.match(detail, said)
    })
})

const RUN: readonly [string, () => string | Buffer][] = [
  ['a program', () => readFileSync('/bin/true')],
  ['a script', () => '#!/bin/sh\nexit 0\n'],
  ['a script with blanks and a word for its interpreter', () => '#! \t/bin/sh -e\nexit 0\n'],
  ['a #! line without an end', () => '#!/bin/true'],
  ['a script of env', () => '#!/usr/bin/env sh\nexit 0\n'],
  ['a relative interpreter', () => '#!bin/sh\nexit 0\n'],
  ['a script of a script', () => `#!${file('#!/bin/sh\nexit 0\n', 'inner')}\n`],
]

describe('executable: a file that the kernel executes', function () {
  this.timeout(60_000)
  for (const [phrase, content] of RUN)
    it(`is run: ${phrase}`, async () => {
      const path = file(content())
      assert.equal(whyNotExecutable(path), null)
      const { ok, detail } = await probe(check, 80, { checkcommand: path }, { timeout: 15_000 })
      assert.equal(ok, true, detail)
    })

  it('may be one that binfmt_misc knows', () => {
    const handlers = temporaryFolder()
    const write = (name: string, text: string) => writeFileSync(join(handlers, name), text)
    write('status', 'enabled\n')
    write('magic', 'enabled\ninterpreter /x\nflags: \noffset 1\nmagic 4243ff\nmask ffff0f\n')
    write('jar', 'enabled\ninterpreter /x\nflags: \nextension .jar\n')
    write('off', 'disabled\ninterpreter /x\nflags: \nextension .exe\n')
    const verdict = (content: string | Buffer, name?: string) =>
      whyNotExecutable(file(content, name), handlers) === null
    assert.equal(verdict(Buffer.from('ABC\x0f')), true)
    assert.equal(verdict(Buffer.from('ABD\x0f')), false)
    assert.equal(verdict('AB'), false)
    assert.equal(verdict('PK', 'app.jar'), true)
    assert.equal(verdict('MZ', 'app.exe'), false)
  })
})

describe('executable: the interpreter of a script', () => {
  it('must be out of the reach of others too', async () => {
    const interpreter = file(readFileSync('/bin/true'), 'open')
    chmodSync(interpreter, 0o777)
    const path = file(`#!${interpreter}\n`)
    assert.throws(() => whyNotExecutable(path), UntrustedPath)
    const { ok, detail } = await probe(check, 80, { checkcommand: path })
    assert.equal(ok, null)
    assert.match(detail, /open may be written by others/)
  })
})
