/** Detects changes of a configuration's content, whatever method an editor or program uses. */
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import { Changes } from './changes.js'
import { type Content, digestOf } from './digest.js'
import type { Look, Places } from './looker.js'
import { openLooks } from './looks.js'

/**
 * The outcome of a change. `taken`: it was applied or finally refused. `unsettled`: nothing was done, because a file
 * may be incomplete. `later`: it was refused for a reason outside the files, which may change.
 */
export type Verdict = 'taken' | 'unsettled' | 'later'

export interface WatchParts {
  readonly log: Pick<Log, 'error' | 'warn' | 'info'>
  /** Called once for each new content. `writtenAt` is in wall-clock milliseconds. */
  onNew(writtenAt: number): void
  /** Decides on a change. Must not reject. */
  onChange(isSettled: boolean): Promise<Verdict>
  /** Reads the files; another one in tests. */
  readonly look?: (places: Places, digest: string) => Promise<Look>
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
}

/** Milliseconds between two looks. Polling works on every file system and detects renames; events do not. */
const EVERY = 1000
/** Milliseconds after which a change with the verdict `later` is tried again. */
const RETRY_AFTER = 10_000

/** The content that a load of the configuration has read. */
export interface Read {
  readonly text: string
  readonly included?: readonly Content[]
  readonly patterns?: readonly string[]
}

export class Watch {
  readonly file: string
  readonly #parts: WatchParts
  readonly #changes: Changes
  readonly #look: (places: Places, digest: string) => Promise<Look>
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #looks: Poller
  #places: Places
  #asked: { readonly digest: string; readonly isSettled: boolean; readonly again: number } | null = null
  /** The digest that a look found before the last reload, if nothing is left to do about it. */
  #taken: string | null = null
  #fault: string | null = null
  #isAsking = false
  #isConsidered = false
  #isClosed = false
  #closeLooks = () => {}

  /** `read` is the active configuration. It may be old: changes since it was read are detected. */
  constructor(file: string, read: Read, parts: WatchParts) {
    this.file = file
    this.#parts = parts
    this.#places = placesOf(file, read)
    this.#changes = new Changes(digestOf(contentsOf(file, read)))
    this.#look = parts.look ?? this.#openLooks()
    const { log, clock = systemClock } = parts
    this.#clock = clock
    this.#looks = new Poller('configuration file', () => this.#lookOnce(), { log, clock })
    this.#looks.every(EVERY)
  }

  /** Informs the watch that another component has read and handled this content. */
  considered(read: Read): void {
    // A file that cannot be parsed does not reveal which files it includes.
    if (read.included) this.#places = placesOf(this.file, read)
    const isNew = this.#changes.take(digestOf(contentsOf(this.file, read)))
    this.#isConsidered = true
    if (isNew && !this.#isAsking) this.#parts.onNew(Date.now())
  }

  close(): void {
    this.#isClosed = true
    void this.#looks.stop()
    this.#closeLooks()
  }

  /** Looks at the files. There is never more than one look at a time, because a file server may hang. */
  look(): Promise<void> {
    return this.#looks.now()
  }

  async #lookOnce(): Promise<void> {
    const look = await this.#look(this.#places, this.#changes.known)
    if (!this.#isClosed) await this.#judge(look)
  }

  async #judge(look: Look): Promise<void> {
    this.#reportFault(look.fault)
    const change = this.#changes.step(look, this.#clock.now())
    if (!change) return
    if (change.isNew) this.#parts.onNew(look.writtenAt)
    const { digest, isSettled } = change
    if (this.#asked?.digest === digest && !this.#isDue(isSettled)) return
    this.#isAsking = true
    this.#isConsidered = false
    const verdict = await this.#parts.onChange(isSettled)
    this.#isAsking = false
    // What was read meanwhile counts: it may be newer than this look. But not where the same look leads to it again: of a file that
    // cannot be parsed, the files that it includes are looked at and not read.
    if (verdict === 'taken' && (!this.#isConsidered || this.#taken === digest)) this.#changes.take(digest)
    this.#taken = verdict === 'taken' ? digest : null
    this.#asked =
      verdict === 'taken'
        ? null
        : { digest, isSettled, again: verdict === 'later' ? this.#clock.now() + RETRY_AFTER : Infinity }
  }

  /** True if the change should be tried again: it has settled since, or the waiting time is over. */
  #isDue(isSettled: boolean): boolean {
    if (!this.#asked) return true
    return (isSettled && !this.#asked.isSettled) || this.#clock.now() >= this.#asked.again
  }

  #reportFault(fault: string | null): void {
    if (fault !== null && this.#fault === null)
      this.#parts.log.warn(
        'config.unreadable',
        { fault },
        'the watched configuration cannot be read; lvsd tries again',
      )
    if (fault === null && this.#fault !== null)
      this.#parts.log.info('config.readable', {}, 'the configuration can be read again')
    this.#fault = fault
  }

  #openLooks(): (places: Places, digest: string) => Promise<Look> {
    const looks = openLooks()
    this.#closeLooks = looks.close
    return looks.look
  }
}

function placesOf(file: string, { included = [], patterns = [] }: Read): Places {
  return { file, included: included.map(({ path }) => path), patterns }
}

function contentsOf(file: string, { text, included = [] }: Read): readonly Content[] {
  return [{ path: file, text }, ...included]
}
