/**
 * Writes the file that a `track_file` of keepalived reads: 0 while this director has its network, and a negative number,
 * which lowers its priority, while it has not. The file is replaced as a whole, so keepalived never reads a part of it.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import type { Log } from '../../system/log.js'

export interface TrackFileParts {
  readonly log: Pick<Log, 'error' | 'info'>
}

export class TrackFile {
  readonly #log: TrackFileParts['log']
  #path: string | null = null
  /** What the file shall have; null: what it has, and 0 if it is missing. */
  #wanted: number | null = null
  /** What was written last; undefined: nothing yet. */
  #written: number | null | undefined
  #hasFailed = false
  #running: Promise<void> | null = null

  constructor({ log }: TrackFileParts) {
    this.#log = log
  }

  /** The value that was written last; null: none since the start. */
  get value(): number | null {
    return this.#written ?? null
  }

  /** A file that is no longer in the configuration gets 0: nobody would change it any more. */
  follow(path: string | null): void {
    if (path === this.#path) return
    const before = this.#path
    this.#path = path
    this.#written = undefined
    this.#wanted = null
    if (before !== null) void this.idle().then(() => replaceFile(before, 0).catch(() => {}))
  }

  /** Takes the value; null: it is not known yet, so the file keeps that of an earlier run. */
  set(value: number | null): void {
    if (value === null && this.#written !== undefined) return
    this.#wanted = value
    this.#write()
  }

  #write(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      // What was set after the last look at it; after a failure the next value is tried.
      if (this.#isDue && !this.#hasFailed) this.#write()
    })
  }

  get #isDue(): boolean {
    return this.#path !== null && this.#written !== this.#wanted
  }

  /** Resolves when the last value has been written, or could not be. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** The file stays as it is: a restart must not move an address. */
  close(): Promise<void> {
    return this.idle()
  }

  async #run(): Promise<void> {
    while (this.#path !== null && this.#written !== this.#wanted) {
      const [path, value] = [this.#path, this.#wanted]
      try {
        if (value === null) await writeFile(path, '0\n', { flag: 'wx', mode: 0o644 }).catch(unlessThere)
        else await replaceFile(path, value)
        if (this.#path === path) this.#written = value
        if (this.#hasFailed) this.#log.info('trackfile.works', { file: path }, `${path} can be written again`)
        this.#hasFailed = false
      } catch (error) {
        this.#tell(path, error as Error)
        return
      }
    }
  }

  #tell(path: string, { message }: Error): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#log.error(
      'trackfile.failed',
      { file: path, error: message },
      `keepalived is not told whether this director has its network: ${message}`,
    )
  }
}

async function replaceFile(path: string, value: number): Promise<void> {
  // What a killed process has left, or what somebody has put there: a link is removed, not followed.
  await rm(`${path}.new`, { force: true })
  await writeFile(`${path}.new`, `${value}\n`, { flag: 'wx', mode: 0o644 })
  await rename(`${path}.new`, path)
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
