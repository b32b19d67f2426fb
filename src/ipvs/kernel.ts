/** What the rest of lvsd may ask of an IPVS table, whichever kernel keeps it. */
import type { Change, Dump, ServiceId, Timeouts } from '../core/model.js'

/** One refused change: the sentence says what to do. `code` is the errno name (EPERM, ENOENT …). */
export class KernelError extends Error {
  override readonly name = 'KernelError'
  readonly code: string

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What a reading is expected to find, by `keyOfService`; real servers by `keyOfReal`. A table is one. */
export type Expected = ReadonlyMap<
  string,
  { readonly id: ServiceId; readonly reals: { keys(): Iterable<string> } }
>

export interface Kernel {
  /**
   * Reads everything back, counters included. The kernel numbers the entries of a table that it gives page by page, so
   * that one which others delete meanwhile hides another: what is expected and missing is asked for again by itself.
   * Throws a KernelError.
   */
  dump(expected?: Expected): Promise<Dump>
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
