/** What has changed of the verdicts of this director since the others were told last. */
import type { Said, Vote } from './verdict-types.js'

/** Returns what this director says of a question (its key). */
type VoteOf = (key: string) => Vote | null | undefined

export class VerdictNews {
  #version = 0
  /** The version that the others have. */
  #told = 0
  readonly #unsaid = new Set<string>()

  get version(): number {
    return this.#version
  }

  get isEmpty(): boolean {
    return this.#unsaid.size === 0
  }

  /** What is said of this question has changed. */
  add(key: string): void {
    this.#unsaid.add(key)
  }

  /** Nothing is shared any more: who has this version must not take later changes for all that follows it. */
  restart(): void {
    this.#unsaid.clear()
    this.#told = ++this.#version
  }

  /** Returns the changes, with the version that they lead to. */
  changes(voteOf: VoteOf): Pick<Said, 'base' | 'votes' | 'gone' | 'version'> {
    if (this.#unsaid.size > 0) this.#version++
    const votes: (readonly [string, Vote])[] = []
    const gone: string[] = []
    for (const key of this.#unsaid) {
      const own = voteOf(key)
      if (own) votes.push([key, own])
      else gone.push(key)
    }
    return { base: this.#told, version: this.#version, votes, gone }
  }

  /** The others have been told this. What has changed meanwhile stays. */
  told(said: Said, voteOf: VoteOf): void {
    this.#told = said.version
    for (const [key, vote] of said.votes) if (voteOf(key) === vote) this.#unsaid.delete(key)
    for (const key of said.gone) if (!voteOf(key)) this.#unsaid.delete(key)
  }
}
