/** What follows the files beside the configuration: the maintenance folder, and the configuration file itself. */

import type { Config, Real } from '../core/model.js'
import type { Resolver } from '../names/lookup.js'
import { ReverseDnsCache } from '../names/reverse-dns.js'
import type { CommandQueue } from '../notify/command-queue.js'
import { fileNamesFor, matchOverrides, unmatched } from '../overrides/maintenance.js'
import { MaintenanceFolder } from '../overrides/maintenance-folder.js'
import { MaintenanceNotes } from '../overrides/maintenance-notes.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { waitAtMost } from '../util/with-timeout.js'
import { type Read, type Verdict, Watch } from '../watch/watch.js'

/** Milliseconds that a start waits for the folder, and for names, at most. */
const PATIENCE = 2000
/** A change within so many milliseconds after a callback is taken for its work, too. */
const ECHO = 1000
/** So often a callback is run for changes that are taken for its own: they may be of somebody else. */
const MOST_ECHOES = 3

export interface UpkeepParts {
  readonly log: Log
  readonly hooks: CommandQueue
  readonly journal: Pick<Journal, 'maintenance' | 'recordMaintenance'>
  readonly resolver: Pick<Resolver, 'names'>
  /** Other servers are held down by files than before. */
  onHeld(): void
  /** The configuration has changed, and is to be read again; `isSettled`: it is hardly half of a file. Never rejects. */
  onFile(isSettled: boolean): Promise<Verdict>
}

export class Upkeep {
  readonly #parts: UpkeepParts
  readonly #names: ReverseDnsCache
  #config: Config | null = null
  /** Files that are the name of no server, told once. */
  readonly #strangers = new Set<string>()
  readonly #notes: MaintenanceNotes
  #folder: { readonly path: string; readonly watched: MaintenanceFolder } | null = null
  #read: Read = { text: '' }
  #watch: Watch | null = null
  /** When the callback began and ended last, wall-clock milliseconds. */
  #called = { began: Number.POSITIVE_INFINITY, ended: Number.NEGATIVE_INFINITY }
  /** Changes that were made while a callback ran, one upon the other. */
  #echoes = 0

  constructor(parts: UpkeepParts) {
    this.#parts = parts
    this.#notes = new MaintenanceNotes(() => parts.onHeld())
    const known = Object.entries(parts.journal.maintenance?.names ?? {})
    this.#names = new ReverseDnsCache(parts.resolver, known, () => parts.onHeld())
  }

  /** Takes over a configuration; folders and files that it still names go on being watched. */
  follow(config: Config): void {
    this.#config = config
    const { maintenancedir, autoreload, callback } = config.settings
    if ((this.#folder?.path ?? null) !== maintenancedir) this.#watchFolder(maintenancedir)
    this.#watchConfig(autoreload || callback !== null ? config.file : null)
    void this.refreshNames(false)
  }

  /** The configuration has been read: what stands in it now is dealt with, whatever comes of it. */
  considered(read: Read): void {
    this.#read = read
    this.#watch?.considered(read)
  }

  /** The servers of this configuration that are held down, each with the file that does it. */
  held(config: Config): Map<Real, string> {
    const watched = this.#folder?.watched
    const held = matchOverrides(realsOf(config), new Set(watched?.seen.files), address =>
      this.#names.of(address),
    )
    this.#remember(held)
    const note = watched?.trouble ? NOTES[watched.trouble] : ''
    if (watched) {
      this.#notes.follow(watched.seen.folder, watched.seen.files)
      void this.#tellUnmatched(config)
    }
    return new Map([...held].map(([real, file]) => [real, `${file}${note}${this.#notes.of(file)}`]))
  }

  /** Once for each file, and not before the names of all servers are known as far as they can be. */
  async #tellUnmatched(config: Config): Promise<void> {
    const find = () =>
      unmatched(realsOf(config), this.#folder?.watched.seen.files ?? [], address => this.#names.of(address))
    const candidates = new Set(find())
    for (const file of this.#strangers) if (!candidates.has(file)) this.#strangers.delete(file)
    if (this.#strangers.size === candidates.size) return
    await this.refreshNames(false)
    for (const file of find()) {
      if (config !== this.#config || this.#strangers.has(file)) continue
      this.#strangers.add(file)
      this.#parts.log.warn(
        'maintenance.unmatched',
        { folder: this.#folder?.path, file },
        'a file in the maintenance folder is named after no real server, and holds nobody down',
      )
    }
  }

  /** Looks up again what the real servers are called, where files are named after them. */
  async refreshNames(isFresh: boolean): Promise<void> {
    if (!this.#folder || !this.#config) return
    const addresses = realsOf(this.#config).flatMap(real => real.address ?? [])
    await this.#names.refresh(addresses, isFresh)
  }

  /**
   * For a start: waits a moment for the folder and, where a file in it may be named after a server's name, for the names,
   * so that no passed check puts a server to work again that was held before. What an earlier run has seen counts until
   * there are answers. `read` is null where the configuration is not what stands in its file: that is a change, too.
   */
  async prepare(config: Config, read: Read | null): Promise<void> {
    if (read) this.#read = read
    this.follow(config)
    if (!this.#folder) return
    const { watched } = this.#folder
    await waitAtMost(PATIENCE, watched.first)
    const known = new Set(realsOf(config).flatMap(real => fileNamesFor(real, [])))
    if (watched.seen.files.every(file => known.has(file))) return
    await waitAtMost(PATIENCE, this.refreshNames(false))
  }

  close(): void {
    this.#names.close()
    this.#folder?.watched.close()
    this.#watch?.close()
  }

  #watchFolder(folder: string | null): void {
    this.#folder?.watched.close()
    this.#folder = null
    if (folder === null) return
    const { log, journal } = this.#parts
    const onChange = () => this.#parts.onHeld()
    const remembered = journal.maintenance
    this.#folder = { path: folder, watched: new MaintenanceFolder({ folder, remembered, log, onChange }) }
  }

  /** What the next start needs to hold the same servers while neither the folder nor a name server answers. */
  #remember(held: ReadonlyMap<Real, string>): void {
    const watched = this.#folder?.watched
    if (!watched) {
      this.#keep(null)
      return
    }
    // Nothing has been seen yet: what an earlier run has seen counts on.
    if (watched.seen.device === null && watched.seen.files.length === 0) return
    const names: Record<string, readonly string[]> = {}
    for (const { address } of held.keys()) {
      const called = address ? this.#names.of(address) : []
      if (address && called.length > 0) names[address.text] = called
    }
    this.#keep({ ...watched.seen, names })
  }

  #keep(maintenance: Journal['maintenance']): void {
    try {
      this.#parts.journal.recordMaintenance(maintenance)
    } catch (error) {
      this.#parts.log.error(
        'maintenance.not-kept',
        { error: (error as Error).message },
        'which servers are held down cannot be kept for the next start',
      )
    }
  }

  #watchConfig(file: string | null): void {
    if ((this.#watch?.file ?? null) === file) return
    this.#watch?.close()
    const { log } = this.#parts
    const parts = {
      log,
      onNew: (writtenAt: number) => this.#told(writtenAt),
      onChange: (isSettled: boolean) => this.#changed(isSettled),
    }
    this.#watch = file === null ? null : new Watch(file, this.#read, parts)
  }

  async #changed(isSettled: boolean): Promise<Verdict> {
    return this.#config?.settings.autoreload ? this.#parts.onFile(isSettled) : 'taken'
  }

  #told(writtenAt: number): void {
    if (!this.#config) return
    const { file, settings } = this.#config
    this.#parts.log.info('config.changed', { file }, 'the configuration file has changed')
    if (settings.callback !== null) this.#call(settings.callback, file, writtenAt)
  }

  /** A callback that changes the configuration itself would be run for that again, and so on without end. */
  #call(callback: string, file: string, writtenAt: number): void {
    const isEcho = writtenAt >= this.#called.began && writtenAt <= this.#called.ended + ECHO
    this.#echoes = isEcho ? this.#echoes + 1 : 0
    if (this.#echoes > MOST_ECHOES) {
      if (this.#echoes === MOST_ECHOES + 1)
        this.#parts.log.error(
          'callback.loop',
          { callback, file },
          'the callback changes the configuration each time that it is run: it is not run for that any more',
        )
      return
    }
    const called = { began: Date.now(), ended: Number.POSITIVE_INFINITY }
    this.#called = called
    void this.#parts.hooks.run('callback', callback, [file]).finally(() => {
      called.ended = Date.now()
    })
  }
}

function realsOf({ services }: Config): readonly Real[] {
  return services.flatMap(({ reals }) => reals)
}

const NOTES = {
  gone: ' (its folder is gone)',
  elsewhere: ' (its folder is empty, on another file system)',
  unreadable: ' (its folder cannot be read)',
  silent: ' (its folder does not answer)',
} as const
