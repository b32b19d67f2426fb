/** What people write into the files of the maintenance folder: who works there, and why. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { harmless } from '../util/foreign-text.js'

/** Bytes of a file that are looked at. */
const MOST = 1024
/** Files that are read; those after them have no note. */
const MOST_FILES = 200

/** Reads them aside; nothing waits for them. */
export class MaintenanceNotes {
  #notes = new Map<string, string>()
  readonly #onNews: () => void

  /** `onNews`: a note is known that was not before. */
  constructor(onNews: () => void) {
    this.#onNews = onNews
  }

  /** `: disk swap, Anna`; empty where the file is, or cannot be read. */
  of(file: string): string {
    const note = this.#notes.get(file) ?? ''
    return note === '' ? '' : `: ${note}`
  }

  /** The files now. One that is known is not read again. */
  follow(folder: string, files: readonly string[]): void {
    const known = this.#notes
    const wanted = files.slice(0, MOST_FILES)
    const unread = wanted.filter(file => !known.has(file))
    this.#notes = new Map(wanted.map(file => [file, known.get(file) ?? '']))
    if (unread.length > 0) void this.#read(folder, unread)
  }

  async #read(folder: string, files: readonly string[]): Promise<void> {
    let isNews = false
    for (const file of files) {
      const note = await firstLineOf(join(folder, file)).catch(() => '')
      if (note === '' || !this.#notes.has(file)) continue
      this.#notes.set(file, note)
      isNews = true
    }
    if (isNews) this.#onNews()
  }
}

async function firstLineOf(path: string): Promise<string> {
  const opened = await open(path, 'r')
  try {
    if (!(await opened.stat()).isFile()) return ''
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(MOST), 0, MOST, 0)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    return harmless(lines.find(line => line.trim() !== '') ?? '').slice(0, 200)
  } finally {
    await opened.close()
  }
}
