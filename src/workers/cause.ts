/** Why a worker came to its end, and how that is told of the code that did it. */

export type Cause =
  /** `limit`: milliseconds. */
  | { readonly kind: 'blocked'; readonly limit: number }
  /** `limit`: megabytes. */
  | { readonly kind: 'memory'; readonly limit: number }
  | {
      readonly kind: 'exit' | 'threw' | 'rejected' | 'held'
      readonly detail: string
      /** The run from which it came, where that is known. */
      readonly run: number | null
    }
  /** What came from it is none of the reports that lvsd's own part of it sends, or the way there is closed. */
  | { readonly kind: 'garbled' }
  /** It ended, and nothing is known of it but how. */
  | { readonly kind: 'died'; readonly detail: string }
  /** Nobody's fault: another worker has taken its place, or none is needed any more. */
  | { readonly kind: 'dismissed' }

/** The end of a sentence that begins with the name of a file. `isLate`: its run had already answered. */
export function whatItDid(cause: Cause, isLate: boolean): string {
  switch (cause.kind) {
    case 'blocked':
      return `blocked its thread for more than ${cause.limit} ms`
    case 'memory':
      return `used more than ${cause.limit} MB of memory`
    case 'exit':
      return `called ${cause.detail}`
    case 'threw':
      return `threw ${isLate ? 'after its answer' : 'where nothing catches it'}: ${cause.detail}`
    case 'held':
      return `held ${cause.detail}`
    case 'rejected':
      return `left a promise rejected${isLate ? ' after its answer' : ''}: ${cause.detail}`
    case 'garbled':
      return 'disturbed what its worker tells lvsd'
    case 'died':
      return `ended its worker: ${cause.detail}`
    case 'dismissed':
      return 'is not needed any more'
  }
}
