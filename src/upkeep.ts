/** What follows the files beside the configuration: the maintenance folder, and the configuration file itself. */
import type { Hooks } from './hooks.js'
import type { Log } from './log.js'
import { heldDown, type MaintenanceFolder, ReverseNames, watchMaintenance } from './maintenance.js'
import type { Config, Real } from './model.js'
import { watchFile } from './watch-file.js'

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
  #file: { path: string; watch: Promise<{ close(): void }> } | null = null

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** Takes over a configuration; folders and files that it still names go on being watched. */
  follow(config: Config): void {
    this.#config = config
    const { maintenancedir, autoreload, callback } = config.settings
    if (this.#folder?.path !== maintenancedir) this.#watchFolder(maintenancedir)
    this.#watchConfig(autoreload || callback !== null ? config.file : null)
    void this.refreshNames(false)
  }

  /** The servers of this configuration that are held down, each with the file that does it. */
  held(config: Config): Map<Real, string> {
    const reals = config.services.flatMap(service => service.reals)
    return heldDown(reals, this.#folder?.watched.files ?? new Set(), address => this.#names.of(address))
  }

  /** Looks up again what the real servers are called, where files are named after them. */
  async refreshNames(isFresh: boolean): Promise<void> {
    if (!this.#folder || !this.#config) return
    const reals = this.#config.services.flatMap(service => service.reals)
    const addresses = reals.flatMap(real => real.address ?? [])
    if (await this.#names.refresh(addresses, isFresh)) this.#parts.onHeld()
  }

  close(): void {
    this.#folder?.watched.close()
    void this.#file?.watch.then(watch => watch.close())
  }

  #watchFolder(path: string | null): void {
    this.#folder?.watched.close()
    const watch = (folder: string) => watchMaintenance(folder, this.#parts.log, () => this.#parts.onHeld())
    this.#folder = path === null ? null : { path, watched: watch(path) }
  }

  #watchConfig(path: string | null): void {
    if (this.#file?.path === path) return
    void this.#file?.watch.then(watch => watch.close())
    this.#file = path === null ? null : { path, watch: watchFile(path, () => this.#fileChanged()) }
  }

  #fileChanged(): void {
    if (!this.#config) return
    const { file, settings } = this.#config
    this.#parts.log.info({ file }, 'the configuration file has changed')
    if (settings.autoreload) this.#parts.onFile()
    if (settings.callback !== null) this.#parts.hooks.run('callback', settings.callback, [file])
  }
}
