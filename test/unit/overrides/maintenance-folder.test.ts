import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import {
  judgeLook,
  type Look,
  MaintenanceFolder,
  type Seen,
} from '../../../src/overrides/maintenance-folder.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'

const NEVER: Seen = { folder: '/m', device: null, files: [] }
const HELD: Seen = { folder: '/m', device: '1', files: ['web1'] }
const EMPTY: Seen = { ...HELD, files: [] }

describe('maintenance-folder: reading the maintenance folder', () => {
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
    const clock = new FakeClock()
    const state = { changes: 0 }
    const watched = new MaintenanceFolder({
      folder,
      remembered,
      log,
      onChange: () => state.changes++,
      clock,
      ...(look && { look }),
    })
    onCleanup(() => watched.close())
    return { watched, state, lines, clock }
  }

  it('reports changes of its files', async () => {
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

  it('keeps its servers in maintenance when it is removed, and logs repeatedly how to end this', async () => {
    const folder = join(temporaryFolder(), 'm')
    mkdirSync(folder)
    writeFileSync(join(folder, 'web1'), '')
    const { watched, clock, lines } = stage(folder)
    await watched.first
    rmSync(folder, { recursive: true })
    for (const ms of [0, 1000, 60_000]) {
      clock.stop(ms)
      await watched.look()
    }
    assert.deepEqual([watched.seen.files, watched.trouble], [['web1'], 'gone'])
    assert.equal(lines.length, 2)
    assert.match(lines[0]?.msg ?? '', /is missing.*stay down.*mkdir/)
    mkdirSync(folder)
    await watched.look()
    assert.deepEqual([watched.seen.files, watched.trouble], [[], null])
    assert.match(lines[2]?.msg ?? '', /can be read again/)
  })

  it('has the content of an earlier run if it is missing at the start', async () => {
    const folder = join(temporaryFolder(), 'm')
    const before = { folder, device: '1', files: ['web1'] }
    const { watched } = stage(folder, undefined, before)
    await watched.first
    assert.deepEqual([watched.seen.files, watched.trouble], [['web1'], 'gone'])
    const other = stage(folder, undefined, { ...before, folder: '/another' })
    await other.watched.first
    assert.deepEqual([other.watched.seen.files, other.watched.trouble], [[], null])
  })

  it('that does not answer is read once, and this is logged', async () => {
    let looks = 0
    let answer = (_: Look) => {}
    const look = () => {
      looks++
      return new Promise<Look>(resolve => {
        answer = resolve
      })
    }
    const { watched, lines, clock } = stage('/m', look, HELD)
    clock.wind(4999)
    assert.deepEqual([lines.length, watched.trouble], [0, null])
    clock.wind(1)
    await setImmediate()
    clock.wind(50_000)
    assert.deepEqual([looks, lines.length, watched.seen.files, watched.trouble], [1, 1, ['web1'], 'silent'])
    answer({ device: '1', files: ['web2'] })
    await watched.first
    assert.deepEqual([looks, lines.length, watched.seen.files, watched.trouble], [1, 2, ['web2'], null])
    clock.wind(1000)
    assert.equal(looks, 2)
  })
})
