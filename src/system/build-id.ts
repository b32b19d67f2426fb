/** Which build of lvsd this is: what one has worked out of a configuration, another may understand otherwise. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { version } from './version.js'

const FOLDERS = ['..', '../../checks'].map(folder => join(import.meta.dirname, folder))

/** `0.1.0 1764300000000`: the version, and when the newest of the program's files was written. */
export function build(): string {
  const files = FOLDERS.flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)),
  )
  const newest = Math.max(...files.map(file => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0))
  return `${version()} ${Math.round(newest)}`
}
