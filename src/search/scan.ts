/** One text being searched while it comes in. */
export interface Scan {
  /** Takes the bytes from `from` to `to`, which the caller may overwrite afterwards. */
  push(bytes: Buffer, from: number, to: number): void
  /**
   * Whether it occurs in what has come, as if that were all; null where that is not known within the budget. While more
   * may come, a false one may be premature where an expression is expensive.
   */
  occurs(): boolean | null
  /** Whether it occurs, where nothing follows any more. */
  end(): boolean | null
}
