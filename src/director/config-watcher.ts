/** Watches the configuration file for `autoreload` and `callback`. */

import type { Config } from '../core/model.js'
import type { CommandQueue } from '../notify/command-queue.js'
import type { Log } from '../system/log.js'
import { type Read, type Verdict, Watch } from '../watch/watch.js'

/** A change within so many milliseconds after a callback is taken for its work, too. */
const ECHO = 1000
/** So often a callback is run for changes that are taken for its own: they may be of somebody else. */
const MOST_ECHOES = 3

export interface ConfigWatcherParts {
  readonly log: Log
  readonly commands: CommandQueue
  /** The configuration has changed, and is to be read again; `isSettled`: it is hardly half of a file. Never rejects. */
  onChange(isSettled: boolean): Promise<Verdict>
}

export class ConfigWatcher {
  readonly #parts: ConfigWatcherParts
  #config: Config | null = null
  #read: Read = { text: '' }
  #watch: Watch | null = null
  /** When the callback began and ended last, wall-clock milliseconds. */
  #called = { began: Number.POSITIVE_INFINITY, ended: Number.NEGATIVE_INFINITY }
  /** Changes that were made while a callback ran, one upon the other. */
  #echoes = 0

  constructor(parts: ConfigWatcherParts) {
    this.#parts = parts
  }

  /** Takes over a configuration; a file that it still names goes on being watched. */
  follow(config: Config): void {
    this.#config = config
    const { autoreload, callback } = config.settings
    this.#watchConfig(autoreload || callback !== null ? config.file : null)
  }

  /** The configuration has been read: what stands in it now is dealt with, whatever comes of it. */
  considered(read: Read): void {
    this.#read = read
    this.#watch?.considered(read)
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
      onNew: (writtenAt: number) => this.#told(writtenAt),
      onChange: (isSettled: boolean) => this.#changed(isSettled),
    }
    this.#watch = file === null ? null : new Watch(file, this.#read, parts)
  }

  async #changed(isSettled: boolean): Promise<Verdict> {
    return this.#config?.settings.autoreload ? this.#parts.onChange(isSettled) : 'taken'
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
    void this.#parts.commands.run('callback', callback, [file]).finally(() => {
      called.ended = Date.now()
    })
  }
}
