/** The text of a configuration, split at its services. `head`, then the blocks, then `tail` are the whole text. */
export interface TextBlocks {
  readonly head: string
  /** Each service with the comments below it, in the order of the text. */
  readonly blocks: readonly TextBlock[]
  readonly tail: string
}

export interface TextBlock {
  /** The key of the service in the text; null: it has none. */
  readonly key: string | null
  readonly text: string
}
