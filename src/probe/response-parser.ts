import type { Answer } from '../check/check.js'
import type { Phase } from '../core/model.js'

/** One answer being heard. */
export interface ResponseParser {
  /** What it is waiting for. */
  readonly phase: Phase
  /** Takes the next bytes, which the caller may overwrite afterwards; null while more is needed to decide. */
  push(bytes: Buffer): Answer | null
  /** The server has said all it will. */
  end(): Answer
}
