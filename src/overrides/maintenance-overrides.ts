/** Overrides from the maintenance folder: a file named after a real server holds that server down. */

import { join } from 'node:path'
import type { ResolvedConfig, ResolvedReal } from '../core/model.js'
import type { FolderTrouble, Override } from '../core/override.js'
import type { Resolver } from '../names/lookup.js'
import { ReverseDnsCache } from '../names/reverse-dns.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import { waitAtMost } from '../util/with-timeout.js'
import { MaintenanceFolder } from './maintenance-folder.js'
import { MaintenanceNotes } from './maintenance-notes.js'
import { fileNamesFor, matchOverrides, unmatched } from './matching-files.js'

/** Maximum milliseconds for which a start waits for the folder, and again for names. */
const PATIENCE = 2000

export interface MaintenanceParts {
  readonly log: Log
  readonly journal: Pick<Journal, 'maintenance' | 'recordMaintenance'>
  readonly resolver: Pick<Resolver, 'names'>
  /** Called when the held servers or their reasons may have changed. */
  onChange(): void
  readonly clock?: Pick<Clock, 'alarm'>
}

export class MaintenanceOverrides {
  readonly #parts: MaintenanceParts
  readonly #names: ReverseDnsCache
  readonly #nameRounds: Poller
  #config: ResolvedConfig | null = null
  /** Files that match no real server and have been logged. */
  readonly #strangers = new Set<string>()
  readonly #notes: MaintenanceNotes
  readonly #since = new Map<string, number>()
  /** True while the journal cannot be written: logged once. */
  #isUnkept = false
  #folder: { readonly path: string; readonly watched: MaintenanceFolder } | null = null

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
    const { log, clock = systemClock } = parts
    this.#nameRounds = new Poller('names of servers', () => this.#refreshNames(true), { log, clock })
    this.#notes = new MaintenanceNotes(() => parts.onChange())
    const known = Object.entries(parts.journal.maintenance?.names ?? {})
    this.#names = new ReverseDnsCache(parts.resolver, known, () => parts.onChange())
  }

  /** Takes a configuration. The watch continues if the folder is the same. */
  follow(config: ResolvedConfig): void {
    this.#config = config
    const { maintenancedir } = config.settings
    if ((this.#folder?.path ?? null) !== maintenancedir) this.#watchFolder(maintenancedir)
    void this.#refreshNames(false)
  }

  /** Returns an override for each real server of this configuration that a file of the folder matches. */
  overrides(config: ResolvedConfig): Map<ResolvedReal, Override> {
    const folder = this.#folder
    if (!folder) {
      this.#keep(null)
      this.#since.clear()
      return new Map()
    }
    const { path, watched } = folder
    const held = matchOverrides(realsOf(config), new Set(watched.seen.files), address =>
      this.#names.of(address),
    )
    this.#remember(held, watched)
    const files = new Set(held.values())
    for (const file of this.#since.keys()) if (!files.has(file)) this.#since.delete(file)
    this.#notes.follow(watched.seen.folder, watched.seen.files)
    void this.#reportUnmatched(config)
    return new Map(
      [...held].map(([real, file]) => [real, this.#overrideBy(file, { path, trouble: watched.trouble })]),
    )
  }

  #overrideBy(file: string, folder: NonNullable<Override['folder']>): Override {
    const { path, trouble } = folder
    const reasons = [trouble ? noteOf(trouble, path) : '', this.#notes.of(file)]
    return {
      effect: { kind: 'force-down' },
      source: 'file',
      who: join(path, file),
      reason: reasons.filter(reason => reason !== '').join('; '),
      since: this.#sinceOf(file),
      until: null,
      folder,
    }
  }

  /** Returns the time at which the file was first seen, in milliseconds of the wall clock. */
  #sinceOf(file: string): number {
    const since = this.#since.get(file) ?? Date.now()
    this.#since.set(file, since)
    return since
  }

  /** Logs each file that matches no real server, once, after the names of all real servers have been looked up. */
  async #reportUnmatched(config: ResolvedConfig): Promise<void> {
    const find = () =>
      unmatched(realsOf(config), this.#folder?.watched.seen.files ?? [], address => this.#names.of(address))
    const candidates = new Set(find())
    for (const file of this.#strangers) if (!candidates.has(file)) this.#strangers.delete(file)
    if (this.#strangers.size === candidates.size) return
    await this.#refreshNames(false)
    for (const file of find()) {
      if (config !== this.#config || this.#strangers.has(file)) continue
      this.#strangers.add(file)
      this.#parts.log.warn(
        'maintenance.unmatched',
        { folder: this.#folder?.path, file },
        'a file in the maintenance folder does not match any real server and has no effect',
      )
    }
  }

  /** Looks up the names of the real servers again every `ms` milliseconds, until `close`. */
  refreshNamesEvery(ms: number): void {
    this.#nameRounds.every(ms)
  }

  /** Looks up the names of the real servers' addresses, if there is a folder. `isFresh` repeats known ones too. */
  async #refreshNames(isFresh: boolean): Promise<void> {
    if (!this.#folder || !this.#config) return
    const addresses = realsOf(this.#config).flatMap(real => real.address ?? [])
    await this.#names.refresh(addresses, isFresh)
  }

  /**
   * Prepares a start: waits for the folder and, if a file may be named after a server's DNS name, for the names. Without
   * this, a passed check could bring a held server into service. Content from an earlier run is valid until the results
   * arrive.
   */
  async prepare(config: ResolvedConfig): Promise<void> {
    this.follow(config)
    if (!this.#folder) return
    const { watched } = this.#folder
    await waitAtMost(PATIENCE, watched.first)
    const known = new Set(realsOf(config).flatMap(real => fileNamesFor(real, [])))
    if (watched.seen.files.every(file => known.has(file))) return
    await waitAtMost(PATIENCE, this.#refreshNames(false))
  }

  close(): void {
    void this.#nameRounds.stop()
    this.#names.close()
    this.#folder?.watched.close()
  }

  #watchFolder(folder: string | null): void {
    this.#folder?.watched.close()
    this.#folder = null
    if (folder === null) return
    const { log, journal } = this.#parts
    const onChange = () => this.#parts.onChange()
    const remembered = journal.maintenance
    this.#folder = { path: folder, watched: new MaintenanceFolder({ folder, remembered, log, onChange }) }
  }

  /** Stores what the next start needs to hold the same servers if neither the folder nor a name server responds. */
  #remember(held: ReadonlyMap<ResolvedReal, string>, watched: MaintenanceFolder): void {
    // The folder has not been read yet: the stored content of an earlier run stays.
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
      this.#isUnkept = false
    } catch (error) {
      if (!this.#isUnkept)
        this.#parts.log.error(
          'maintenance.not-kept',
          { error: (error as Error).message },
          'the overrides cannot be saved for the next start',
        )
      this.#isUnkept = true
    }
  }
}

function realsOf({ services }: ResolvedConfig): readonly ResolvedReal[] {
  return services.flatMap(({ reals }) => reals)
}

function noteOf(trouble: FolderTrouble, folder: string): string {
  const notes = {
    gone: `its folder ${folder} is missing: create it again to release the server`,
    elsewhere: `its folder ${folder} is empty, on another file system: put any file into it to release the server`,
    unreadable: `its folder ${folder} cannot be read`,
    silent: `its folder ${folder} does not answer`,
  } as const
  return notes[trouble]
}
