/** Detects changed content of files, and whether writing is complete. Pure except for its state. */
import type { Look } from './looker.js'

/** Milliseconds without a change after which a file counts as complete. */
export const SETTLED_AFTER = 10_000

/** Content that differs from the known one. */
export interface Change {
  readonly digest: string
  /** True if the content is probably complete. */
  readonly isSettled: boolean
  /** True if this content has not been reported before. */
  readonly isNew: boolean
}

/**
 * A content is reported when two consecutive looks find it, so that a file that is being written is not read.
 *
 *   the content                  settled
 *   was moved into place         at once
 *   was written in place         after ten seconds without a change
 *   has lost an included file    after ten seconds without a change
 *   is open for writing          after ten seconds without a change, and not reported before
 */
export class Changes {
  #known: string
  #pending: string
  #since = 0
  #isMoved = false
  #told: string | null = null

  /** `known` is the digest of the active configuration. */
  constructor(known: string) {
    this.#known = known
    this.#pending = known
  }

  get known(): string {
    return this.#known
  }

  /** When the content that was found last counts as complete, by the clock of `step`. */
  get settlesAt(): number {
    return this.#since + SETTLED_AFTER
  }

  /** Returns null if nothing has changed, or if it is too early to report. */
  step({ digest, isMoved, isWritten }: Look, now: number): Change | null {
    // Waits for a file that is temporarily missing.
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

  /** Marks this content as handled. Returns true if it was neither known nor reported. */
  take(digest: string): boolean {
    const isNew = digest !== this.#known && digest !== this.#told
    this.#known = digest
    this.#told = null
    return isNew
  }
}
