/** Watches the configuration file for `autoreload` and `callback`. */

import type { Config } from '../core/model.js'
import type { CommandQueue } from '../notify/command-queue.js'
import type { Log } from '../system/log.js'
import type { FileChanges } from '../watch/file-changes.js'
import { type Read, type Verdict, type Waits, Watch } from '../watch/watch.js'

/** Milliseconds. A change during a callback, or within this time after it, counts as made by the callback: an echo. */
const ECHO = 1000
/** Maximum number of consecutive echoes for which the callback is run. They may be changes by someone else. */
const MOST_ECHOES = 3

export interface ConfigWatcherParts {
  readonly log: Log
  readonly commands: CommandQueue
  /**
   * Called to read the changed configuration again. `isSettled` is true if an incomplete file is unlikely. Never
   * rejects.
   */
  onChange(isSettled: boolean): Promise<Verdict>
  /** Called when the files are again as they were read. Never rejects. */
  onSame(): Promise<void>
}

export class ConfigWatcher {
  readonly #parts: ConfigWatcherParts
  #config: Config | null = null
  #read: Read = { text: '' }
  #watch: Watch | null = null
  /** Begin and end of the last callback, in wall-clock milliseconds. */
  #called = { began: Number.POSITIVE_INFINITY, ended: Number.NEGATIVE_INFINITY }
  /** Number of consecutive echoes. */
  #echoes = 0

  constructor(parts: ConfigWatcherParts) {
    this.#parts = parts
  }

  /** Takes a configuration. The watch continues if the file is the same. */
  follow(config: Config): void {
    this.#config = config
    const { autoreload, callback } = config.settings
    this.#watchConfig(autoreload || callback !== null ? config.file : null)
  }

  /** Informs the watch that this content has been read and handled, whatever the outcome. */
  considered(read: Read): void {
    this.#read = read
    this.#watch?.considered(read)
  }

  /** A change that waits because a file may be incomplete; null: none does. */
  get waits(): Waits | null {
    return this.#watch?.waits ?? null
  }

  close(): void {
    this.#watch?.close()
  }

  #watchConfig(file: string | null): void {
    if ((this.#watch?.file ?? null) === file) return
    this.#watch?.close()
    const { log } = this.#parts
    const parts = {
      log,
      onNew: (writtenAt: number, changes: FileChanges) => this.#told(writtenAt, changes),
      onChange: (isSettled: boolean) => this.#changed(isSettled),
      onSame: async () => {
        if (this.#config?.settings.autoreload) await this.#parts.onSame()
      },
    }
    this.#watch = file === null ? null : new Watch(file, this.#read, parts)
  }

  async #changed(isSettled: boolean): Promise<Verdict> {
    return this.#config?.settings.autoreload ? this.#parts.onChange(isSettled) : 'taken'
  }

  #told(writtenAt: number, changes: FileChanges): void {
    if (!this.#config) return
    const { file, settings } = this.#config
    const { file: changed, text } = changes
    this.#parts.log.info('config.changed', { file: changed }, `the configuration has changed: ${text}`)
    if (settings.callback !== null) this.#call(settings.callback, file, writtenAt)
  }

  /** Runs the callback, except after too many echoes: a callback that changes the configuration would run endlessly. */
  #call(callback: string, file: string, writtenAt: number): void {
    const isEcho = writtenAt >= this.#called.began && writtenAt <= this.#called.ended + ECHO
    this.#echoes = isEcho ? this.#echoes + 1 : 0
    if (this.#echoes > MOST_ECHOES) {
      if (this.#echoes === MOST_ECHOES + 1)
        this.#parts.log.error(
          'callback.loop',
          { callback, file },
          'the callback changes the configuration at each run; lvsd no longer runs it for these changes',
        )
      return
    }
    const called = { began: Date.now(), ended: Number.POSITIVE_INFINITY }
    this.#called = called
    void this.#parts.commands.run('callback', callback, [file]).finally(() => {
      called.ended = Date.now()
    })
  }
}
