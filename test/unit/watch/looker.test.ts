import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { digestOf } from '../../../src/watch/digest.js'
import { blocking, type FileReader, type FileStatus, pooled } from '../../../src/watch/file-readers.js'
import { Looker } from '../../../src/watch/looker.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'

/** Milliseconds in which the clock of the file system moves on for sure. */
const TICK = 20

function stage(files: FileReader) {
  const folder = temporaryFolder()
  const file = join(folder, 'site.yaml')
  writeFileSync(file, 'one')
  const looker = new Looker(files)
  const places = { file, included: [] as string[], patterns: [] as string[] }
  const look = (known: string | null = null) => looker.look(places, known)
  return { folder, file, look, places }
}

for (const [name, files] of Object.entries({ pooled, blocking }))
  describe(`looker: a look at the files of a configuration, ${name}`, () => {
    it('finds the same content as a read of the configuration', async () => {
      const { file, look } = stage(files)
      assert.equal((await look()).digest, digestOf([{ path: file, text: 'one' }]))
    })

    it('notices a change in place with the same size and modification time', async () => {
      const { file, look } = stage(files)
      const { atime, mtime } = statSync(file)
      const before = (await look()).digest
      await setTimeout(TICK)
      writeFileSync(file, 'two')
      utimesSync(file, atime, mtime)
      assert.notEqual((await look()).digest, before)
    })

    it('notices at the next look what was written right after a look, with the same size and the same times', async () => {
      // From Linux 6.13 on, ext4 and tmpfs have a finer clock for a file whose times were asked for.
      const ofOneStep = (found: FileStatus | null) => found && { ...found, mtimeNs: 1n, ctimeNs: 1n }
      const status = async (path: string) => ofOneStep(await files.status(path))
      const { file, look } = stage({ ...files, status })
      await look()
      writeFileSync(file, 'two')
      assert.equal((await look()).digest, digestOf([{ path: file, text: 'two' }]))
    })

    it('reads a file twice after a change, and then no more', async () => {
      const read: string[] = []
      const text = (path: string) => {
        read.push(path)
        return files.text(path)
      }
      const { file, look } = stage({ ...files, text })
      for (let i = 0; i < 4; i++) await look()
      assert.deepEqual(read, [file, file])
      await setTimeout(TICK)
      writeFileSync(file, 'two')
      for (let i = 0; i < 4; i++) await look()
      assert.equal(read.length, 4)
    })

    it('distinguishes a file that is moved into place from one that is written in place', async () => {
      const { file, look } = stage(files)
      await look()
      writeFileSync(`${file}.new`, 'two')
      await setTimeout(TICK)
      renameSync(`${file}.new`, file)
      assert.equal((await look()).isMoved, true)
      writeFileSync(file, 'three')
      assert.equal((await look()).isMoved, false)
      rmSync(file)
      assert.deepEqual(await look(), {
        digest: null,
        files: [],
        fault: null,
        writtenAt: 0,
        isMoved: false,
        isWritten: false,
      })
      writeFileSync(file, 'four')
      assert.equal((await look()).isMoved, false)
    })

    it('takes no content for complete from which an included file is gone, until it is known', async () => {
      const { folder, file, look, places } = stage(files)
      const extra = join(folder, 'extra.yaml')
      writeFileSync(extra, 'a')
      places.included.push(extra)
      places.patterns.push(join(folder, '*.yaml'))
      const move = async (text: string) => {
        writeFileSync(`${file}.new`, text)
        await setTimeout(TICK)
        renameSync(`${file}.new`, file)
      }
      await look((await look()).digest)
      await move('two')
      assert.equal((await look()).isMoved, true)
      rmSync(extra)
      assert.equal((await look()).isMoved, false)
      await move('three')
      const { digest, isMoved } = await look()
      assert.equal(isMoved, false, 'what came later makes it no more complete')
      places.included.length = 0
      await look(digest)
      await move('four')
      assert.equal((await look(digest)).isMoved, true)
    })

    it('takes no content for complete of which one file was written in place, though another was moved later', async () => {
      const { folder, file, look, places } = stage(files)
      const extra = join(folder, 'extra.yaml')
      const move = async (path: string, text: string) => {
        writeFileSync(`${path}.new`, text)
        await setTimeout(TICK)
        renameSync(`${path}.new`, path)
      }
      writeFileSync(extra, 'a')
      places.included.push(extra)
      await look((await look()).digest)
      writeFileSync(extra, '')
      await look()
      await move(file, 'two')
      assert.equal((await look()).isMoved, false)
      await move(extra, 'b')
      assert.equal((await look()).isMoved, true)
    })

    it('reports that another process has the file open for writing', async () => {
      const { file, look } = stage(files)
      const fd = openSync(file, 'a')
      onCleanup(() => closeSync(fd))
      assert.equal((await look()).isWritten, true)
      assert.equal((await look((await look()).digest)).isWritten, false)
    })

    it('reports an error, and then notices what changed meanwhile', async () => {
      const { file, look } = stage(files)
      const before = (await look()).digest
      rmSync(file)
      mkdirSync(file)
      assert.match((await look()).fault ?? '', /site.yaml: this is a folder/)
      rmSync(file, { recursive: true })
      writeFileSync(file, 'two')
      chmodSync(file, 0)
      if (process.getuid?.() !== 0) assert.match((await look()).fault ?? '', /not permitted to read/)
      chmodSync(file, 0o644)
      const { digest, fault } = await look()
      assert.equal(fault, null)
      assert.notEqual(digest, before)
    })

    it('watches included files, also new files that match a pattern', async () => {
      const { folder, look, places } = stage(files)
      const extra = join(folder, 'extra.yaml')
      writeFileSync(extra, 'a')
      places.included.push(extra)
      places.patterns.push(join(folder, 'sites', '*.yaml'))
      const seen = new Set([(await look()).digest])
      writeFileSync(extra, 'b')
      seen.add((await look()).digest)
      mkdirSync(join(folder, 'sites'))
      writeFileSync(join(folder, 'sites', 'new.yaml'), 'c')
      seen.add((await look()).digest)
      rmSync(extra)
      seen.add((await look()).digest)
      assert.equal(seen.size, 4)
      assert.equal(seen.has(null), false)
    })
  })
