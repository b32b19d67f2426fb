/** Detects changes of a configuration's content, whatever method an editor or program uses. */
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import { Changes, SETTLED_AFTER } from './changes.js'
import { type Content, type Hashed, hashedOf } from './digest.js'
import { type FileChanges, KnownFiles } from './file-changes.js'
import type { Look, Places } from './looker.js'
import { openLooks } from './looks.js'

/**
 * The outcome of a change. `taken`: it was applied or finally refused. `unsettled`: nothing was done, because a file
 * may be incomplete. `later`: it was refused for a reason outside the files, which may change.
 */
export type Verdict = 'taken' | 'unsettled' | 'later'

/** A change that waits. */
export interface Waits {
  /** The changed files, for people. */
  readonly files: string
  /** Milliseconds until it is applied, if there is no further change. */
  readonly left: number
}

export interface WatchParts {
  readonly log: Pick<Log, 'error' | 'warn' | 'info'>
  /** Called once for each new content. `writtenAt` is in wall-clock milliseconds. */
  onNew(writtenAt: number, changes: FileChanges): void
  /** Decides on a change, or on files that cannot be read. Must not reject. */
  onChange(isSettled: boolean): Promise<Verdict>
  /** Called when the files are again as before, after they were missing, unreadable or different. Must not reject. */
  onSame(): Promise<void>
  /** Reads the files; another one in tests. */
  readonly look?: (places: Places, digest: string) => Promise<Look>
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
}

/** Milliseconds between two looks. Polling works on every file system and detects renames; events do not. */
const EVERY = 1000
/** Milliseconds after which a change with the verdict `later` is tried again. */
const RETRY_AFTER = 10_000

/** Reloads after which a content that none of them has read counts as handled, so that it is not read each second for ever. */
const MOST_UNREAD = 5

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
  /** What counts as handled, as in `#changes`. */
  readonly #known: KnownFiles
  readonly #look: (places: Places, digest: string) => Promise<Look>
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #looks: Poller
  #places: Places
  #asked: { readonly digest: string; readonly isSettled: boolean; readonly again: number } | null = null
  /** How often in a row a look has found the one content, and the reload that followed has read the other. */
  #unread: { readonly look: string; readonly read: string; readonly times: number } | null = null
  #fault: string | null = null
  /** Number of looks in a row that found no file. */
  #missing = 0
  /** True if the last look found something else than what was known, or is known since. */
  #wasOther = false
  #isAsking = false
  /** The digest of what was read since a look has led to a reload. */
  #considered: string | null = null
  #isClosed = false
  /** The files of a change that was not applied, because it may be incomplete. */
  #waiting: string | null = null
  #closeLooks = () => {}

  /** `read` is the active configuration. It may be old: changes since it was read are detected. */
  constructor(file: string, read: Read, parts: WatchParts) {
    this.file = file
    this.#parts = parts
    this.#places = placesOf(file, read)
    this.#known = new KnownFiles(file)
    this.#known.take(hashedIn(file, read))
    this.#changes = new Changes(this.#known.digest)
    this.#look = parts.look ?? this.#openLooks()
    const { log, clock = systemClock } = parts
    this.#clock = clock
    this.#looks = new Poller('configuration file', () => this.#lookOnce(), { log, clock })
    this.#looks.every(EVERY)
  }

  /** The change that waits because a file may be incomplete. */
  get waits(): Waits | null {
    if (this.#waiting === null) return null
    return { files: this.#waiting, left: Math.max(0, this.#changes.settlesAt - this.#clock.now()) }
  }

  /** Informs the watch that another component has read and handled this content. */
  considered(read: Read): void {
    // A file that cannot be parsed does not reveal which files it includes.
    if (read.included) this.#places = placesOf(this.file, read)
    const files = hashedIn(this.file, read)
    const changes = this.#known.take(files, { isPart: !read.included })
    this.#considered = this.#known.digest
    const isNew = this.#changes.take(this.#considered)
    this.#wasOther = false
    this.#waiting = null
    if (this.#isAsking) return
    this.#unread = null
    if (isNew) this.#parts.onNew(Date.now(), changes)
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
    // A reload refuses it, which the status shows while it lasts.
    if (this.#reportFault(look)) await this.#parts.onChange(false)
    const isOther = look.digest !== this.#changes.known
    const isAgain = this.#wasOther && !isOther
    this.#wasOther = isOther
    if (!isOther) this.#waiting = null
    const change = this.#changes.step(look, this.#clock.now())
    if (isAgain) await this.#parts.onSame()
    if (!change) return
    const changes = this.#known.changesIn(look.files)
    if (change.isNew) this.#parts.onNew(look.writtenAt, changes)
    const { digest, isSettled } = change
    if (this.#asked?.digest === digest && !this.#isDue(isSettled)) return
    this.#isAsking = true
    this.#considered = null
    const verdict = await this.#parts.onChange(isSettled)
    this.#isAsking = false
    this.#waiting = verdict === 'unsettled' ? changes.text : null
    if (verdict === 'unsettled')
      this.#parts.log.info(
        'config.waits',
        { file: changes.file },
        `the changed configuration (${changes.text}) has fewer real servers or lines, and may be incomplete: lvsd applies it after ${SETTLED_AFTER / 1000} s without a change, or at lvsd reload`,
      )
    if (verdict === 'taken' && this.#isHandled(digest)) {
      this.#changes.take(digest)
      this.#known.take(look.files)
      this.#unread = null
      this.#wasOther = false
    }
    this.#asked =
      verdict === 'taken'
        ? null
        : { digest, isSettled, again: verdict === 'later' ? this.#clock.now() + RETRY_AFTER : Infinity }
  }

  /**
   * True if nothing is left to do about what a look has found. Another content that was read meanwhile counts, and may be newer than the
   * look, unless the same look leads to it again and again.
   */
  #isHandled(digest: string): boolean {
    const read = this.#considered
    if (read === null || read === digest) return true
    const { look, read: before, times } = this.#unread ?? { look: '', read: '', times: 0 }
    this.#unread = { look: digest, read, times: look === digest && before === read ? times + 1 : 1 }
    return this.#unread.times >= MOST_UNREAD
  }

  /** True if the change should be tried again: it has settled since, or the waiting time is over. */
  #isDue(isSettled: boolean): boolean {
    if (!this.#asked) return true
    return (isSettled && !this.#asked.isSettled) || this.#clock.now() >= this.#asked.again
  }

  /** Returns true if it is new that the files cannot be read. */
  #reportFault({ digest, fault: unreadable }: Look): boolean {
    this.#missing = digest === null && unreadable === null ? this.#missing + 1 : 0
    // A program that replaces the file may leave a moment without one.
    if (this.#missing === 1) return false
    const fault = this.#missing > 0 ? `${this.file}: there is no such file` : unreadable
    const isNew = fault !== null && this.#fault === null
    if (isNew)
      this.#parts.log.warn(
        'config.unreadable',
        { fault },
        'the watched configuration cannot be read; the running configuration stays, and lvsd tries again',
      )
    if (fault === null && this.#fault !== null)
      this.#parts.log.info('config.readable', {}, 'the configuration can be read again')
    this.#fault = fault
    return isNew
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

function hashedIn(file: string, { text, included = [] }: Read): readonly Hashed[] {
  return hashedOf([{ path: file, text }, ...included])
}
