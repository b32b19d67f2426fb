/** How the status document is shown to people. */
export interface StatusView {
  /** Maximum number of columns. */
  readonly width: number
  readonly colour: boolean
  /** Wall-clock milliseconds. */
  readonly now: number
  /** True: a text that is too long goes on in further lines. False: it is cut off, as in a window. */
  readonly isWrapped?: boolean
}
