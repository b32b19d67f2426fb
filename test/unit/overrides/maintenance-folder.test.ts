import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  judgeLook,
  type Look,
  MaintenanceFolder,
  type Seen,
} from '../../../src/overrides/maintenance-folder.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'

const NEVER: Seen = { folder: '/m', device: null, files: [] }
const HELD: Seen = { folder: '/m', device: '1', files: ['web1'] }
const EMPTY: Seen = { ...HELD, files: [] }

describe('maintenance-folder: a look into the maintenance folder', () => {
  const rows: [string, Seen, Look, readonly string[], string | null][] = [
    ['files that are there count', NEVER, { device: '1', files: ['web1'] }, ['web1'], null],
    ['a file that is removed counts no more', HELD, { device: '1', files: [] }, [], null],
    ['a folder that never was is empty', NEVER, { code: 'ENOENT' }, [], null],
    ['a folder that was empty may go', EMPTY, { code: 'ENOENT' }, [], null],
    ['a folder with files may not', HELD, { code: 'ENOENT' }, ['web1'], 'gone'],
    ['an empty folder on another file system', HELD, { device: '2', files: [] }, ['web1'], 'elsewhere'],
    ['one that is newly made', HELD, { device: '2', files: ['lost+found'] }, ['web1'], 'elsewhere'],
    ['any file on another file system counts', HELD, { device: '2', files: ['README'] }, ['README'], null],
    ['an empty folder that was empty before', EMPTY, { device: '2', files: [] }, [], null],
    ['a folder that cannot be read', HELD, { code: 'EIO' }, ['web1'], 'unreadable'],
    ['a folder that could never be read', NEVER, { code: 'EACCES' }, [], 'unreadable'],
  ]
  for (const [what, before, look, files, trouble] of rows)
    it(what, () => {
      const { seen, trouble: told } = judgeLook(before, look)
      assert.deepEqual([seen.files, told], [files, trouble])
    })
})

describe('maintenance-folder', () => {
  function stage(folder: string, look?: (folder: string) => Promise<Look>, remembered: Seen | null = null) {
    const { log, lines } = recordingLog()
    const state = { changes: 0, now: 0 }
    const watched = new MaintenanceFolder({
      folder,
      remembered,
      log,
      onChange: () => state.changes++,
      now: () => state.now,
      ...(look && { look }),
    })
    onCleanup(() => watched.close())
    return { watched, state, lines }
  }

  it('says that its files change', async () => {
    const folder = temporaryFolder()
    const { watched, state } = stage(folder)
    await watched.first
    writeFileSync(join(folder, 'web1'), '')
    await watched.look()
    assert.deepEqual([watched.seen.files, state.changes], [['web1'], 2])
    rmSync(join(folder, 'web1'))
    await watched.look()
    await watched.look()
    assert.deepEqual([watched.seen.files, state.changes], [[], 3])
  })

  it('lets nobody go when it is removed, says so again and again, and how they are let go', async () => {
    const folder = join(temporaryFolder(), 'm')
    mkdirSync(folder)
    writeFileSync(join(folder, 'web1'), '')
    const { watched, state, lines } = stage(folder)
    await watched.first
    rmSync(folder, { recursive: true })
    for (const now of [0, 1000, 61_000]) {
      state.now = now
      await watched.look()
    }
    assert.deepEqual([watched.seen.files, watched.trouble], [['web1'], 'gone'])
    assert.equal(lines.length, 2)
    assert.match(lines[0]?.msg ?? '', /is gone.*stay held down.*mkdir/)
    mkdirSync(folder)
    await watched.look()
    assert.deepEqual([watched.seen.files, watched.trouble], [[], null])
    assert.match(lines[2]?.msg ?? '', /counts again/)
  })

  it('counts as it was in an earlier run where it is not there at the start', async () => {
    const folder = join(temporaryFolder(), 'm')
    const before = { folder, device: '1', files: ['web1'] }
    const { watched } = stage(folder, undefined, before)
    await watched.first
    assert.deepEqual([watched.seen.files, watched.trouble], [['web1'], 'gone'])
    const other = stage(folder, undefined, { ...before, folder: '/another' })
    await other.watched.first
    assert.deepEqual([other.watched.seen.files, other.watched.trouble], [[], null])
  })

  it('that does not answer is looked into once, and told', async () => {
    let looks = 0
    const { watched, state, lines } = stage('/m', () => new Promise<Look>(() => looks++), HELD)
    for (const now of [1000, 6000, 7000]) {
      state.now = now
      await watched.look()
    }
    assert.deepEqual([looks, lines.length, watched.seen.files, watched.trouble], [1, 1, ['web1'], 'silent'])
  })
})
