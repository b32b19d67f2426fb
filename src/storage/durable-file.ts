/** A file that is written whole or not at all. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../system/make-folder.js'

/**
 * Replaces the file by `content`; mode 600. After a crash at any moment the old content or the new one is there, whole:
 * the new file, its name and the old name's end are on the disk in that order. Rejects with the error of the file system.
 */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path)
  await makeFolder(folder, 0o755)
  // What a killed process has left, or what somebody has put there: a link is removed, not followed.
  await rm(`${path}.new`, { force: true })
  const written = await open(`${path}.new`, 'wx', 0o600)
  try {
    await written.writeFile(content)
    await written.sync()
  } catch (error) {
    // On a full disk a part of it would take the space of other files.
    await rm(`${path}.new`, { force: true }).catch(() => {})
    throw error
  } finally {
    await written.close()
  }
  await rename(`${path}.new`, path)
  const opened = await open(folder, 'r')
  await opened.sync().finally(() => opened.close())
}
