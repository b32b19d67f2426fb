/** What may fill the memory runs one at a time in the whole of lvsd: each may grow to its limit, and all together would not fit. */
export class MemoryGate {
  #holder: object | null = null
  readonly #waiting = new Set<() => void>()

  /** True where the holder may go on; else `again` is called, once, when it is worth another try. */
  mayEnter(holder: object, again: () => void): boolean {
    if (this.#holder !== null && this.#holder !== holder) {
      this.#waiting.add(again)
      return false
    }
    this.#holder = holder
    return true
  }

  leave(holder: object): void {
    if (this.#holder !== holder) return
    this.#holder = null
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const again of waiting) again()
  }
}
