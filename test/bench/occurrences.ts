/** How often a daemon has told something. */
import { closeSync, openSync, readSync } from 'node:fs'

/** Counts a word in a file that grows. Each part is read once: to read all of it every time would delay what is measured. */
export class Occurrences {
  readonly #fd: number
  readonly #word: string
  readonly #part = Buffer.alloc(1 << 16)
  #found = 0
  /** The end of what was read, which may be the beginning of the word. */
  #end = ''

  constructor(file: string, word: string) {
    this.#fd = openSync(file, 'r')
    this.#word = word
  }

  count(): number {
    for (let read = this.#read(); read > 0; read = this.#read()) {
      const text = this.#end + this.#part.toString('latin1', 0, read)
      this.#found += text.split(this.#word).length - 1
      // Less than a word; after a word, nothing of it.
      this.#end = text.endsWith(this.#word) ? '' : text.slice(1 - this.#word.length)
    }
    return this.#found
  }

  #read(): number {
    return readSync(this.#fd, this.#part)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
