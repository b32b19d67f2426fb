import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { lineFor } from '../../../src/storage/checked-line.js'
import { writeDurably } from '../../../src/storage/durable-file.js'
import { type EntryForm, StateFile, type StateFileParts } from '../../../src/storage/state-file.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { THINGS } from '../../support/things.js'

interface Entry {
  readonly key: string
  readonly value: number
}

const FORM: EntryForm<Entry> = {
  name: 'things',
  version: 2,
  read(value) {
    const { key, value: number } = value as Entry
    if (typeof key !== 'string' || typeof number !== 'number') throw new Error('no thing')
    return { key, value: number }
  },
}

const ENTRIES: readonly Entry[] = [
  { key: 'web\n/[fd00::1]:80', value: 1 },
  { key: 'ü "\u2028', value: -2.5 },
  { key: '', value: 3 },
]

function stage(
  path = join(temporaryFolder(), 'state', 'things.json'),
  parts: Partial<StateFileParts<Entry>> = {},
) {
  const { log, lines } = recordingLog()
  const open = (form = FORM) => StateFile.open({ path, form, log, ...parts })
  return { path, lines, open }
}

/** A file with the entries above. */
async function written() {
  const { path, open, lines } = stage()
  const { file } = await open()
  assert.equal(await file.save(ENTRIES), true)
  return { path, open, lines, text: readFileSync(path) }
}

describe('StateFile', () => {
  it('has no entries before it is written', async () => {
    const { open, lines } = stage()
    assert.deepEqual((await open()).entries, [])
    assert.deepEqual(lines, [])
  })

  it('gives the entries back, and is closed to other users', async () => {
    const { path, open, lines } = await written()
    assert.deepEqual((await open()).entries, ENTRIES)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(lines, [])
  })

  it('gives back whatever was saved last', async () => {
    const entry = fc.record(
      { key: fc.string({ unit: 'binary' }), value: fc.integer() },
      { noNullPrototype: true },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(entry), { minLength: 1, maxLength: 4 }), async states => {
        const path = join(temporaryFolder(), 'things.json')
        const { open } = stage(path, { write: async (path, text) => writeFileSync(path, text) })
        const { file } = await open()
        const saves = states.map(state => file.save(state))
        assert.deepEqual(
          await Promise.all(saves),
          states.map(() => true),
        )
        assert.deepEqual((await open()).entries, states.at(-1))
      }),
    )
  })

  it('has what was saved last, also while the text of many entries before it is made in slices', async () => {
    const { open } = stage()
    const { file } = await open()
    const many = Array.from({ length: 50_000 }, (_, value) => ({ key: 'old', value }))
    const saved = await Promise.all([file.saveSliced(many), file.save(ENTRIES)])
    assert.deepEqual(saved, [true, true])
    assert.deepEqual((await open()).entries, ENTRIES)
  })

  it('that is cut off anywhere loses what was cut off alone, and says so', async () => {
    const { path, open, lines, text } = await written()
    const ends = [...text.entries()].flatMap(([i, byte]) => (byte === 10 ? [i + 1] : []))
    // Without its last line feed the file is whole.
    for (let length = 0; length < text.length - 1; length++) {
      writeFileSync(path, text.subarray(0, length))
      const whole = ENTRIES.filter((_, i) => length >= (ends[i + 1] ?? 0) - 1)
      assert.deepEqual((await open()).entries.slice(0, whole.length), whole, `cut off at ${length}`)
      assert.equal(lines.at(-1)?.event, 'state.damaged')
      assert.deepEqual(readFileSync(`${path}.damaged`), text.subarray(0, length))
    }
  })

  it('loses one entry by one wrong byte, and says so', async () => {
    const { path, open, lines, text } = await written()
    for (let i = 0; i < text.length; i++) {
      const wrong = Buffer.from(text)
      wrong[i] = (wrong[i] ?? 0) ^ 1
      writeFileSync(path, wrong)
      const before = lines.length
      const { entries } = await open()
      assert.ok(entries.length >= ENTRIES.length - 2, `byte ${i}: ${JSON.stringify(entries)}`)
      for (const entry of entries)
        assert.ok(ENTRIES.some(one => JSON.stringify(one) === JSON.stringify(entry)))
      assert.equal(lines.length, before + 1)
    }
  })

  it('of a newer lvsd is read as far as it can be, and kept', async () => {
    const { path, open, lines, text } = await written()
    const older: EntryForm<Entry> = { ...FORM, version: 1 }
    assert.deepEqual((await open(older)).entries, ENTRIES)
    assert.match(
      lines.at(-1)?.msg ?? '',
      /written by a newer lvsd \(version 2, this one knows 1\): 3 of its entries/,
    )
    assert.deepEqual(readFileSync(`${path}.newer`), text)
  })

  it('of another form has no entry of this one', async () => {
    const { open, lines } = await written()
    const other: EntryForm<Entry> = {
      ...FORM,
      name: 'others',
      read: () => {
        throw new Error('no other')
      },
    }
    assert.deepEqual((await open(other)).entries, [])
    assert.match(
      lines.at(-1)?.msg ?? '',
      /the file of the others is damaged: 0 of its entries can be read and count, 3 cannot/,
    )
  })

  it('whose first line has no header is damaged, whatever value it has', async () => {
    for (const value of [null, [], 5, 'overrides', {}]) {
      const { path, open, lines } = await written()
      writeFileSync(path, lineFor(value))
      assert.deepEqual((await open()).entries, [])
      assert.match(lines.at(-1)?.msg ?? '', /is damaged: 0 of its entries/)
    }
  })

  for (const [thing, put] of THINGS)
    it(`sets aside ${thing} in its place, says so once, and is written then`, async () => {
      const { path, open, lines } = stage(join(temporaryFolder(), 'things.json'))
      put(path)
      const { file, entries } = await open()
      assert.deepEqual(entries, [])
      assert.deepEqual(
        lines.map(({ event, moved }) => [event, moved]),
        [['state.damaged', `${path}.damaged`]],
      )
      assert.match(
        lines[0]?.msg ?? '',
        /^the file of the things cannot be read \(it .*\): lvsd starts without its entries$/,
      )
      assert.equal(await file.save(ENTRIES), true)
      assert.deepEqual((await open()).entries, ENTRIES)
      assert.equal(lines.length, 1)
      assert.ok(lstatSync(`${path}.damaged`))
    })

  it('that cannot be read is set aside beside what was set aside before', async () => {
    const { path, open, lines } = stage(join(temporaryFolder(), 'things.json'))
    mkdirSync(join(path, 'full'), { recursive: true })
    mkdirSync(join(`${path}.damaged`, 'full'), { recursive: true })
    await open()
    assert.equal(lines[0]?.moved, `${path}.damaged.2`)
    assert.deepEqual(readdirSync(`${path}.damaged.2`), ['full'])
  })

  it('that is damaged is copied to no pipe, link or folder', async () => {
    for (const [thing, put] of THINGS) {
      const { path, open, lines } = await written()
      writeFileSync(path, 'no entries\n')
      put(`${path}.damaged`)
      await open()
      const moved = `${path}.damaged${thing === 'a folder' ? '.2' : ''}`
      assert.deepEqual([lines[0]?.moved, readFileSync(moved, 'utf8')], [moved, 'no entries\n'], thing)
    }
  })

  it('that cannot be set aside is left, and told', async () => {
    const folder = temporaryFolder()
    const { open, lines } = stage(join(folder, 'file', 'things.json'))
    writeFileSync(join(folder, 'file'), '')
    assert.deepEqual((await open()).entries, [])
    assert.match(String(lines[0]?.moved), /^nowhere: ENOTDIR/)
  })

  it('is not written through a link at the name of the new file, nor into a pipe', async () => {
    for (const [thing, put] of THINGS) {
      if (thing === 'a folder') continue
      const { path, open } = await written()
      const { file } = await open()
      const other = join(temporaryFolder(), 'other')
      writeFileSync(other, 'untouched')
      if (thing === 'a device') symlinkSync(other, `${path}.new`)
      else put(`${path}.new`)
      assert.equal(await file.save([]), true, thing)
      assert.deepEqual((await open()).entries, [])
      assert.equal(readFileSync(other, 'utf8'), 'untouched')
      assert.equal(lstatSync(path).isFile(), true)
    }
  })

  it('that cannot be written is tried again until it can, and told once', async () => {
    const clock = new FakeClock()
    const state = { isFull: true, tries: 0 }
    const write: typeof writeDurably = async (path, content) => {
      state.tries++
      if (state.isFull) throw new Error('ENOSPC: no space left on device')
      await writeDurably(path, content)
    }
    const { open, lines, path } = stage(undefined, { write, alarm: (ms, alarm) => clock.alarm(ms, alarm) })
    const { file } = await open()
    assert.equal(await file.save(ENTRIES.slice(0, 1)), false)
    assert.equal(await file.save(ENTRIES), false)
    clock.wind(5000)
    await new Promise(setImmediate)
    assert.equal(state.tries, 3)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['state.failed'],
    )
    state.isFull = false
    clock.wind(5000)
    await file.close(1000)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['state.failed', 'state.works'],
    )
    assert.deepEqual((await open()).entries, ENTRIES)
    assert.deepEqual(readdirSync(join(path, '..')), ['things.json'])
  })

  it('has entries whose text was still being made when it was closed', async () => {
    const { open } = stage()
    const { file } = await open()
    const many = Array.from({ length: 50_000 }, (_, value) => ({ key: 'new', value }))
    void file.saveSliced(many)
    await file.close(60_000)
    assert.equal((await open()).entries.length, many.length)
  })

  it('does not wait for ever when it is closed', async () => {
    const { open } = stage(undefined, { write: () => new Promise(() => {}) })
    const { file } = await open()
    void file.save(ENTRIES)
    await file.close(10)
  })
})
