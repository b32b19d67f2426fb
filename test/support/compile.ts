/**
 * Compiles programs that run as separate processes. With tsx a start takes 1.7 s of processor time, and 12 s in a
 * guest.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/**
 * Compiles src, checks and test into build/, separate from the shipped dist/, unless build/ is newer. Type errors are
 * ignored; another step reports them.
 */
export function compile(root: string): void {
  if (isNewer(mainOf(root), root, ['src', 'checks', 'test', 'tsconfig.json', 'package-lock.json'])) return
  const began = new Date()
  try {
    execFileSync(
      process.execPath,
      ['node_modules/typescript/bin/tsc', ...['--noEmit', 'false', '--outDir', 'build']],
      { cwd: root },
    )
  } catch (error) {
    const { status, stdout } = error as { status: number | null; stdout: Buffer }
    // Exit code 1: nothing was written. Exit code 2: written, with type errors.
    if (status !== 2) throw new Error(`it does not compile:\n${stdout}`, { cause: error })
  }
  // A file that was changed meanwhile is newer.
  utimesSync(mainOf(root), began, began)
}

/** The folder of the program as it is installed, below the root. Measurements run it. */
export const BUNDLE = 'build/bundle'

/**
 * Bundles src and checks into `BUNDLE`, with the code cache of this Node.js, unless `BUNDLE` is newer. In a guest such a program
 * starts in less than half the time of the compiled files.
 */
export function bundle(root: string): void {
  const stamp = join(root, BUNDLE, 'made-by')
  const isMade = isNewer(stamp, root, [
    'src',
    'checks',
    'deploy/bundle.mjs',
    'package.json',
    'package-lock.json',
  ])
  if (isMade && readFileSync(stamp, 'utf8') === process.version) return
  const began = new Date()
  for (const words of [['deploy/bundle.mjs', BUNDLE], [`${BUNDLE}/src/cli/write-code-cache.js`]])
    execFileSync(process.execPath, words, { cwd: root })
  writeFileSync(stamp, process.version)
  utimesSync(stamp, began, began)
}

/** Builds the page for browsers, where the compiled program looks for it, unless it is newer than its sources. */
export function buildPage(root: string): void {
  // The last file that is written.
  const made = join(root, 'dist/src/web/licences.txt')
  if (isNewer(made, root, ['src/web', 'package-lock.json'])) return
  const began = new Date()
  execFileSync(process.execPath, ['src/web/build.mjs'], { cwd: root })
  utimesSync(made, began, began)
}

function mainOf(root: string): string {
  return join(root, 'build/src/main.js')
}

/** Returns the path of a compiled file of src/: `compiled('config/load-apart')`. Compiles first if a source is newer. */
export function compiled(name: string): string {
  if (!isNewer(mainOf(packageRoot), packageRoot, ['src', 'checks'])) compile(packageRoot)
  return join(packageRoot, 'build/src', `${name}.js`)
}

/**
 * Returns the path of a program as it is installed: `installed('main')`. Bundles first if a source is newer. With LVSD_BUILD set to `dist`
 * it is the program that `npm run build` made last.
 */
export function installed(name: string): string {
  if (!process.env.LVSD_BUILD) bundle(packageRoot)
  const file = name === 'main' ? 'main.cjs' : `${name}.js`
  return join(packageRoot, process.env.LVSD_BUILD || BUNDLE, 'src', file)
}

/** Returns true if the file is newer than all these files and folders of `root`. Each compilation writes all files. */
function isNewer(made: string, root: string, sources: readonly string[]): boolean {
  const builtAt = statSync(made, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return sources.every(source => newest(join(root, source)) < builtAt)
}

/** Returns the latest modification time of the file, or of the files in the folder, in wall-clock milliseconds. */
function newest(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return Math.max(...files.map(file => statSync(join(path, file)).mtimeMs))
}
