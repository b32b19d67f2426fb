import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import { temporaryFolder } from '../../support/folder.js'

interface Packed {
  readonly files: readonly { readonly path: string }[]
}

describe('package: what is published', function () {
  this.timeout(120_000)

  it('is built of src and checks, and of no test', () => {
    const out = temporaryFolder()
    const tsc = join(packageRoot, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', out], { cwd: packageRoot })
    assert.deepEqual(readdirSync(out).sort(), ['checks', 'src'])
  })

  it('has nothing beside it but what a user reads or installs', () => {
    // What a tree has in dist/ is the matter of the test above.
    const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: packageRoot,
    })
    const [{ files } = { files: [] }] = JSON.parse(said.toString()) as Packed[]
    const folders = new Set(files.map(({ path }) => path.split('/')[0]))
    folders.delete('dist')
    assert.deepEqual([...folders].sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'checks',
      'config',
      'deploy',
      'package.json',
    ])
    assert.deepEqual(
      files.map(({ path }) => path).filter(path => path.startsWith('checks/')),
      ['checks/README.md'],
    )
  })
})
