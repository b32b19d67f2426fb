/**
 * A check as data: what is sent, and how the answer is judged. Any engine can run it, and it can be sent to another
 * thread, because it contains no code.
 */
import type { Address } from '../core/address.js'
import type { Answer } from './answer.js'

/** What must occur in the answer: plain text, or source and flags of a regular expression. The flag `u` is not implied. */
export type Match =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'regexp'; readonly source: string; readonly flags: string }

/** How the answer is judged. `connected`: the connection alone suffices. */
export type Judge =
  | { readonly kind: 'connected' }
  /** Any answer passes. */
  | { readonly kind: 'any' }
  /** `match` must occur within the first `limit` bytes. */
  | { readonly kind: 'match'; readonly match: Match; readonly limit: number }
  /**
   * One complete HTTP/1.x response: final status in `status` (inclusive ranges), body of at most `limit` bytes that
   * contains `match`.
   */
  | {
      readonly kind: 'http'
      readonly method: string
      readonly status: readonly (readonly [number, number])[]
      /** Statuses (inclusive ranges) that defer the verdict to the check's `run`, such as redirects. */
      readonly defer?: readonly (readonly [number, number])[]
      /** True if the verdict on a compressed body that must match is deferred to the check's `run`. */
      readonly deferCoded?: boolean
      readonly match: Match | null
      readonly limit: number
    }

/** The source address to bind to; null or absent: the kernel chooses. Not set by a check. */
interface Sourced {
  readonly source?: Address | null
}

/** A firewall mark for its packets. Not set by a check. Only probes on epoll have marks. */
interface Marked {
  readonly mark?: number
}

export type ProbeSpec =
  | (Sourced &
      Marked & {
        readonly kind: 'tcp'
        readonly address: Address
        readonly port: number
        /** Bytes to send after the connect; may be empty. */
        readonly send: Uint8Array
        /** Whether to half-close the connection after sending. */
        readonly end: boolean
        /** Whether to close the connection with a reset. It avoids a local TIME_WAIT, but some servers log it. */
        readonly reset: boolean
        readonly judge: Judge
      })
  | (Sourced &
      Marked & {
        readonly kind: 'udp'
        readonly address: Address
        readonly port: number
        readonly send: Uint8Array
        /** Null: no answer is expected. Only a port-unreachable error within `patience` milliseconds fails the check. */
        readonly judge: Judge | null
        readonly patience: number
      })
  | (Sourced & {
      readonly kind: 'icmp'
      readonly address: Address
      /** Bytes of echo data. */
      readonly size: number
      /** Number of requests, spread evenly over the time limit; one reply suffices. */
      readonly count: number
    })
  /** Sends nothing; the answer is known. */
  | { readonly kind: 'fixed'; readonly answer: Answer }
