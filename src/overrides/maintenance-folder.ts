/**
 * Polls the maintenance folder, whose files hold real servers down. Its last content stays valid if the folder is lost.
 */
import { readdir, stat } from 'node:fs/promises'
import type { FolderTrouble } from '../core/override.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'

/** The last valid content of the folder. The journal keeps it across restarts. */
export interface Seen {
  readonly folder: string
  /** Device number of the folder's file system; null before the first read. */
  readonly device: string | null
  readonly files: readonly string[]
}

/** Result of one read of the folder: the files, or an error code. */
export type Look = { readonly device: string; readonly files: readonly string[] } | { readonly code: string }

/** Reason why the last content stays valid; null if the present content counts. */
export type Trouble = FolderTrouble | null

/** Entries of a new, empty file system. */
const OF_FILE_SYSTEMS: ReadonlySet<string> = new Set(['lost+found'])

/**
 * Returns the valid content after a read. Pure.
 *
 *   the folder                                            valid content
 *   exists                                                the present content
 *   is missing, and had no files                          empty
 *   is missing, and had files                             the last content
 *   is empty, on another file system than the files were  the last content
 *   cannot be read                                        the last content
 *
 * An unmounted file system matches the third or the fourth line, so it releases no server.
 */
export function judgeLook(seen: Seen, look: Look): { readonly seen: Seen; readonly trouble: Trouble } {
  const hadFiles = seen.files.length > 0
  if ('code' in look) {
    if (look.code !== 'ENOENT') return { seen, trouble: 'unreadable' }
    return { seen, trouble: hadFiles ? 'gone' : null }
  }
  const isEmpty = look.files.every(file => OF_FILE_SYSTEMS.has(file))
  const isElsewhere = seen.device !== null && seen.device !== look.device
  if (hadFiles && isEmpty && isElsewhere) return { seen, trouble: 'elsewhere' }
  return { seen: { ...seen, ...look }, trouble: null }
}

export interface FolderParts {
  readonly folder: string
  /** Content from an earlier run. Ignored if it is of another folder. */
  readonly remembered: Seen | null
  readonly log: Log
  /** Called when the valid content or the trouble changes. */
  onChange(): void
  readonly look?: (folder: string) => Promise<Look>
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
}

/** Milliseconds between two reads of the folder. */
const EVERY = 1000
/** Milliseconds after which a read that has not finished is reported as the trouble `silent`. */
const PATIENCE = 5000
/** Milliseconds between two log lines about the same trouble. */
const TELL_EVERY = 60_000

export class MaintenanceFolder {
  readonly #parts: FolderParts
  readonly #look: (folder: string) => Promise<Look>
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #looks: Poller
  /** Reports that the current read takes too long. */
  #silence: Poller | null = null
  #seen: Seen
  #trouble: Trouble = null
  #toldAt = Number.NEGATIVE_INFINITY
  #isClosed = false
  /** Resolves when the first read has ended. */
  readonly first: Promise<void>

  constructor(parts: FolderParts) {
    this.#parts = parts
    this.#look = parts.look ?? lookInto
    this.#clock = parts.clock ?? systemClock
    const { folder, remembered } = parts
    this.#seen = remembered?.folder === folder ? remembered : { folder, device: null, files: [] }
    const { log } = parts
    this.#looks = new Poller('maintenance folder', () => this.#lookOnce(), { log, clock: this.#clock })
    this.#looks.every(EVERY)
    this.first = this.look()
  }

  get seen(): Seen {
    return this.#seen
  }

  get trouble(): Trouble {
    return this.#trouble
  }

  close(): void {
    this.#isClosed = true
    void this.#looks.stop()
    void this.#silence?.stop()
  }

  /** Reads the folder now. Reads never overlap, because a read that hangs blocks a thread of libuv's pool. */
  look(): Promise<void> {
    return this.#looks.now()
  }

  async #lookOnce(): Promise<void> {
    const { folder, log } = this.#parts
    const tell = () => this.#take(this.#seen, 'silent')
    const silence = new Poller('silent maintenance folder', tell, { log, clock: this.#clock })
    silence.every(PATIENCE)
    this.#silence = silence
    const look = await this.#look(folder).finally(() => silence.stop())
    if (this.#isClosed) return
    const { seen, trouble } = judgeLook(this.#seen, look)
    this.#take(seen, trouble)
  }

  #take(seen: Seen, trouble: Trouble): void {
    const isNews = trouble !== this.#trouble || !isSame(seen, this.#seen)
    this.#seen = seen
    this.#report(trouble)
    this.#trouble = trouble
    if (isNews) this.#parts.onChange()
  }

  #report(trouble: Trouble): void {
    const { log, folder } = this.#parts
    const files = this.#seen.files.slice(0, 10)
    if (trouble === null && this.#trouble !== null)
      log.info('maintenance.folder-works', { folder, files }, 'the maintenance folder can be read again')
    if (trouble === null) return
    if (trouble === this.#trouble && this.#clock.now() - this.#toldAt < TELL_EVERY) return
    this.#toldAt = this.#clock.now()
    log.error('maintenance.folder-failed', { folder, files }, SENTENCES[trouble])
  }
}

const SENTENCES: Readonly<Record<FolderTrouble, string>> = {
  gone: 'the maintenance folder is missing: the real servers that its files held down stay down. To release them, create the folder again (mkdir), or remove maintenancedir from the configuration',
  elsewhere:
    'the maintenance folder is empty and on another file system than before: the real servers that its files held down stay down. To release them, put any file into the folder, or remove maintenancedir from the configuration',
  unreadable: 'the maintenance folder cannot be read: its last known content stays in effect',
  silent: 'the maintenance folder does not answer: its last known content stays in effect',
}

function isSame(a: Seen, b: Seen): boolean {
  return (
    a.device === b.device &&
    a.files.length === b.files.length &&
    a.files.every(file => b.files.includes(file))
  )
}

async function lookInto(folder: string): Promise<Look> {
  try {
    const { dev } = await stat(folder)
    return { device: String(dev), files: (await readdir(folder)).sort() }
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'error' }
  }
}
