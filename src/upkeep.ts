/** What follows the files beside the configuration: the maintenance folder, and the configuration file itself. */
import type { Hooks } from './hooks.js'
import type { Journal } from './journal/journal.js'
import type { Log } from './log.js'
import { heldDown, maintenanceNames } from './maintenance.js'
import { MaintenanceFolder } from './maintenance-folder.js'
import type { Config, Real } from './model.js'
import type { Resolver } from './names/resolver.js'
import { ReverseNames } from './names/reverse.js'
import { atMost } from './patience.js'
import { type Watched, watchFile } from './watch-file.js'

/** Milliseconds that a start waits for the folder, and for names, at most. */
const PATIENCE = 2000

export interface UpkeepParts {
  readonly log: Log
  readonly hooks: Hooks
  readonly journal: Pick<Journal, 'maintenance' | 'recordMaintenance'>
  readonly resolver: Pick<Resolver, 'names'>
  /** Other servers are held down by files than before. */
  onHeld(): void
  /** The configuration file has changed, and is to be read again. */
  onFile(): void
}

export class Upkeep {
  readonly #parts: UpkeepParts
  readonly #names: ReverseNames
  #config: Config | null = null
  #folder: { readonly path: string; readonly watched: MaintenanceFolder } | null = null
  #file: { path: string; watch: { close(): void } } | null = null

  constructor(parts: UpkeepParts) {
    this.#parts = parts
    const known = Object.entries(parts.journal.maintenance?.names ?? {})
    this.#names = new ReverseNames(parts.resolver, known, () => parts.onHeld())
  }

  /** Takes over a configuration and its text; folders and files that it still names go on being watched. */
  follow(config: Config, text: string): void {
    this.#config = config
    const { maintenancedir, autoreload, callback } = config.settings
    if ((this.#folder?.path ?? null) !== maintenancedir) this.#watchFolder(maintenancedir)
    this.#watchConfig(autoreload || callback !== null ? { path: config.file, text } : null)
    void this.refreshNames(false)
  }

  /** The servers of this configuration that are held down, each with the file that does it. */
  held(config: Config): Map<Real, string> {
    const watched = this.#folder?.watched
    const held = heldDown(realsOf(config), new Set(watched?.seen.files), address => this.#names.of(address))
    this.#remember(held)
    const note = watched?.trouble ? NOTES[watched.trouble] : ''
    return new Map([...held].map(([real, file]) => [real, `${file}${note}`]))
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
   * there are answers.
   */
  async prepare(config: Config, text: string): Promise<void> {
    this.follow(config, text)
    if (!this.#folder) return
    const { watched } = this.#folder
    await atMost(PATIENCE, watched.first)
    const known = new Set(realsOf(config).flatMap(real => maintenanceNames(real, [])))
    if (watched.seen.files.every(file => known.has(file))) return
    await atMost(PATIENCE, this.refreshNames(false))
  }

  close(): void {
    this.#names.close()
    this.#folder?.watched.close()
    this.#file?.watch.close()
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
        { error: (error as Error).message },
        'which servers are held down cannot be kept for the next start',
      )
    }
  }

  #watchConfig(file: Watched | null): void {
    if (this.#file?.path === file?.path) return
    this.#file?.watch.close()
    this.#file = file && { path: file.path, watch: watchFile(file, () => this.#fileChanged()) }
  }

  #fileChanged(): void {
    if (!this.#config) return
    const { file, settings } = this.#config
    this.#parts.log.info({ file }, 'the configuration file has changed')
    if (settings.autoreload) this.#parts.onFile()
    if (settings.callback !== null) this.#parts.hooks.run('callback', settings.callback, [file])
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
