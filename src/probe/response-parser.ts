import type { Answer } from '../check/check.js'
import type { Phase } from '../core/model.js'

/** Parses and judges one answer. */
export interface ResponseParser {
  /** The phase that is in progress. */
  readonly phase: Phase
  /** Consumes the next bytes; the caller may overwrite them afterwards. Returns null if more data is needed to decide. */
  push(bytes: Buffer): Answer | null
  /** The server has closed its side. Returns the final answer. */
  end(): Answer
}
