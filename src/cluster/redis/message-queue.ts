/**
 * Messages on their way to the main thread. Bounded for each channel, so that a flood in one leaves the others alone;
 * they go in turn. What does not fit gets lost, and who listens is told so and reads the state afresh.
 */
import type { Batch, Message } from './thread-protocol.js'

/** Messages of one channel that wait, and characters of all that wait. */
export const MOST_OF_CHANNEL = 1000
const MOST_SIZE = 4 << 20
/** Characters of one message. */
export const LONGEST_MESSAGE = 256 << 10
/** Messages of one batch, and characters after which it is full. */
export const AT_ONCE = 100
const SIZE_AT_ONCE = 256 << 10

/** Milliseconds after which a loss is told while a flood goes on; otherwise it is when the messages before it are taken. */
const TELL_LOSS = 1000

interface Channel {
  readonly link: number
  readonly channel: string
  readonly texts: string[]
  /** When the first message got lost of which nobody has been told; null: none. */
  lossyAt: number | null
}

export class MessageQueue {
  readonly #channels = new Map<string, Channel>()
  readonly #now: () => number
  #size = 0

  constructor(now = () => performance.now()) {
    this.#now = now
  }

  get isEmpty(): boolean {
    return this.#channels.size === 0
  }

  put({ link, channel, text }: Message): void {
    const key = `${link} ${channel}`
    const held = this.#channels.get(key) ?? { link, channel, texts: [], lossyAt: null }
    this.#channels.set(key, held)
    const isFull = held.texts.length >= MOST_OF_CHANNEL || this.#size + text.length > MOST_SIZE
    if (isFull || text.length > LONGEST_MESSAGE) {
      held.lossyAt ??= this.#now()
      return
    }
    held.texts.push(text)
    this.#size += text.length
  }

  /** Forgets what came over this connection. */
  drop(link: number): void {
    for (const [key, held] of this.#channels)
      if (held.link === link) {
        for (const text of held.texts) this.#size -= text.length
        this.#channels.delete(key)
      }
  }

  /** Takes the next batch: one message of each channel in turn. */
  take(): Batch {
    const messages: Message[] = []
    const lost: Omit<Message, 'text'>[] = []
    let size = 0
    const isFull = () => messages.length >= AT_ONCE || size >= SIZE_AT_ONCE
    const heads = new Map<Channel, number>()
    for (let turn = 0, isMore = true; isMore && !isFull(); turn++) {
      isMore = false
      for (const held of this.#channels.values()) {
        const text = held.texts[turn]
        if (text === undefined || isFull()) continue
        isMore = true
        size += text.length
        heads.set(held, turn + 1)
        messages.push({ link: held.link, channel: held.channel, text })
      }
    }
    for (const [held, taken] of heads) held.texts.splice(0, taken)
    this.#size -= size
    for (const [key, held] of [...this.#channels]) {
      const { link, channel, texts, lossyAt } = held
      if (lossyAt !== null && (texts.length === 0 || this.#now() - lossyAt >= TELL_LOSS)) {
        held.lossyAt = null
        lost.push({ link, channel })
      }
      // One that had its turn comes behind the others in the next batch.
      if (texts.length === 0 || heads.has(held)) this.#channels.delete(key)
      if (texts.length > 0) this.#channels.set(key, held)
    }
    return { messages, lost }
  }
}
