/** Notes in the files of the maintenance folder: the first line of each, such as who works on the server, and why. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { harmless } from '../util/foreign-text.js'

/** Maximum bytes that are read of a file. */
const MOST = 1024
/** Maximum number of files that are read. Further files have no note. */
const MOST_FILES = 200

/** Reads the notes in the background. */
export class MaintenanceNotes {
  #notes = new Map<string, string>()
  readonly #onNews: () => void

  /** `onNews` is called when new notes have been read. */
  constructor(onNews: () => void) {
    this.#onNews = onNews
  }

  /** Returns `disk swap, Anna`; '' if the file is empty, unreadable, or not read yet. */
  of(file: string): string {
    return this.#notes.get(file) ?? ''
  }

  /** Takes the present list of files. A known file is not read again. */
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
