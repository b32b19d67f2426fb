/** Why a worker ended, and how messages describe it. */

export type Cause =
  /** `limit` is in milliseconds. */
  | { readonly kind: 'blocked'; readonly limit: number }
  /** `limit` is in megabytes. */
  | { readonly kind: 'memory'; readonly limit: number }
  | {
      readonly kind: 'exit' | 'threw' | 'rejected' | 'held'
      readonly detail: string
      /** The run that caused it, or null if unknown. */
      readonly run: number | null
    }
  /** The worker sent data that lvsd's own code would not send, or its connection to lvsd is closed. */
  | { readonly kind: 'garbled' }
  /** The process ended, and only its exit status is known. */
  | { readonly kind: 'died'; readonly detail: string }
  /** Not a fault: the worker was replaced, or is not needed any more. */
  | { readonly kind: 'dismissed' }

/** Returns the predicate of a sentence whose subject is a file. `isLate`: its run had already answered. */
export function whatItDid(cause: Cause, isLate: boolean): string {
  switch (cause.kind) {
    case 'blocked':
      return `blocked its thread for more than ${cause.limit} ms`
    case 'memory':
      return `used more than ${cause.limit} MB of memory`
    case 'exit':
      return `called ${cause.detail}`
    case 'threw':
      return `had an uncaught exception${isLate ? ' after its answer' : ''}: ${cause.detail}`
    case 'held':
      return `held ${cause.detail}`
    case 'rejected':
      return `had an unhandled promise rejection${isLate ? ' after its answer' : ''}: ${cause.detail}`
    case 'garbled':
      return 'broke the connection of its worker to lvsd, or sent invalid data on it'
    case 'died':
      return `ended its worker: ${cause.detail}`
    case 'dismissed':
      return 'is not needed any more'
  }
}
