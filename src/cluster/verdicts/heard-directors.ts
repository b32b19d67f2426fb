/** The other directors that share checks: which of them live, and what each of them says. */
import { type Hashed, hashed } from '../../core/observers.js'
import { MOST_VOTES, type Said, type Vote } from './verdict-types.js'

export interface HeardDirectorsParts {
  /** Id of this director. */
  readonly self: string
  /** Milliseconds of the steady clock. */
  now(): number
  /** A director says this of a question (its key); null: nothing any more. */
  onVote(key: string, vote: Vote | null): void
}

export interface HeardDirector {
  readonly id: string
  readonly hashed: Hashed
  host: string
  instance: string
  heartbeat: number
  oldest: number | null
  isAble: boolean
  config: string
  /** -1: its verdicts have to be read. */
  version: number
  /** When it was heard last; null: it is gone. */
  beatAt: number | null
  /** Since when it has verdicts that were not read; null: all are known. */
  unreadSince: number | null
  votes: Map<string, Vote>
}

/** Directors that are heard. */
export const MOST_DIRECTORS = 64
/** Heartbeats after which verdicts that cannot be read are forgotten. */
const UNREAD = 2

export class HeardDirectors {
  readonly #parts: HeardDirectorsParts
  readonly #directors = new Map<string, HeardDirector>()

  constructor(parts: HeardDirectorsParts) {
    this.#parts = parts
  }

  /** Those whose verdicts count. */
  get living(): readonly HeardDirector[] {
    return [...this.#directors.values()].filter(({ beatAt, isAble }) => beatAt !== null && isAble)
  }

  clear(): void {
    this.#directors.clear()
  }

  /** Number of verdicts of a director. */
  sizeOf(id: string): number {
    return this.#directors.get(id)?.votes.size ?? 0
  }

  /**
   * Takes a sign of life with changes. Returns false if all verdicts of that director have to be read. `usual`:
   * milliseconds of the heartbeat of one that does not say it.
   */
  heard(said: Said, usual: number): boolean {
    if (said.id === this.#parts.self) return true
    const director = this.#directorOf(said)
    if (!director) return true
    if (director.instance !== said.instance) this.#forget(director)
    const { host, instance, oldest, isAble, config, base, version } = said
    const [heartbeat, beatAt] = [said.heartbeat ?? usual, this.#parts.now()]
    Object.assign(director, { host, instance, heartbeat, oldest, isAble, config, beatAt })
    const isNext = base !== null && base === director.version
    if (isNext) {
      for (const [key, vote] of said.votes) this.#take(director, key, vote)
      for (const key of said.gone) this.#take(director, key, null)
      director.version = version
    }
    const isRead = isNext || (director.version >= version && director.version >= 0)
    director.unreadSince = isRead ? null : (director.unreadSince ?? this.#parts.now())
    return isRead
  }

  /** Takes all verdicts of a director. Returns false if they are of another process, or older than what is known. */
  loaded(said: Said): boolean {
    const director = this.#directors.get(said.id)
    if (director?.instance !== said.instance || said.version < director.version) return false
    const votes = new Map(said.votes)
    for (const key of director.votes.keys()) if (!votes.has(key)) this.#take(director, key, null)
    for (const [key, vote] of votes) this.#take(director, key, vote)
    director.version = said.version
    director.unreadSince = null
    return true
  }

  /** Messages may have been lost: all verdicts are to be read again. */
  mayHaveMissed(): void {
    for (const director of this.#directors.values()) director.version = -1
  }

  /** Forgets what time has ended. */
  look(): void {
    const now = this.#parts.now()
    for (const director of this.#directors.values()) {
      const { beatAt, unreadSince, heartbeat } = director
      if (beatAt === null) continue
      if (now - beatAt > heartbeat) {
        director.beatAt = null
        director.unreadSince = null
        this.#forget(director)
      } else if (unreadSince !== null && now - unreadSince > UNREAD * heartbeat) this.#forget(director)
    }
  }

  #directorOf({ id }: Said): HeardDirector | null {
    const known = this.#directors.get(id)
    if (known) return known
    if (this.#directors.size >= MOST_DIRECTORS) {
      const gone = [...this.#directors.values()].find(({ beatAt }) => beatAt === null)
      if (!gone) return null
      this.#directors.delete(gone.id)
    }
    const director: HeardDirector = {
      id,
      hashed: hashed(id),
      host: '',
      instance: '',
      heartbeat: 0,
      oldest: null,
      isAble: false,
      config: '',
      version: -1,
      beatAt: null,
      unreadSince: null,
      votes: new Map(),
    }
    this.#directors.set(id, director)
    return director
  }

  #take(director: HeardDirector, key: string, vote: Vote | null): void {
    const hasRoom = director.votes.size < MOST_VOTES || director.votes.has(key)
    if (vote && hasRoom) director.votes.set(key, vote)
    else director.votes.delete(key)
    this.#parts.onVote(key, vote)
  }

  #forget(director: HeardDirector): void {
    const { votes } = director
    director.votes = new Map()
    director.version = -1
    for (const key of votes.keys()) this.#parts.onVote(key, null)
  }
}
