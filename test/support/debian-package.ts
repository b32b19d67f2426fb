/** The Debian package, built once for all tests that need it, and a second one of a later revision. */
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

export interface DebianPackages {
  readonly first: string
  /** The same as the first one but for its revision, which is 2. */
  readonly second: string
  /**
   * Both revisions for a lab, where each file takes 15 ms: in the place of the folders of /usr/lib/lvsd they have links
   * to build/package/home of a clone at /opt/lvsd, and in the place of Node.js one to /opt/node, which the lab has read.
   */
  readonly labFirst: string
  readonly labSecond: string
}

const FOLDER = join(packageRoot, 'build/package')
const DOCUMENTS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md']
const SOURCES = ['src', 'checks', 'config', 'deploy', 'package.json', 'package-lock.json', ...DOCUMENTS]
/** What the script would take from the last commit, which may be another one by the second build. */
const OF_COMMIT = { SOURCE_DATE_EPOCH: '1767225600', DEBEMAIL: 'tests@lvsd.test', DEBFULLNAME: 'lvsd' }

/** Builds the packages of this machine's architecture, unless they are newer than every source. */
export function debianPackages(): DebianPackages {
  const packages = builtPackages()
  const files = Object.values(packages)
  if (Math.min(...files.map(modified)) > Math.max(...SOURCES.map(newest))) return packages
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  buildPackage('--out', FOLDER)
  repack(packages)
  return packages
}

/** Returns the paths of the packages, which `debianPackages` has built. */
export function builtPackages(): DebianPackages {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string
  }
  const arch = { x64: 'amd64' }[process.arch as string] ?? process.arch
  const path = (revision: number, lab = '') => join(FOLDER, `lvsd${lab}_${version}-${revision}_${arch}.deb`)
  return { first: path(1), second: path(2), labFirst: path(1, '-lab'), labSecond: path(2, '-lab') }
}

/** Runs the script that makes a package, without compression. Returns what it prints. */
export function buildPackage(...options: readonly string[]): string {
  const script = join(packageRoot, 'deploy/package/package.mjs')
  const words = [script, '--compression', 'none', ...options]
  const env = { ...process.env, ...OF_COMMIT }
  return execFileSync(process.execPath, words, { cwd: packageRoot, env, encoding: 'utf8' }).trim()
}

/** Changing the revision alone takes two seconds, a second build a minute. */
function repack({ first, second, labFirst, labSecond }: DebianPackages): void {
  const folder = mkdtempSync(join(FOLDER, 'repack-'))
  const control = join(folder, 'DEBIAN/control')
  const home = join(folder, 'usr/lib/lvsd')
  const pack = (revision: number, file: string) => {
    writeFileSync(control, readFileSync(control, 'utf8').replace(/^(Version: .*)-\d$/m, `$1-${revision}`))
    execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', folder, file])
  }
  try {
    execFileSync('dpkg-deb', ['--raw-extract', first, folder])
    pack(2, second)
    renameSync(home, join(FOLDER, 'home'))
    mkdirSync(home)
    for (const name of readdirSync(join(FOLDER, 'home')))
      if (name !== 'bin') symlinkSync(`/opt/lvsd/build/package/home/${name}`, join(home, name))
    mkdirSync(join(home, 'bin'))
    symlinkSync('/opt/node', join(home, 'bin/node'))
    pack(1, labFirst)
    pack(2, labSecond)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function newest(path: string): number {
  const full = join(packageRoot, path)
  if (!statSync(full).isDirectory()) return modified(full)
  const files = readdirSync(full, { recursive: true, encoding: 'utf8' })
  return Math.max(...files.map(file => modified(join(full, file))))
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
