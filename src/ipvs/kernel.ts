/** What the rest of lvsd may ask of an IPVS table, whichever kernel keeps it. */
import type { Change, Dump, Timeouts } from '../model.js'

/** One refused change: the sentence says what to do. `code` is the errno name (EPERM, ENOENT …). */
export class KernelError extends Error {
  override readonly name = 'KernelError'
  readonly code: string

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface Kernel {
  /** Reads everything back, counters included. Throws a KernelError. */
  dump(): Promise<Dump>
  /**
   * Applies the changes in their order, in batches; one refusal never stops the others. Returns one entry per change:
   * null where it was done. Throws a KernelError only where nothing can be sent at all.
   */
  apply(changes: readonly Change[]): Promise<readonly (KernelError | null)[]>
  timeouts(): Promise<Timeouts>
  /** Zeros leave a timeout as it is. */
  setTimeouts(timeouts: Timeouts): Promise<void>
  close(): void
}
