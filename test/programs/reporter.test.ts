/** What the reporter of the tests makes a failure, seen from outside: Mocha runs a file with it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'
import { temporaryFile } from '../support/folder.js'
import { MAY_BE_LEFT_OUT } from '../support/left-out.js'

function run(test: string, CI: string, ...options: readonly string[]) {
  const { CI: _, ...env } = process.env
  const argv = ['node_modules/mocha/bin/mocha.js', '--spec', temporaryFile('some.test.ts', test), ...options]
  const { status, stdout } = spawnSync(process.execPath, argv, {
    cwd: packageRoot,
    env: CI === '' ? env : { ...env, CI },
    encoding: 'utf8',
  })
  return { status, stdout }
}

const SKIPPED = `describe('unit', () => { it('runs', () => {}); it('waits', function () { this.skip() }) })`
const NAMED = `describe('oracle', () => { it('is down as the driver tells it', function () { this.skip() }) })`

describe('reporter', function () {
  this.timeout(60_000)

  for (const options of [[], ['--parallel']])
    it(`makes a failure of a test that is left out, in CI alone: ${options.join() || 'one process'}`, () => {
      assert.equal(run(SKIPPED, '', ...options).status, 0)
      const { status, stdout } = run(SKIPPED, 'true', ...options)
      assert.equal(status, 1)
      assert.match(stdout, /left out, and in CI a failure \(left-out\.ts\): unit waits/)
    })

  it('lets those be left out that are named with a reason', () => {
    assert.equal(run(NAMED, 'true').status, 0)
  })
})

describe('left-out', () => {
  it('names tests that there are', () => {
    const tests = ['unit', 'programs'].flatMap(folder => {
      const names = readdirSync(join(packageRoot, 'test', folder), { recursive: true, encoding: 'utf8' })
      return names
        .filter(name => name.endsWith('.test.ts') && !name.endsWith('reporter.test.ts'))
        .map(name => readFileSync(join(packageRoot, 'test', folder, name), 'utf8'))
    })
    for (const { unit, test } of MAY_BE_LEFT_OUT) {
      const file = tests.find(text => text.includes(`describe('${unit}'`))
      assert.ok(file, unit)
      // What stands behind the last colon, or says which row it is, is filled in.
      const fixed = test.replace(/: ruby$/, '').replace('real files with accidents', '')
      assert.ok(file.includes(fixed), test)
    }
  })
})
