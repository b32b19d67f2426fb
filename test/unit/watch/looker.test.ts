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
import { Looker } from '../../../src/watch/looker.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'

/** Milliseconds in which the clock of the file system moves on for sure. */
const TICK = 20

function stage() {
  const folder = temporaryFolder()
  const file = join(folder, 'site.yaml')
  writeFileSync(file, 'one')
  const looker = new Looker()
  const places = { file, included: [] as string[], patterns: [] as string[] }
  const look = (known: string | null = null) => looker.look(places, known)
  return { folder, file, look, places }
}

describe('looker: a look at the files of a configuration', () => {
  it('finds the same content as a read of the configuration', () => {
    const { file, look } = stage()
    assert.equal(look().digest, digestOf([{ path: file, text: 'one' }]))
  })

  it('notices a change in place with the same size and modification time', async () => {
    const { file, look } = stage()
    const { atime, mtime } = statSync(file)
    const before = look().digest
    await setTimeout(TICK)
    writeFileSync(file, 'two')
    utimesSync(file, atime, mtime)
    assert.notEqual(look().digest, before)
  })

  it('distinguishes a file that is moved into place from one that is written in place', async () => {
    const { file, look } = stage()
    look()
    writeFileSync(`${file}.new`, 'two')
    await setTimeout(TICK)
    renameSync(`${file}.new`, file)
    assert.equal(look().isMoved, true)
    writeFileSync(file, 'three')
    assert.equal(look().isMoved, false)
    rmSync(file)
    assert.deepEqual(look(), { digest: null, fault: null, writtenAt: 0, isMoved: false, isWritten: false })
    writeFileSync(file, 'four')
    assert.equal(look().isMoved, false)
  })

  it('reports that another process has the file open for writing', () => {
    const { file, look } = stage()
    const fd = openSync(file, 'a')
    onCleanup(() => closeSync(fd))
    assert.equal(look().isWritten, true)
    assert.equal(look(look().digest).isWritten, false)
  })

  it('reports an error, and then notices what changed meanwhile', () => {
    const { file, look } = stage()
    const before = look().digest
    rmSync(file)
    mkdirSync(file)
    assert.match(look().fault ?? '', /site.yaml: this is a folder/)
    rmSync(file, { recursive: true })
    writeFileSync(file, 'two')
    chmodSync(file, 0)
    if (process.getuid?.() !== 0) assert.match(look().fault ?? '', /not permitted to read/)
    chmodSync(file, 0o644)
    const { digest, fault } = look()
    assert.equal(fault, null)
    assert.notEqual(digest, before)
  })

  it('watches included files, also new files that match a pattern', () => {
    const { folder, look, places } = stage()
    const extra = join(folder, 'extra.yaml')
    writeFileSync(extra, 'a')
    places.included.push(extra)
    places.patterns.push(join(folder, 'sites', '*.yaml'))
    const seen = new Set([look().digest])
    writeFileSync(extra, 'b')
    seen.add(look().digest)
    mkdirSync(join(folder, 'sites'))
    writeFileSync(join(folder, 'sites', 'new.yaml'), 'c')
    seen.add(look().digest)
    rmSync(extra)
    seen.add(look().digest)
    assert.equal(seen.size, 4)
    assert.equal(seen.has(null), false)
  })
})
