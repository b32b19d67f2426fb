import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { withSourceLines } from '../../../src/system/source-lines.js'
import { packageRoot } from '../../../src/system/version.js'
import { temporaryFolder } from '../../support/folder.js'

const ESBUILD = createRequire(import.meta.url).resolve('esbuild/bin/esbuild')

describe('source lines: stacks of a build', () => {
  it('have the files and lines of the sources', () => {
    const folder = temporaryFolder()
    const source = join(packageRoot, 'src/system/version.ts')
    const built = join(folder, 'version.js')
    execFileSync(ESBUILD, [source, `--outfile=${built}`, '--sourcemap', '--format=esm', '--log-level=error'])
    const places = withSourceLines(`at version (${pathToFileURL(built)}:6:24)`)
    assert.match(places, /^at version \(src\/system\/version\.ts:\d+:\d+\)$/)
  })

  it('stay as they are without a map, or with a map that cannot be read', () => {
    const folder = temporaryFolder()
    const text = `at file://${folder}/none.js:1:2 and node:fs:3:4 and ${folder}/none.js:1:1`
    assert.equal(withSourceLines(text), text)
    writeFileSync(join(folder, 'none.js.map'), '{')
    assert.equal(withSourceLines(text), text)
  })
})
