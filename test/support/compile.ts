/**
 * Compiles programs that run as separate processes. With tsx a start takes 1.7 s of processor time, and 12 s in a
 * guest.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/**
 * Compiles src, checks and test into build/, separate from the shipped dist/. Type errors are ignored; another step
 * reports them.
 */
export function compile(root: string): void {
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
}

/** Returns the path of a compiled program of src/: `compiled('main')`. Compiles first if a source is newer. */
export function compiled(name: string): string {
  const program = join(packageRoot, 'build/src', `${name}.js`)
  const builtAt = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (newest('src') > builtAt || newest('checks') > builtAt) compile(packageRoot)
  return program
}

/** Returns the latest modification time of the files in the folder, in wall-clock milliseconds. */
function newest(folder: string): number {
  const files = readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
  return Math.max(...files.map(file => statSync(join(packageRoot, folder, file)).mtimeMs))
}
