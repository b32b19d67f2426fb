/** Which files of a configuration have changed. Pure. */
import { resolve } from 'node:path'
import { digestOfHashes, type Hashed } from './digest.js'

/** The last ones are told as a number. */
const MOST_TOLD = 3

/** Remembers the content that counts as handled, file by file. */
export class KnownFiles {
  readonly #main: string
  #hashes: ReadonlyMap<string, string> = new Map()

  /** `main` is the path of the main file, as it is written to people. */
  constructor(main: string) {
    this.#main = main
  }

  /** The digest of all that is known (`digest.ts`). */
  get digest(): string {
    return digestOfHashes([...this.#hashes].map(([path, hash]) => ({ path, hash })))
  }

  /** Takes this content, and returns what was different. With `isPart` all other known files stay as they are. */
  take(files: readonly Hashed[], { isPart = false } = {}): FileChanges {
    const found = new Map([...(isPart ? this.#hashes : []), ...byPath(files)])
    const changes = this.#changesIn(found)
    this.#hashes = found
    return changes
  }

  /** Returns what differs in `files` from what is known. */
  changesIn(files: readonly Hashed[]): FileChanges {
    return this.#changesIn(byPath(files))
  }

  #changesIn(found: ReadonlyMap<string, string>): FileChanges {
    const changed = [...found].flatMap(([path, hash]): [string, string][] => {
      const before = this.#hashes.get(path)
      return before === hash ? [] : [[this.#shown(path), before === undefined ? ' (new)' : '']]
    })
    const gone = [...this.#hashes.keys()].filter(path => !found.has(path))
    const all = [...changed, ...gone.map((path): [string, string] => [this.#shown(path), ' (gone)'])]
    const told = all.slice(0, MOST_TOLD).map(one => one.join(''))
    const more = all.length > MOST_TOLD ? [`${all.length - MOST_TOLD} more`] : []
    return { file: all[0]?.[0] ?? this.#main, text: [...told, ...more].join(', ') || this.#main }
  }

  #shown(path: string): string {
    return path === resolve(this.#main) ? this.#main : path
  }
}

export interface FileChanges {
  /** The first file that has changed. */
  readonly file: string
  /** All of them, for people: `/etc/lvsd/lvsd.yaml, /etc/lvsd/mail.yaml (new)`. */
  readonly text: string
}

function byPath(files: readonly Hashed[]): ReadonlyMap<string, string> {
  return new Map(files.map(({ path, hash }) => [resolve(path), hash]))
}
