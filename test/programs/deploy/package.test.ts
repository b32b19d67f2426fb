import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import { temporaryFolder } from '../../support/folder.js'

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** What a clone has before the build. */
const SOURCES = ['src', 'checks', 'config', 'deploy', 'package.json', 'tsconfig.json', 'tsconfig.build.json']
const DOCUMENTS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md']

describe('package: the archive that npm pack makes', function () {
  this.timeout(180_000)
  let clone = ''
  let archive = ''
  let paths: readonly string[] = []

  before(() => {
    // A copy, because other tests run the dist/ of this tree meanwhile.
    clone = mkdtempSync(join(tmpdir(), 'lvsd-test-'))
    for (const name of [...SOURCES, ...DOCUMENTS])
      cpSync(join(packageRoot, name), join(clone, name), { recursive: true })
    symlinkSync(join(packageRoot, 'node_modules'), join(clone, 'node_modules'))
    const said = npm(['pack', '--json', '--silent'], clone)
    const [{ filename, files } = { filename: '', files: [] }] = JSON.parse(said) as Packed[]
    archive = join(clone, filename)
    paths = files.map(({ path }) => path).sort()
  })

  after(() => rmSync(clone, { recursive: true, force: true }))

  it('has what was built of src and checks, the man pages, and nothing but what a user reads or installs', () => {
    const folders = [...new Set(paths.map(path => path.split('/')[0] ?? ''))]
    const expected = [...DOCUMENTS, 'checks', 'config', 'deploy', 'dist', 'package.json']
    assert.deepEqual(folders.sort(), expected.sort())
    const built = [...new Set(within('dist').map(path => path.split('/')[1]))]
    assert.deepEqual(built.sort(), ['checks', 'man', 'src'])
    assert.deepEqual(within('dist/man'), ['dist/man/lvsd.8', 'dist/man/lvsd.yaml.5'])
    assert.deepEqual(within('checks'), ['checks/README.md'])
    // Threads and processes start with files that no other file imports.
    const sources = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    const entries = sources.filter(name => /(?:-thread|-entry|\/entry)\.ts$/.test(name))
    assert.ok(entries.includes('cluster/redis/connection-thread.ts'))
    for (const name of entries) assert.ok(paths.includes(`dist/src/${name.replace(/ts$/, 'js')}`), name)
    assert.deepEqual(
      paths.filter(path => path.endsWith('.map')),
      [],
    )
  })

  it('is installed without a build and without development packages, and runs', () => {
    const prefix = temporaryFolder()
    // The scripts of packages would compile what is not there in binary form; none may be needed.
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error']
    npm(['install', '--global', '--prefix', prefix, ...quiet, archive], prefix)
    const lvsd = (...words: readonly string[]) =>
      execFileSync(process.execPath, [join(prefix, 'bin/lvsd'), ...words], { cwd: prefix, encoding: 'utf8' })
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      version: string
    }
    assert.equal(lvsd('--version'), `lvsd ${version}\n`)
    assert.match(lvsd('checks', '--brief'), /^http /m)
    assert.match(lvsd('demo', '--seconds', '5'), /\[::1\]/)
    assert.deepEqual(readdirSync(join(prefix, 'share/man')).sort(), ['man5', 'man8'])
    const modules = readdirSync(join(prefix, 'lib/node_modules/lvsd/node_modules'))
    for (const name of ['typescript', 'mocha', 'tsx']) assert.ok(!modules.includes(name), name)
  })

  function within(folder: string): readonly string[] {
    return paths.filter(path => path.startsWith(`${folder}/`))
  }
})

/** Without the settings that the npm of this run hands down. */
function npm(words: readonly string[], cwd: string): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return execFileSync('npm', [...words], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
