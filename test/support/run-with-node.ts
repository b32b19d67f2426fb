/**
 * Runs the unit tests and the tests with programs on other versions of Node: `npm run test:node -- 22 24`, `all`, or
 * `next`, which chooses one version by the hash of the commit, so that each is used from time to time. Node is installed
 * from its npm package into the user's cache folder; nothing else on the machine changes.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/** Supported major versions. `npm test` runs on the oldest supported release. */
const VERSIONS = ['22', '24', '26']
/** Cache folder. For root it is readable by other users, because some tests run Node as another user. */
const CACHE = join(
  process.env.XDG_CACHE_HOME ?? (process.getuid?.() === 0 ? '/var/cache' : join(homedir(), '.cache')),
  'lvsd-node',
)

let isFailed = false
for (const version of chosen(process.argv.slice(2))) {
  const bin = nodeOf(version)
  const found = execFileSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' }).trim()
  console.log(`\nNode ${found}`)
  for (const script of ['test:unit', 'test:programs']) {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
    const { status } = spawnSync('npm', ['run', script], { cwd: packageRoot, env, stdio: 'inherit' })
    if (status !== 0) {
      console.error(`${script} failed on Node ${found}`)
      isFailed = true
    }
  }
}
process.exitCode = isFailed ? 1 : 0

function chosen(words: readonly string[]): readonly string[] {
  if (words.length === 0) throw new Error('usage: npm run test:node -- VERSION ... | all | next')
  if (words[0] === 'all') return VERSIONS
  if (words[0] !== 'next') return words
  const hash = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: packageRoot, encoding: 'utf8' })
  return [VERSIONS[Number.parseInt(hash.slice(0, 8), 16) % VERSIONS.length] as string]
}

/** Returns the folder of the newest `node` of this major version. Installs it if it is missing. */
function nodeOf(version: string): string {
  const name = `node-${process.platform}-${process.arch}`
  const exact = execFileSync('npm', ['view', `${name}@${version}`, 'version', '--json'], { encoding: 'utf8' })
  const versions = [JSON.parse(exact) as string | string[]].flat()
  const newest = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) as string
  const folder = join(CACHE, newest)
  if (!existsSync(folder)) unpack(`${name}@${newest}`, folder)
  return join(folder, 'package/bin')
}

function unpack(what: string, folder: string): void {
  mkdirSync(CACHE, { recursive: true })
  const aside = mkdtempSync(join(CACHE, 'new-'))
  const [archive = ''] = execFileSync('npm', ['pack', '--silent', what], { cwd: aside, encoding: 'utf8' })
    .trim()
    .split('\n')
  execFileSync('tar', ['-xzf', archive], { cwd: aside })
  rmSync(join(aside, archive))
  // A temporary folder is accessible only to its owner.
  chmodSync(aside, 0o755)
  chmodSync(join(aside, 'package/bin/node'), 0o755)
  renameSync(aside, folder)
}
