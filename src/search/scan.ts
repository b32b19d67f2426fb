/** The search of one text that arrives in chunks. */
export interface Scan {
  /** Consumes the bytes from `from` to `to`. The caller may overwrite them afterwards. */
  push(bytes: Buffer, from: number, to: number): void
  /**
   * Returns whether there is a match in the data so far, as if the text ended here; null if the budget is used up.
   * While more data may come, false can be outdated for an expensive expression.
   */
  occurs(): boolean | null
  /** Returns whether there is a match in the complete text; null if the budget is used up. */
  end(): boolean | null
}
