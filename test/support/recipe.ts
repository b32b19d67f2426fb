/** The files of deploy/cluster/haproxy with the changes that their README tells the reader to make. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

export const RECIPE = join(packageRoot, 'deploy/cluster/haproxy')

/** Returns a file of the recipe with these texts replaced, each of which must be there. */
export function recipeFile(name: string, changes: readonly (readonly [from: string, to: string])[]): string {
  let text = readFileSync(join(RECIPE, name), 'utf8')
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `${name} has no ${from}`)
    text = text.replaceAll(from, to)
  }
  return text
}
