/**
 * Knocks on servers to which no connection can be made, because they refuse or are silent: a bare TCP connect, in turn to
 * each of them, every 200 ms or less often (core/hints.ts). One that succeeds is reset at once, and is a hint.
 */
import type { Address } from '../core/address.js'
import { type Hint, isUnconnected, knockDistance } from '../core/hints.js'
import type { CheckResult } from '../core/model.js'
import type { Clock } from '../util/clock.js'
import { type AskedEndpoint, type Endpoints, lazyEndpoints, sourceFor } from './endpoints.js'
import type { Tcp, TcpConnection } from './tcp.js'

export interface KnockerParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly tcp: Pick<Tcp, 'connect'>
  sourceOf(target: Address): Address | null
  onHint(ids: readonly string[], hint: Hint): void
}

export const KNOCK_HINT: Hint = {
  kind: 'knock',
  detail: 'the server accepts connections again',
  isRecovery: true,
}

export class Knocker {
  readonly #parts: KnockerParts
  #endpoints = lazyEndpoints(new Map())
  /** Endpoints without connections, with the connect that is on its way, in the order of their turns. */
  readonly #unconnected = new Map<string, { endpoint: AskedEndpoint; connection: TcpConnection | null }>()
  #disarm: (() => void) | null = null

  constructor(parts: KnockerParts) {
    this.#parts = parts
  }

  /** Takes the endpoints on which may be knocked. */
  follow(endpoints: Endpoints): void {
    this.#endpoints = endpoints
    for (const [key, knock] of this.#unconnected) {
      const endpoint = endpoints.like(knock.endpoint)
      // Other jobs may ask it now.
      if (endpoint) knock.endpoint = endpoint
      else this.#stop(key)
    }
  }

  /** Takes a result of a job. */
  result(id: string, result: CheckResult): void {
    if (result.ok === null || (!isUnconnected(result) && this.#unconnected.size === 0)) return
    const endpoint = this.#endpoints.of(id)
    if (!endpoint) return
    if (!isUnconnected(result)) this.#stop(endpoint.key)
    else if (!this.#unconnected.has(endpoint.key)) {
      this.#unconnected.set(endpoint.key, { endpoint, connection: null })
      this.#arm()
    }
  }

  /** True while the endpoint of the job is knocked on. */
  isKnocking(id: string): boolean {
    const endpoint = this.#unconnected.size > 0 ? this.#endpoints.of(id) : undefined
    return endpoint !== undefined && this.#unconnected.has(endpoint.key)
  }

  /** Number of endpoints that are knocked on. */
  get size(): number {
    return this.#unconnected.size
  }

  close(): void {
    for (const key of [...this.#unconnected.keys()]) this.#stop(key)
    this.#disarm?.()
    this.#endpoints = lazyEndpoints(new Map())
  }

  #arm(): void {
    if (this.#disarm || this.#unconnected.size === 0) return
    this.#disarm = this.#parts.clock.alarm(knockDistance(this.#unconnected.size), () => {
      this.#disarm = null
      this.#knock()
      this.#arm()
    })
  }

  #knock(): void {
    const [next] = this.#unconnected
    if (!next) return
    const [key, { endpoint, connection }] = next
    connection?.drop(true)
    const knock = { endpoint, connection: null as TcpConnection | null }
    // The last in the order.
    this.#unconnected.delete(key)
    this.#unconnected.set(key, knock)
    const { tcp, sourceOf, onHint } = this.#parts
    const made = tcp.connect(endpoint, sourceFor(endpoint, sourceOf), {
      opened: () => {
        knock.connection?.drop(true)
        knock.connection = null
        onHint(knock.endpoint.ids, KNOCK_HINT)
      },
      ended: () => {
        knock.connection = null
      },
    })
    if (typeof made !== 'string') knock.connection = made
  }

  #stop(key: string): void {
    this.#unconnected.get(key)?.connection?.drop(true)
    this.#unconnected.delete(key)
  }
}
