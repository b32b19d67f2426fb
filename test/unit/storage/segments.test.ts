import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type SegmentFile, Segments, type SegmentsParts } from '../../../src/storage/segments.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { pipe, THINGS } from '../../support/things.js'

const LIMITS = {
  segmentBytes: 1 << 20,
  segmentLines: 10,
  bytes: 1 << 20,
  lines: 25,
  age: Number.POSITIVE_INFINITY,
}

/** Opens the folder; `read`: what earlier runs have left. */
async function opened(folder: string, parts: Partial<SegmentsParts> = {}) {
  const { log, lines } = recordingLog()
  const read: unknown[] = []
  const clock = new FakeClock()
  const { segments, wasClosed } = await Segments.open(
    { folder, name: 'things', version: 1, limits: LIMITS, log, clock, ...parts },
    value => {
      if (typeof value !== 'number') throw new Error('no number')
      read.push(value)
    },
  )
  return { segments, wasClosed, read, lines, clock, told: () => lines.map(({ event }) => event) }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const folderOf = () => join(temporaryFolder(), 'things')
const files = (folder: string) => readdirSync(folder).sort()

/** A folder with the numbers up to `to`, closed or as after kill -9. */
async function written(to: number, isClosed = true): Promise<string> {
  const folder = folderOf()
  const { segments } = await opened(folder)
  for (const n of numbers(1, to)) {
    segments.append(n)
    if (n % 5 === 0) await segments.flush()
  }
  await segments.flush()
  if (isClosed) await segments.close(1000)
  // On newer releases of Node.js (26.12) a file that is open and forgotten is an error.
  else onCleanup(() => segments.close(1000))
  return folder
}

describe('Segments', () => {
  it('give back what was written, in order, and know whether the run was closed', async () => {
    for (const isClosed of [true, false]) {
      const { read, wasClosed, told } = await opened(await written(12, isClosed))
      assert.deepEqual(read, numbers(1, 12))
      assert.equal(wasClosed, isClosed)
      assert.deepEqual(told(), [])
    }
  })

  it('write nothing themselves when a value is added, and together what comes within a tenth of a second', async () => {
    const folder = folderOf()
    let writes = 0
    const openFile = async (path: string, flags: number) => {
      const file = await open(path, flags)
      const counted: SegmentFile = {
        write: ((...args: Parameters<typeof file.write>) => {
          writes++
          return file.write(...args)
        }) as SegmentFile['write'],
        truncate: length => file.truncate(length),
        datasync: () => file.datasync(),
        close: () => file.close(),
      }
      return counted
    }
    const { segments, clock } = await opened(folder, { openFile })
    for (const n of numbers(1, 9)) segments.append(n)
    clock.wind(99)
    assert.equal(writes, 0)
    clock.wind(1)
    await segments.flush()
    // The head of the segment and the batch.
    assert.equal(writes, 2)
    await segments.close(1000)
  })

  it('keep as many as they shall, in segments of limited size, and go on in the last one', async () => {
    const folder = await written(60)
    assert.ok(files(folder).length <= 5, String(files(folder)))
    const { read, segments } = await opened(folder)
    assert.deepEqual(read, numbers(Number(read[0]), 60))
    assert.ok(read.length >= 25)
    segments.append(61)
    await segments.close(1000)
    assert.equal((await opened(folder)).read.at(-1), 61)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
  })

  it('delete what is older than its age, and more bytes than allowed', async () => {
    const folder = folderOf()
    const wall = { now: 1_000_000 }
    const limits = { ...LIMITS, lines: 1000, age: 3_600_000 }
    const { segments } = await opened(folder, { limits, now: () => wall.now })
    for (const n of numbers(1, 30)) {
      segments.append(n)
      await segments.flush()
      wall.now += 200_000
    }
    assert.ok(files(folder).length <= 3, String(files(folder)))
    await segments.close(1000)
    const tight = { ...LIMITS, bytes: 200, lines: 1000 }
    await opened(folder, { limits: tight, now: () => wall.now })
    assert.equal(files(folder).length, 1)
  })

  it('lose the line that was cut off alone, and say nothing of it, as after kill -9', async () => {
    const folder = await written(7, false)
    const path = join(folder, '00000001.log')
    for (let size = statSync(path).size - 1; size >= 0; size--) {
      truncateSync(path, size)
      const { read, told, wasClosed } = await opened(folder)
      assert.deepEqual(read, numbers(1, read.length))
      assert.deepEqual([told(), wasClosed], [[], false], `at ${size}`)
    }
    const { segments } = await opened(folder)
    segments.append(1)
    await segments.close(1000)
    assert.deepEqual((await opened(folder)).read, [1])
  })

  it('write over half a line', async () => {
    const folder = await written(7, false)
    const path = join(folder, '00000001.log')
    truncateSync(path, statSync(path).size - 3)
    const { segments } = await opened(folder)
    segments.append(70)
    await segments.close(1000)
    const { read, told } = await opened(folder)
    assert.deepEqual(read, [...numbers(1, 6), 70])
    assert.deepEqual(told(), [])
  })

  it('lose one value by one wrong byte, say so, and keep the file aside', async () => {
    const folder = await written(12)
    const path = join(folder, '00000001.log')
    const text = readFileSync(path)
    for (let i = 0; i < text.length; i += 3) {
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
      const wrong = Buffer.from(text)
      wrong[i] = (wrong[i] ?? 0) ^ 1
      writeFileSync(path, wrong)
      const { read, told, segments } = await opened(folder)
      assert.ok(read.length >= 8, `byte ${i}: ${read}`)
      for (const n of read) assert.ok(numbers(1, 10).includes(Number(n)))
      if (wrong[i] === 11) continue
      assert.deepEqual(told(), ['state.damaged'], `byte ${i}`)
      assert.deepEqual(readFileSync(`${path}.damaged`), wrong)
      // What could be read is there at the next start too, without a word.
      await segments.close(1000)
      const again = await opened(folder)
      assert.deepEqual([again.read, again.told()], [read, []])
    }
  })

  it('keep the file of a newer lvsd, with what can be read of it', async () => {
    const folder = folderOf()
    const newer = await opened(folder, { version: 2 })
    newer.segments.append(1)
    newer.segments.append(2)
    await newer.segments.close(1000)
    const text = readFileSync(join(folder, '00000001.log'))
    const { read, told, lines } = await opened(folder)
    assert.deepEqual([read, told()], [[1, 2], ['state.damaged']])
    assert.match(lines[0]?.msg ?? '', /was written by a newer lvsd: 3 of its entries can be read/)
    assert.deepEqual(readFileSync(join(folder, '00000001.log.newer')), text)
  })

  it('keep everything while the disk is full, say it once, and write it when there is room', async () => {
    const folder = folderOf()
    const disk = { room: 120 }
    const openFile = async (path: string, flags: number) => {
      const file = await open(path, flags)
      const full: SegmentFile = {
        write: (async (bytes: Buffer, offset: number, length: number, at: number) => {
          if (disk.room === 0) throw new Error('ENOSPC: no space left on device')
          // A full disk takes a part.
          const part = Math.min(length, disk.room)
          disk.room -= part
          return file.write(bytes, offset, part, at)
        }) as SegmentFile['write'],
        truncate: length => file.truncate(length),
        datasync: () => file.datasync(),
        close: () => file.close(),
      }
      return full
    }
    const { segments, told, clock } = await opened(folder, { openFile })
    for (const n of numbers(1, 9)) {
      segments.append(n)
      await segments.flush()
    }
    clock.wind(20_000)
    assert.equal(await segments.flush(), false)
    assert.deepEqual(told(), ['state.failed'])
    const early = await opened(folder)
    assert.deepEqual(early.read, numbers(1, early.read.length))
    disk.room = 1 << 20
    clock.wind(5000)
    assert.equal(await segments.flush(), true)
    assert.deepEqual(told(), ['state.failed', 'state.works'])
    await segments.close(1000)
    assert.deepEqual((await opened(folder)).read, numbers(1, 9))
  })

  it('begin a new segment where somebody has deleted the last one', async () => {
    const folder = await written(3)
    const { segments } = await opened(folder)
    rmSync(join(folder, '00000001.log'))
    segments.append(4)
    await segments.close(1000)
    assert.deepEqual((await opened(folder)).read, [4])
  })

  it('begin a new segment where somebody has put a pipe or a folder in place of the last one', async () => {
    for (const put of [pipe, (path: string) => mkdirSync(path)]) {
      const folder = await written(3, false)
      const { segments, told } = await opened(folder)
      rmSync(join(folder, '00000001.log'))
      put(join(folder, '00000001.log'))
      segments.append(4)
      assert.equal(await segments.flush(), true)
      await segments.close(1000)
      assert.deepEqual(told(), [])
      const again = await opened(folder)
      assert.deepEqual([again.read, again.told()], [[4], ['state.damaged']])
    }
  })

  for (const [thing, put] of THINGS)
    it(`set aside ${thing} in the place of the folder or of a segment, say it once, and go on`, async () => {
      const folder = folderOf()
      put(folder)
      const first = await opened(folder)
      // A folder there is just a folder.
      assert.deepEqual(first.told(), thing === 'a folder' ? [] : ['state.damaged'])
      first.segments.append(1)
      await first.segments.close(1000)
      for (const number of [1, 3]) {
        const path = join(folder, `0000000${number}.log`)
        if (existsSync(path)) rmSync(path)
        put(path)
      }
      const second = await opened(folder)
      assert.deepEqual([second.read, second.told()], [[], ['state.damaged', 'state.damaged']])
      assert.equal(second.wasClosed, false)
      second.segments.append(5)
      assert.equal(await second.segments.flush(), true)
      await second.segments.close(1000)
      const third = await opened(folder)
      assert.deepEqual([third.read, third.told()], [[5], []])
      assert.ok(files(folder).includes('00000003.log.damaged'))
    })

  it('cannot be opened where a file is in the place of a folder above', async () => {
    const folder = folderOf()
    writeFileSync(folder, '')
    await assert.rejects(opened(join(folder, 'things')), /ENOTDIR/)
    assert.ok(existsSync(folder))
  })
})
