/** Temporary folders for tests, removed after the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onCleanup } from './after-each.js'

export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lvsd-test-'))
  onCleanup(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Writes a file into a new temporary folder. Returns its path. */
export function temporaryFile(name: string, text: string): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  return path
}
