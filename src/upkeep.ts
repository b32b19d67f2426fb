/** What follows the files beside the configuration: the maintenance folder, and the configuration file itself. */
import type { Hooks } from './hooks.js'
import type { Log } from './log.js'
import {
  heldDown,
  type MaintenanceFolder,
  maintenanceNames,
  ReverseNames,
  watchMaintenance,
} from './maintenance.js'
import type { Config, Real } from './model.js'
import { atMost } from './patience.js'
import { type Watched, watchFile } from './watch-file.js'

/** Milliseconds that a start waits for names, at most. */
const NAMES_PATIENCE = 2000

export interface UpkeepParts {
  readonly log: Log
  readonly hooks: Hooks
  /** Other servers are held down by files than before. */
  onHeld(): void
  /** The configuration file has changed, and is to be read again. */
  onFile(): void
}

export class Upkeep {
  readonly #parts: UpkeepParts
  readonly #names = new ReverseNames()
  #config: Config | null = null
  #folder: { readonly path: string; readonly watched: MaintenanceFolder } | null = null
  #file: { path: string; watch: { close(): void } } | null = null

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** Takes over a configuration and its text; folders and files that it still names go on being watched. */
  follow(config: Config, text: string): void {
    this.#config = config
    const { maintenancedir, autoreload, callback } = config.settings
    if (this.#folder?.path !== maintenancedir) this.#watchFolder(maintenancedir)
    this.#watchConfig(autoreload || callback !== null ? { path: config.file, text } : null)
    void this.refreshNames(false)
  }

  /** The servers of this configuration that are held down, each with the file that does it. */
  held(config: Config): Map<Real, string> {
    return heldDown(realsOf(config), this.#folder?.watched.files ?? new Set(), address =>
      this.#names.of(address),
    )
  }

  /** Looks up again what the real servers are called, where files are named after them. */
  async refreshNames(isFresh: boolean): Promise<void> {
    if (!this.#folder || !this.#config) return
    const addresses = realsOf(this.#config).flatMap(real => real.address ?? [])
    await this.#names.refresh(addresses, isFresh, () => this.#parts.onHeld())
  }

  /**
   * For a start: where a file in the folder may be named after a server's name, waits a moment for the names, so that no
   * passed check puts a server to work again that was held before.
   */
  async prepare(config: Config, text: string): Promise<void> {
    this.follow(config, text)
    const known = new Set(realsOf(config).flatMap(real => maintenanceNames(real, [])))
    if ([...(this.#folder?.watched.files ?? [])].every(file => known.has(file))) return
    await atMost(NAMES_PATIENCE, this.refreshNames(false))
  }

  close(): void {
    this.#folder?.watched.close()
    this.#file?.watch.close()
  }

  #watchFolder(path: string | null): void {
    this.#folder?.watched.close()
    const watch = (folder: string) => watchMaintenance(folder, this.#parts.log, () => this.#parts.onHeld())
    this.#folder = path === null ? null : { path, watched: watch(path) }
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
