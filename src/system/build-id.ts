/** Identifies the build of lvsd. Results derived from a configuration are valid only for the same build. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { thisScript } from './this-script.js'
import { version } from './version.js'

const FOLDERS = ['..', '../../checks'].map(folder => join(import.meta.dirname, folder))

let found: string | null = null

/**
 * Returns what no other build has: the version with the sum of the script, which has all that reads a configuration, and of this
 * Node.js; or, where modules run, with the modification time of the newest program file, in milliseconds: `0.1.0 1764300000000`. It is
 * that of the running process: files that are replaced later do not count. Looking at all files takes up to 100 ms.
 */
export function build(): string {
  found ??= find()
  return found
}

function find(): string {
  if (typeof thisScript?.sum === 'number') return `${version()} script ${thisScript.sum}`
  const files = FOLDERS.flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)),
  )
  const newest = Math.max(...files.map(file => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0))
  return `${version()} ${Math.round(newest)}`
}
