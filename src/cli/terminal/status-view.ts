/** How the status document is shown to people. */
export interface StatusView {
  /** Maximum number of columns. */
  readonly width: number
  readonly colour: boolean
  /** Wall-clock milliseconds. */
  readonly now: number
}
