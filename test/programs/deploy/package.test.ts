import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StatusDocument } from '../../../src/api/status-types.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'
import { httpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

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
  let prefix = ''

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
    prefix = mkdtempSync(join(tmpdir(), 'lvsd-test-'))
    // The scripts of packages would compile what is not there in binary form; none may be needed.
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error']
    npm(['install', '--global', '--prefix', prefix, ...quiet, archive], prefix)
  })

  after(() => {
    for (const folder of [clone, prefix]) rmSync(folder, { recursive: true, force: true })
  })

  it('has what was built of src and checks, the man pages, and nothing but what a user reads or installs', () => {
    const folders = [...new Set(paths.map(path => path.split('/')[0] ?? ''))]
    const expected = [...DOCUMENTS, 'checks', 'config', 'deploy', 'dist', 'package.json']
    assert.deepEqual(folders.sort(), expected.sort())
    const built = [...new Set(within('dist').map(path => path.split('/')[1]))]
    assert.deepEqual(built.sort(), ['checks', 'chunks', 'licences.txt', 'man', 'src'])
    assert.deepEqual(within('dist/man'), ['dist/man/lvsd.8', 'dist/man/lvsd.yaml.5'])
    assert.deepEqual(within('checks'), ['checks/README.md'])
    // Threads and processes start with files that no other file imports.
    const sources = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    const entries = sources.filter(name => /(?:-thread|-entry|\/entry)\.ts$/.test(name))
    assert.ok(entries.includes('cluster/redis/connection-thread.ts'))
    for (const name of entries)
      assert.ok(
        ['js', 'cjs'].some(ending => paths.includes(`dist/src/${name.replace(/ts$/, ending)}`)),
        name,
      )
    const scripts = within('dist').filter(path => /\.c?js$/.test(path) && !path.startsWith('dist/src/web/'))
    assert.ok(scripts.includes('dist/src/cli/program.cjs'))
    for (const path of scripts) assert.ok(paths.includes(`${path}.map`), path)
  })

  it('has every kind of check', () => {
    const kinds = readdirSync(join(packageRoot, 'checks')).filter(name => name.endsWith('.ts'))
    const missing = kinds.filter(name => !paths.includes(`dist/checks/${name.replace(/ts$/, 'js')}`))
    assert.ok(kinds.includes('http_proxy.ts'))
    assert.deepEqual(missing, [])
  })

  it('has the licence of every library whose code is bundled', () => {
    const licences = readFileSync(join(clone, 'dist/licences.txt'), 'utf8')
    const libraries = new Set(
      within('dist')
        .filter(path => /\.c?js\.map$/.test(path))
        .flatMap(
          path => (JSON.parse(readFileSync(join(clone, path), 'utf8')) as { sources: string[] }).sources,
        )
        .flatMap(source => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []),
    )
    assert.ok(libraries.has('zod') && libraries.has('fastify'))
    for (const name of libraries) assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+, `, 'm'))
  })

  it('is installed without a build and without development packages, and runs', () => {
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

  it('runs kinds of lvsd and of users in their processes, and reads the configuration again in a thread', async () => {
    const { folder, config, port } = await site()
    const socket = join(folder, 's')
    const director = spawn(
      process.execPath,
      [program(), 'run', config, '--kernel', 'memory', '--socket', socket],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    onCleanup(() => void director.kill('SIGKILL'))
    const health = () => {
      const { stdout } = spawnSync(process.execPath, [program(), 'status', '--json', '--socket', socket], {
        encoding: 'utf8',
      })
      const status = stdout === '' ? { services: [] } : (JSON.parse(stdout) as StatusDocument)
      return status.services.map(({ name, reals }) => `${name} ${reals[0]?.state}`)
    }
    const all = ['external', 'http', 'own']
    await until(() => health().join() === all.map(kind => `${kind} up`).join(), {
      what: () => health().join(),
    })
    writeFileSync(config, configOf(folder, port, [...all, 'connect']))
    assert.match(lvsd('reload', '--socket', socket), /./)
    assert.equal(health().length, 4)
    assert.match(lvsd('why', 'own', '--socket', socket), /own/)
    director.kill('SIGTERM')
    const [code] = await once(director, 'exit')
    assert.equal(code, 0)
  })

  it('shows files and lines of the sources with LVSD_DEBUG', () => {
    const fault = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'
      fs.statSync = () => { throw new Error('no files') }; syncBuiltinESMExports()`
    const words = [
      '--import',
      `data:text/javascript,${encodeURIComponent(fault)}`,
      program(),
      ...['run', 'x', '--kernel', 'memory'],
    ]
    const { stderr } = spawnSync(process.execPath, words, {
      env: { ...process.env, LVSD_DEBUG: '1' },
      encoding: 'utf8',
    })
    assert.match(stderr, /^Error: no files\n/m)
    const [, line = ''] = /^ {4}at isSmall \(src\/config\/reader\.ts:(\d+):\d+\)$/m.exec(stderr) ?? []
    const source = readFileSync(join(packageRoot, 'src/config/reader.ts'), 'utf8').split('\n')
    assert.match(source[Number(line) - 1] ?? '', /statSync/)
    assert.doesNotMatch(stderr, /dist\/(?:src|chunks)/)
  })

  it('starts with the code cache that the build has made, and without it', async () => {
    const cache = join(prefix, 'lib/node_modules/lvsd/dist/src/cli/program.cjs.cache')
    const bytes = readFileSync(cache)
    assert.equal(await cacheAtStart(), 'used')
    writeFileSync(cache, bytes.subarray(0, bytes.length >> 1))
    assert.equal(await cacheAtStart(), 'refused')
    rmSync(cache)
    assert.equal(await cacheAtStart(), 'missing')
    execFileSync(process.execPath, [join(prefix, 'lib/node_modules/lvsd/dist/src/cli/write-code-cache.js')])
    assert.equal(await cacheAtStart(), 'used')
  })

  /** What a director says of the code cache with its first check. */
  async function cacheAtStart(): Promise<string | undefined> {
    const folder = temporaryFolder()
    const { port } = await httpServer((_request, response) => response.end('fine'))
    const config = join(folder, 'lvsd.yaml')
    writeFileSync(
      config,
      `services: { web: { virtual: '[2001:db8::1]:80', check: ${CHECKS.http}, reals: ['[::1]:${port}'] } }\n`,
    )
    const words = [program(), 'run', config, '--kernel', 'memory', '--socket', join(folder, 's')]
    const director = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    onCleanup(() => void director.kill('SIGKILL'))
    let said = ''
    for await (const part of director.stdout.setEncoding('utf8')) {
      said += part
      const found = /"codeCache":"(\w+)"/.exec(said)
      if (found) return found[1]
    }
    throw new Error(said)
  }

  function program(): string {
    return join(prefix, 'bin/lvsd')
  }

  function lvsd(...words: readonly string[]): string {
    return execFileSync(process.execPath, [program(), ...words], { cwd: prefix, encoding: 'utf8' })
  }

  /** A server for all kinds, a folder with a kind of a user, and a configuration. */
  async function site() {
    const folder = temporaryFolder()
    const checks = join(folder, 'checks')
    mkdirSync(join(checks, 'node_modules'), { recursive: true })
    symlinkSync(join(prefix, 'lib/node_modules/lvsd'), join(checks, 'node_modules/lvsd'))
    writeFileSync(join(checks, 'own.mjs'), OWN)
    const { port } = await httpServer((_request, response) => response.end('fine'))
    const config = join(folder, 'lvsd.yaml')
    writeFileSync(config, configOf(folder, port, ['external', 'http', 'own']))
    return { folder, config, port }
  }

  function within(folder: string): readonly string[] {
    return paths.filter(path => path.startsWith(`${folder}/`))
  }
})

const OWN = `import { defineCheck, down, up } from 'lvsd/check'
export const check = defineCheck({
  name: 'own',
  summary: 'is up where it can load the interface of lvsd',
  options: kit => ({ most: kit.number(10, 'Most') }),
  run: async (_target, { most }) => (most === 10 ? up('fine') : down('unexpected', 'most')),
})
`

const CHECKS: Readonly<Record<string, string>> = {
  external: '{ kind: external, checkcommand: /bin/true, interval: 1 }',
  http: '{ kind: http, interval: 1 }',
  own: '{ kind: own, interval: 1 }',
  connect: '{ kind: connect, interval: 1 }',
}

function configOf(folder: string, port: number, kinds: readonly string[]): string {
  const services = kinds.map(
    (kind, i) => `  ${kind}:
    virtual: '[2001:db8::${i + 1}]:80'
    check: ${CHECKS[kind]}
    reals: ['[::1]:${port}']
`,
  )
  return `settings: { checks: ['${join(folder, 'checks')}'] }\nservices:\n${services.join('')}`
}

/** Without the settings that the npm of this run hands down. */
function npm(words: readonly string[], cwd: string): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return execFileSync('npm', [...words], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
