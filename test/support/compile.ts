/** Compiles what runs as a process of its own: with tsx a start costs 1.7 s of processor time here, and 12 s in a guest. */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

/** Compiles src, checks and test into build/, which is apart from what ships (dist/). Errors in types are another step's matter. */
export function compile(root: string): void {
  try {
    execFileSync(
      process.execPath,
      ['node_modules/typescript/bin/tsc', ...['--noEmit', 'false', '--outDir', 'build']],
      { cwd: root },
    )
  } catch (error) {
    const { status, stdout } = error as { status: number | null; stdout: Buffer }
    // 1: nothing was written; 2: written, with errors in types.
    if (status !== 2) throw new Error(`it does not compile:\n${stdout}`, { cause: error })
  }
}

/** The compiled form of a program of src/, as Node takes it: `compiled('main')`. Compiles first where a source is newer. */
export function compiled(name: string): string {
  const program = join(packageRoot, 'build/src', `${name}.js`)
  const builtAt = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (newest('src') > builtAt || newest('checks') > builtAt) compile(packageRoot)
  return program
}

/** When a file of the folder was changed last, in milliseconds of the wall clock. */
function newest(folder: string): number {
  const files = readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
  return Math.max(...files.map(file => statSync(join(packageRoot, folder, file)).mtimeMs))
}
