/** Runs the parser of the real ldirectord, from Debian's package, on many small files at once. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Model } from './ldirectord-model.js'

const DRIVER = fileURLToPath(new URL('ldirectord-parse.pl', import.meta.url))

/** Result of ldirectord for a file, with a model if it accepts the file. */
export interface Verdict {
  readonly rc: number
  /** `Error at line 3: …`, `Warning: …` */
  readonly messages: readonly string[]
  readonly model?: Model
}

/** Returns the results for the files, in order. `names` are the host names that resolve; each has one address. */
export function parseWithLdirectord(
  program: string,
  files: readonly (string | Buffer)[],
  names: Readonly<Record<string, string>>,
): readonly Verdict[] {
  const lines = files.map(file => JSON.stringify({ text: Buffer.from(file).toString('latin1'), names }))
  const { stdout, stderr, status } = spawnSync('perl', [DRIVER, program], {
    input: lines.map(line => `${line}\n`).join(''),
    maxBuffer: 2 ** 30,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const verdicts = stdout.split('\n').filter(line => line !== '')
  assert.equal(verdicts.length, files.length, stderr)
  return verdicts.map(line => JSON.parse(line) as Verdict)
}
