/**
 * The connection that hears messages. Redis needs one of its own for them. A message of this process to itself proves
 * every second that messages arrive.
 */
import { fault, RedisError } from '../../core/redis-fault.js'
import type { Clock } from '../../util/clock.js'
import type { Connection } from './client.js'
import { Link } from './link.js'

export interface Listener {
  onMessage(channel: string, text: string): void
  onLost(channel: string): void
}

interface Hearer {
  hear(text: string): void
  again(): void
}

export interface MessageLinkParts {
  readonly clock: Pick<Clock, 'alarm' | 'random'>
  /** As in `LinkParts`. */
  readonly prepare?: () => Promise<void>
  open(attempt: number, onEnd: (error: unknown) => void, listener: Listener): Promise<Connection>
  /** Publishes a message. False: there is no connection for commands, so that nothing is proved. */
  say(channel: string, text: string): Promise<boolean>
  onUp(): void
  onDown(error: unknown): void
}

/** Milliseconds until a message to itself must have arrived. */
const PATIENCE = 1000

export class MessageLink {
  readonly #parts: MessageLinkParts
  readonly #hearers = new Map<string, Set<Hearer>>()
  #link: Link | null = null
  /** Channel of the proofs; null: stopped. */
  #proof: string | null = null
  #said = 0
  #heard = (_: number) => {}

  constructor(parts: MessageLinkParts) {
    this.#parts = parts
  }

  /** Begins, if there is a subscriber, or as soon as there is one. */
  start(proof: string): void {
    this.#proof = proof
    if (this.#link || this.#hearers.size === 0) return
    this.#link = new Link({
      clock: this.#parts.clock,
      ...(this.#parts.prepare && { prepare: this.#parts.prepare }),
      open: (attempt, onEnd) =>
        this.#parts.open(attempt, onEnd, {
          onMessage: (channel, text) => this.#hear(channel, text),
          onLost: channel => {
            for (const hearer of this.#hearers.get(channel) ?? []) hearer.again()
          },
        }),
      prove: (connection, isFirst) => this.#prove(connection, isFirst),
      onUp: () => {
        this.#parts.onUp()
        for (const those of this.#hearers.values()) for (const hearer of those) hearer.again()
      },
      onDown: error => this.#parts.onDown(error),
    })
    this.#link.start()
  }

  stop(): void {
    this.#proof = null
    this.#link?.stop()
    this.#link = null
  }

  subscribe(channel: string, hearer: Hearer): () => void {
    const those = this.#hearers.get(channel) ?? new Set()
    const isNew = those.size === 0
    this.#hearers.set(channel, those.add(hearer))
    const connection = this.#link?.connection
    if (this.#proof !== null && !this.#link) this.start(this.#proof)
    else if (connection && isNew) this.#listen(connection, channel, hearer)
    else if (connection) hearer.again()
    return () => this.#leave(channel, hearer)
  }

  #listen(connection: Connection, channel: string, hearer: Hearer): void {
    connection.send('SUBSCRIBE', [channel]).then(
      () => hearer.again(),
      error => this.#link?.drop(connection, error),
    )
  }

  #leave(channel: string, hearer: Hearer): void {
    const those = this.#hearers.get(channel)
    if (!those?.delete(hearer) || those.size > 0) return
    this.#hearers.delete(channel)
    this.#link?.connection?.send('UNSUBSCRIBE', [channel]).catch(() => {})
  }

  #hear(channel: string, text: string): void {
    if (channel === this.#proof) this.#heard(Number(text))
    else for (const hearer of this.#hearers.get(channel) ?? []) hearer.hear(text)
  }

  async #prove(connection: Connection, isFirst: boolean): Promise<void> {
    const proof = this.#proof
    if (proof === null) return
    if (isFirst) await connection.send('SUBSCRIBE', [proof, ...this.#hearers.keys()])
    const number = ++this.#said
    let cancel = () => {}
    const arrived = new Promise<void>((resolve, reject) => {
      this.#heard = heard => heard === number && resolve()
      cancel = this.#parts.clock.alarm(PATIENCE, () =>
        reject(new RedisError(fault('silent', 'no messages arrive'))),
      )
    })
    try {
      const isSaid = await Promise.race([this.#parts.say(proof, String(number)).catch(() => false), arrived])
      if (isSaid !== false) await arrived
    } finally {
      cancel()
      arrived.catch(() => {})
    }
  }
}
