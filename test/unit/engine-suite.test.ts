import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

const CHECKS = join(packageRoot, 'checks')
const PROGRAMS = join(packageRoot, 'test/programs/checks')

/** Kinds that may run as data on sockets. */
function kindsWithProbe(): readonly string[] {
  const files = readdirSync(CHECKS).filter(name => name.endsWith('.ts'))
  return files
    .filter(name =>
      /^ {2}probe(\(|: (?!\(\) => \(\{ kind: 'fixed'))/m.test(readFileSync(join(CHECKS, name), 'utf8')),
    )
    .map(name => name.replace(/\.ts$/, ''))
}

describe('the tests of checks on both engines', () => {
  const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const again = scripts['test:engine'] ?? ''

  it('are part of npm test', () => {
    assert.match(scripts.test ?? '', /npm run test:engine/)
    assert.match(again, /'test\/unit\/checks\/\*\.test\.ts'/)
  })

  // Mocha splits a pattern at each comma, so the list is not in braces.
  it('are all those with programs that have a probe', () => {
    const kinds = kindsWithProbe()
    assert.deepEqual(kinds, ['connect', 'http', 'http_proxy', 'ping', 'simpletcp', 'udp'])
    const imported = new RegExp(`checks/(${kinds.join('|')})\\.js'`)
    const wanted = readdirSync(PROGRAMS)
      .filter(name => imported.test(readFileSync(join(PROGRAMS, name), 'utf8')))
      .map(name => name.replace(/\.test\.ts$/, ''))
    const [, listed = ''] = /test\/programs\/checks\/@\(([^)]*)\)/.exec(again) ?? []
    assert.deepEqual(listed.split('|'), wanted)
  })
})
