/** Recordings of check results, as the daemon writes them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lineFor } from '../../../src/storage/checked-line.js'
import { temporaryFolder } from '../folder.js'

export const HEAD = { lvsd: 'results', version: 1 }

/** Writes a recording with these entries. Returns its folder. */
export function recordingOf(entries: readonly unknown[], head: unknown = HEAD): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, '00000001.log'), [head, ...entries].map(lineFor).join(''))
  return folder
}
