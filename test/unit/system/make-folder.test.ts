import assert from 'node:assert/strict'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeDurably } from '../../../src/storage/durable-file.js'
import { makeFolder, makeFolderSync } from '../../../src/system/make-folder.js'
import { temporaryFolder } from '../../support/folder.js'

const WAYS = [
  ['makeFolder', makeFolder],
  ['makeFolderSync', async (path: string, mode?: number) => makeFolderSync(path, mode)],
] as const

describe('makeFolder', () => {
  for (const [name, make] of WAYS) {
    it(`makes a folder and those above it, and leaves those that are there: ${name}`, async () => {
      const top = temporaryFolder()
      const folder = join(top, 'a', 'b', 'c')
      await make(folder, 0o700)
      await make(folder, 0o755)
      assert.deepEqual(
        [folder, join(top, 'a')].map(path => statSync(path).mode & 0o777),
        [0o700, 0o700],
      )
    })

    it(`rejects where nothing can be made: ${name}`, async () => {
      const top = temporaryFolder()
      writeFileSync(join(top, 'file'), '')
      symlinkSync(join(top, 'nowhere'), join(top, 'link'))
      for (const [path, code] of [
        ['/proc/nope', 'ENOENT'],
        ['/proc/nope/deeper', 'ENOENT'],
        [join(top, 'file'), 'EEXIST'],
        [join(top, 'file', 'in'), 'ENOTDIR'],
        [join(top, 'link', 'in'), 'EEXIST'],
      ] as const)
        await assert.rejects(make(path), { code }, path)
    })
  }

  it('lets a file be refused that is to be written where no folder can be made', async () => {
    await assert.rejects(writeDurably('/proc/nope/file', 'text'), { code: 'ENOENT' })
  })
})
