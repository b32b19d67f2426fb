import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../../src/system/version.js'
import { temporaryFolder } from '../../support/folder.js'

describe('version: what runs', () => {
  it('stays when an upgrade replaces the files of the program', () => {
    const folder = temporaryFolder()
    copyFileSync(join(packageRoot, 'src/system/version.ts'), join(folder, 'version.ts'))
    const manifest = join(folder, 'package.json')
    writeFileSync(manifest, JSON.stringify({ type: 'module', version: '1.0.0' }))
    const program = `import { writeFileSync } from 'node:fs'
      import { version } from ${JSON.stringify(pathToFileURL(join(folder, 'version.ts')).href)}
      writeFileSync(${JSON.stringify(manifest)}, '{"version":"2.0.0"}')
      process.stdout.write(version())`
    const words = ['--import', 'tsx', '--input-type=module', '--eval', program]
    assert.equal(execFileSync(process.execPath, words, { cwd: packageRoot, encoding: 'utf8' }), '1.0.0')
  })
})
