/** What a worker is to the core, whether it is a thread or a process. */
import type { Cause } from './cause.js'
import type { Order } from './messages.js'
import type { Activity } from './pulse.js'
import type { SharedState } from './shared.js'

export interface Link {
  readonly shared: SharedState
  /** Megabytes that it holds beside what it tells; null where the kernel does not know it apart from lvsd. */
  readonly megabytes: number | null
  /** Resolves when it is gone. A thread that stands in a system call may stay. */
  readonly gone: Promise<unknown>
  send(orders: readonly Order[]): void
  /** Hears what it has said and nobody has heard yet. */
  drain(): void
  /** What its thread does now. */
  activity(): Activity
  /** Ends it, and the processes that it has started. Nothing is heard of it any more. */
  end(): void
}

export interface LinkListener {
  message(message: unknown): void
  ended(cause: Cause): void
}

/** What came from it is no message, or the way there is closed. */
export const GARBLED: Cause = { kind: 'garbled' }
