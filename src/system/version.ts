/** Installation folder and version of lvsd. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of package.json: two levels above dist/src, one above src. */
export const packageRoot = rootFrom(import.meta.dirname)

const { version: own } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string
}

/** Returns the version of the running program, also when an upgrade has replaced its files. */
export function version(): string {
  return own
}

function rootFrom(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootFrom(dirname(folder))
}
