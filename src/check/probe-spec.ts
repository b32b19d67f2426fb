/**
 * A check as data: what goes over the wire and how the answer is judged. Any engine can run it; none of it is code,
 * so it can cross to another thread.
 */
import type { Address } from '../core/address.js'
import type { Answer } from './answer.js'

/** What must occur in the answer: a regular expression's source and flags (`u` is not implied), or plain text. */
export type Match =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'regexp'; readonly source: string; readonly flags: string }

/** How the answer is judged. `connected`: the connection is answer enough. */
export type Judge =
  | { readonly kind: 'connected' }
  /** Any answer at all. */
  | { readonly kind: 'any' }
  /** `match` occurs within the first `limit` bytes. */
  | { readonly kind: 'match'; readonly match: Match; readonly limit: number }
  /** One HTTP/1.x response: final status in `status` (inclusive ranges), body complete, at most `limit` bytes, matching. */
  | {
      readonly kind: 'http'
      readonly method: string
      readonly status: readonly (readonly [number, number])[]
      /** Statuses, inclusive ranges, with which the verdict is left to the check's `run`: redirects that it follows. */
      readonly defer?: readonly (readonly [number, number])[]
      /** A compressed body in which something is looked for is left to the check's `run` too. */
      readonly deferCoded?: boolean
      readonly match: Match | null
      readonly limit: number
    }

export type ProbeSpec =
  | {
      readonly kind: 'tcp'
      readonly address: Address
      readonly port: number
      /** Bytes to send once connected; empty sends nothing. */
      readonly send: Uint8Array
      /** Half-close after sending. */
      readonly end: boolean
      /** End the connection with a reset, so that no TIME_WAIT is left behind here; some servers log it. */
      readonly reset: boolean
      readonly judge: Judge
    }
  | {
      readonly kind: 'udp'
      readonly address: Address
      readonly port: number
      readonly send: Uint8Array
      /** Null: no answer is expected, and only a port-unreachable within `patience` ms speaks against the server. */
      readonly judge: Judge | null
      readonly patience: number
    }
  | {
      readonly kind: 'icmp'
      readonly address: Address
      /** Echo data, bytes. */
      readonly size: number
      /** Requests sent, spread evenly over the deadline; one answer is enough. */
      readonly count: number
    }
  /** Nobody is asked. */
  | { readonly kind: 'fixed'; readonly answer: Answer }
