/** Admits one check at a time that may exhaust the memory: several could exceed the machine's memory. */
export class MemoryGate {
  #holder: object | null = null
  readonly #waiting = new Set<() => void>()

  /** Returns true if the holder may continue. Otherwise `again` is called once, when another attempt may succeed. */
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
