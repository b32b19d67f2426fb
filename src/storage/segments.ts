/**
 * A folder of files to which entries are appended, such as events. Each file (segment) has a first line that names its
 * form and version, and a line for each entry; each line begins with a checksum. When a segment is full the next one
 * begins, and the oldest ones are deleted.
 *
 * Entries are queued and written together, never by the caller. After kill -9 at most the last batch is missing; after a
 * loss of power, that of the last seconds. What a full disk refuses stays queued and is written when it works again.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../system/log.js'
import { makeFolder } from '../system/make-folder.js'
import { type Clock, systemClock } from '../util/clock.js'
import { runSliced } from '../util/time-slice.js'
import { waitAtMost } from '../util/with-timeout.js'
import { writeDurably } from './durable-file.js'
import { type FoundEntries, headOf, linesOf, parseSegment } from './segment-text.js'
import { readText, setAside } from './state-text.js'

/** When a segment is full, and when the oldest is deleted: as soon as one of the limits is reached. */
export interface SegmentLimits {
  readonly segmentBytes: number
  readonly segmentLines: number
  /** Bytes of all segments. */
  readonly bytes: number
  /** The segments behind the oldest one have this many entries. */
  readonly lines: number
  /** Milliseconds since the last write to the oldest one. */
  readonly age: number
}

export interface SegmentsParts {
  readonly folder: string
  /** `events`: in the first line of each segment, and in messages. */
  readonly name: string
  /** It increases when older builds of lvsd would misread an entry. */
  readonly version: number
  readonly limits: SegmentLimits
  readonly log: Log
  readonly clock?: Pick<Clock, 'alarm'>
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
  /** True if `take` gets the entries of the last segment alone; the others are not read. */
  readonly readsLastAlone?: boolean
  /** Opens a segment for writing; replaced in tests. */
  readonly openFile?: (path: string, flags: number) => Promise<SegmentFile>
}

/** What a segment needs of an open file. */
export type SegmentFile = Pick<FileHandle, 'write' | 'truncate' | 'datasync' | 'close'>

/** What earlier runs have left. */
export interface Left {
  readonly segments: Segments
  /** True if the last run closed the folder, so that no entry is missing. */
  readonly wasClosed: boolean
}

interface Segment {
  readonly number: number
  lines: number
  bytes: number
  /** True if nothing may be appended. */
  isFull: boolean
  writtenAt: number
}

/** Milliseconds for which entries are collected before they are written. */
const BATCH = 100
/** Milliseconds after a write until it is forced to the disk. */
const SYNC = 1000
/** Milliseconds between two tries to write what could not be written. */
const RETRY = 5000
/** Maximum number of entries that wait for a disk that accepts none; the oldest are dropped. */
const MOST_QUEUED = 10_000
/** Maximum number of entries in one write. */
const MOST_TOGETHER = 2000
/** Maximum number of damaged segments that are kept aside. */
const MOST_ASIDE = 4
/** Milliseconds between two looks for segments that are too old. */
const LOOK_FOR_OLD = 60_000

/** A pipe would block without O_NONBLOCK; a link is not followed. */
const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | SAFE
const AGAIN = constants.O_WRONLY | SAFE
/** Errors of a segment that is no longer there, or is no file any more. */
const NO_SEGMENT: ReadonlySet<string> = new Set(['ENOENT', 'EISDIR', 'ENXIO', 'ELOOP', 'EINVAL', 'ENODEV'])

/** The last entry of a run that was closed. */
const CLOSED = { closed: true }

export class Segments {
  readonly #parts: SegmentsParts
  readonly #alarm: Clock['alarm']
  readonly #now: () => number
  /** From the oldest to the one that is written. */
  #segments: Segment[] = []
  #file: SegmentFile | null = null
  #queue: unknown[] = []
  #writing: Promise<void> | null = null
  #cancelBatch: (() => void) | null = null
  #cancelSync: (() => void) | null = null
  #lookedAt = 0
  #isFailing = false
  #isClosed = false

  /**
   * Reads the folder, and calls `take` with each entry of earlier runs, the oldest first; it may throw, then the entry
   * counts as damaged. A damaged segment is logged and kept aside, and so is one of a newer lvsd, and what cannot be read
   * at all. Rejects if something else than a folder is there and cannot be set aside.
   */
  static async open(parts: SegmentsParts, take: (value: unknown) => void): Promise<Left> {
    const segments = new Segments(parts)
    return { segments, wasClosed: await segments.#read(take) }
  }

  private constructor(parts: SegmentsParts) {
    this.#parts = parts
    this.#alarm = parts.clock?.alarm ?? systemClock.alarm
    this.#now = parts.now ?? Date.now
  }

  /** Queues an entry, a JSON value. Returns at once. */
  append(value: unknown): void {
    if (this.#isClosed) return
    this.#queue.push(value)
    if (this.#queue.length > MOST_QUEUED) this.#queue.shift()
    if (!this.#writing && !this.#isFailing) this.#writeIn(BATCH)
  }

  /** Writes what is queued now. Resolves to whether all is written. Never rejects. */
  async flush(): Promise<boolean> {
    await this.#write()
    return this.#queue.length === 0 && !this.#isFailing
  }

  /** Writes what is queued and the end. Resolves when that is done or impossible, or after `patience` milliseconds. */
  async close(patience: number): Promise<void> {
    if (this.#isClosed) return
    this.append(CLOSED)
    this.#isClosed = true
    await waitAtMost(patience, this.#closeFile())
  }

  async #closeFile(): Promise<void> {
    await this.#writing
    await this.#write()
    this.#cancelBatch?.()
    this.#cancelSync?.()
    await this.#leaveFile()
  }

  #writeIn(ms: number): void {
    this.#cancelBatch ??= this.#alarm(ms, () => {
      this.#cancelBatch = null
      void this.#write()
    })
  }

  /** One writer at a time. */
  #write(): Promise<void> {
    this.#cancelBatch?.()
    this.#cancelBatch = null
    this.#writing ??= this.#writeQueue().finally(() => {
      this.#writing = null
      if (this.#queue.length > 0 && !this.#isClosed) this.#writeIn(this.#isFailing ? RETRY : BATCH)
    })
    return this.#writing
  }

  async #writeQueue(): Promise<void> {
    // Entries that come meanwhile are the next batch, unless this one was a part of a crowd.
    for (let left = this.#queue.length; left > 0; left -= MOST_TOGETHER) {
      const batch = this.#queue.splice(0, Math.min(left, MOST_TOGETHER))
      try {
        await this.#put(await runSliced(linesOf(batch)))
      } catch (error) {
        this.#queue = [...batch, ...this.#queue].slice(-MOST_QUEUED)
        this.#reportFailure(error as Error)
        return
      }
      this.#reportSuccess()
    }
  }

  async #put(lines: readonly string[]): Promise<void> {
    const { segment, file } = await this.#segmentForMore()
    const bytes = Buffer.from(lines.join(''))
    try {
      await writeAt(file, bytes, segment.bytes)
    } catch (error) {
      // A part of it may be in the file. It is overwritten later, or cut off now if that is possible.
      await file.truncate(segment.bytes).catch(() => {})
      await this.#leaveFile()
      throw error
    }
    segment.bytes += bytes.length
    segment.lines += lines.length
    segment.writtenAt = this.#now()
    this.#syncSoon()
    if (this.#now() - this.#lookedAt > LOOK_FOR_OLD) await this.#deleteOld()
  }

  /** Returns the segment to write to, open: the last one, or a new one where that is full. */
  async #segmentForMore(): Promise<{ segment: Segment; file: SegmentFile }> {
    const { limits } = this.#parts
    const last = this.#segments.at(-1)
    if (last && !last.isFull && last.bytes < limits.segmentBytes && last.lines < limits.segmentLines) {
      this.#file ??= await this.#openAgain(last)
      if (this.#file) return { segment: last, file: this.#file }
    }
    await this.#leaveFile()
    return this.#begin((last?.number ?? 0) + 1)
  }

  /** Opens a segment of an earlier run, or after a failed write. Null if somebody has deleted or replaced it. */
  async #openAgain(segment: Segment): Promise<SegmentFile | null> {
    const { openFile = open } = this.#parts
    let file: SegmentFile | null = null
    try {
      file = await openFile(this.#pathOf(segment), AGAIN)
      await file.truncate(segment.bytes)
      return file
    } catch (error) {
      await file?.close().catch(() => {})
      if (!NO_SEGMENT.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      segment.isFull = true
      return null
    }
  }

  async #begin(number: number): Promise<{ segment: Segment; file: SegmentFile }> {
    const { folder, openFile = open } = this.#parts
    await makeFolder(folder, 0o700)
    const head = headOf(this.#parts)
    const segment = { number, lines: 0, bytes: head.length, isFull: false, writtenAt: this.#now() }
    const file = await openFile(this.#pathOf(segment), NEW)
    try {
      await writeAt(file, Buffer.from(head), 0)
    } catch (error) {
      await file.close().catch(() => {})
      throw error
    }
    this.#file = file
    this.#segments.push(segment)
    await syncFolder(folder)
    await this.#deleteOld()
    return { segment, file }
  }

  async #leaveFile(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.datasync().catch(() => {})
    await file?.close().catch(() => {})
  }

  #syncSoon(): void {
    this.#cancelSync ??= this.#alarm(SYNC, () => {
      this.#cancelSync = null
      // A disk that fails here fails at the next write too, and that is told.
      void this.#file?.datasync().catch(() => {})
    })
  }

  async #deleteOld(): Promise<void> {
    const { limits } = this.#parts
    this.#lookedAt = this.#now()
    const isExcess = ([oldest, ...rest]: readonly Segment[]) =>
      oldest !== undefined &&
      rest.length > 0 &&
      (sumOf([oldest, ...rest], 'bytes') > limits.bytes ||
        sumOf(rest, 'lines') >= limits.lines ||
        this.#now() - oldest.writtenAt > limits.age)
    while (isExcess(this.#segments)) {
      const [oldest] = this.#segments.splice(0, 1)
      if (oldest) await rm(this.#pathOf(oldest), { force: true }).catch(() => {})
    }
  }

  #pathOf({ number }: Pick<Segment, 'number'>): string {
    return join(this.#parts.folder, `${String(number).padStart(8, '0')}.log`)
  }

  #reportFailure({ message }: Error): void {
    if (this.#isFailing) return
    this.#isFailing = true
    const { log, folder, name } = this.#parts
    log.error(
      'state.failed',
      { file: folder, error: message },
      `the ${name} are in memory but cannot be written; lvsd tries again every ${RETRY / 1000} s`,
    )
  }

  #reportSuccess(): void {
    if (!this.#isFailing) return
    this.#isFailing = false
    const { log, folder, name } = this.#parts
    log.info('state.works', { file: folder }, `the ${name} are written`)
  }

  // ---------------------------------------------------------------- reading

  /** Returns whether the last run was closed. */
  async #read(take: (value: unknown) => void): Promise<boolean> {
    const names = await this.#names()
    if (names === null) return false
    const numbers = names
      .flatMap(name => (/^\d{8}\.log$/.test(name) ? [Number(name.slice(0, 8))] : []))
      .sort((a, b) => a - b)
    let wasClosed = numbers.length === 0
    for (const number of numbers) wasClosed = await this.#readSegment(number, number === numbers.at(-1), take)
    await this.#deleteOld()
    await this.#deleteAside(names)
    return wasClosed
  }

  /** Returns the names in the folder; null if something else was in its place. */
  async #names(): Promise<readonly string[] | null> {
    const { folder, log, name } = this.#parts
    try {
      return await readdir(folder)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return []
      const moved = setAside(folder, 'damaged')
      if (moved.startsWith('nowhere')) throw error
      log.error(
        'state.damaged',
        { file: folder, moved },
        `the folder of the ${name} cannot be read (${message}): lvsd starts with an empty one`,
      )
      return null
    }
  }

  async #readSegment(number: number, isLast: boolean, take: (value: unknown) => void): Promise<boolean> {
    const path = this.#pathOf({ number })
    const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: this.#now() }))
    if (this.#parts.readsLastAlone && !isLast) {
      this.#segments.push({ number, lines: 0, bytes: size, isFull: true, writtenAt: mtimeMs })
      return false
    }
    const text = await readText(path).catch((error: Error) => this.#leaveOut(path, error))
    if (text === null) {
      // The next segment gets a higher number, because this path may still be taken.
      this.#segments.push({ number, lines: 0, bytes: 0, isFull: true, writtenAt: mtimeMs })
      return false
    }
    const found = await runSliced(parseSegment(text, this.#parts, take))
    // What a process wrote when it was killed may end in the middle of a line, of the first too; no other segment may.
    if (isLast && found.bytes === 0) return false
    const segment = {
      number,
      lines: found.lines.length,
      bytes: found.bytes,
      isFull: false,
      writtenAt: mtimeMs,
    }
    const isDamaged = found.damaged > 0 || (found.isTorn && !isLast) || !found.hasHead
    if (isDamaged || found.isNewer) {
      const bytes = await this.#setAside(path, found)
      segment.isFull = bytes === null
      segment.bytes = bytes ?? found.bytes
    }
    this.#segments.push(segment)
    return found.wasClosed
  }

  #leaveOut(path: string, { message }: Error): null {
    const { log, name } = this.#parts
    const moved = setAside(path, 'damaged')
    const sentence = `a file of the ${name} cannot be read (${message}): lvsd goes on without its entries`
    log.error('state.damaged', { file: path, moved }, sentence)
    return null
  }

  /** Renames a segment that cannot be read completely, and writes what can be read. Returns the bytes of that, or null. */
  async #setAside(path: string, { isNewer, lines, damaged }: FoundEntries): Promise<number | null> {
    const { log, name } = this.#parts
    const moved = setAside(path, isNewer ? 'newer' : 'damaged')
    const what = isNewer ? 'was written by a newer lvsd' : 'is damaged'
    const lost = damaged > 0 ? `, ${damaged} cannot` : ''
    log.error(
      'state.damaged',
      { file: path, moved },
      `a file of the ${name} ${what}: ${lines.length} of its entries can be read and count${lost}`,
    )
    const text = [headOf(this.#parts), ...lines.map(line => `${line}\n`)].join('')
    const isWritten =
      !moved.startsWith('nowhere') &&
      (await writeDurably(path, text).then(
        () => true,
        () => false,
      ))
    return isWritten ? Buffer.byteLength(text) : null
  }

  async #deleteAside(names: readonly string[]): Promise<void> {
    const aside = names.filter(name => /^\d{8}\.log\.(damaged|newer)(\.\d)?$/.test(name)).sort()
    for (const name of aside.slice(0, -MOST_ASIDE))
      await rm(join(this.#parts.folder, name), { force: true }).catch(() => {})
  }
}

async function writeAt(file: Pick<FileHandle, 'write'>, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close().catch(() => {})
}

function sumOf(segments: readonly Segment[], what: 'bytes' | 'lines'): number {
  return segments.reduce((sum, segment) => sum + segment[what], 0)
}
