/** What runs in a lab is compiled first: tsx would take 12 s in a guest. */
import { execFileSync } from 'node:child_process'

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
