/** Whether files have another content, and whether that is all of it. Pure, but for what it remembers. */
import type { Look } from './looker.js'

/** Milliseconds for which a file has stood still that nobody is writing any more, as far as one can tell. */
export const SETTLED_AFTER = 10_000

/** What is to be done about a content that is not the known one. */
export interface Change {
  readonly digest: string
  /** It is hardly a part of something. */
  readonly isSettled: boolean
  /** It is seen for the first time. */
  readonly isNew: boolean
}

/**
 * A content is told when two looks in a row find it, so that nothing is taken that is being written at this moment.
 *
 *   the content                                 settled
 *   was moved into place                        at once
 *   was written in place                        after ten seconds without a change
 *   is open for writing                         after ten seconds without a change, and not told before
 */
export class Changes {
  #known: string
  #pending: string
  #since = 0
  #isMoved = false
  #told: string | null = null

  /** `known`: of what is in force. */
  constructor(known: string) {
    this.#known = known
    this.#pending = known
  }

  get known(): string {
    return this.#known
  }

  /** Null where there is nothing to do, or where it is too early. */
  step({ digest, isMoved, isWritten }: Look, now: number): Change | null {
    // A file that is gone for a moment is waited for.
    if (digest === null) return null
    if (digest !== this.#pending) {
      this.#pending = digest
      this.#since = now
      this.#isMoved = isMoved
      return null
    }
    if (digest === this.#known) return null
    const isSettled = this.#isMoved || now - this.#since >= SETTLED_AFTER
    if (isWritten && !isSettled) return null
    const isNew = this.#told !== digest
    this.#told = digest
    return { digest, isSettled, isNew }
  }

  /** This content has been dealt with. True where it was neither known nor told. */
  take(digest: string): boolean {
    const isNew = digest !== this.#known && digest !== this.#told
    this.#known = digest
    this.#told = null
    return isNew
  }
}
