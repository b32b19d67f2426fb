/** What the main thread and the thread of the connections to Redis say to each other. */
import type { RedisCommand } from '../../core/redis-commands.js'
import type { Told } from '../../core/redis-fault.js'
import type { RedisSettings } from '../../core/redis-settings.js'

/** To the thread. `link` numbers a connection, `id` a command. */
export type Request =
  | {
      readonly kind: 'open'
      readonly link: number
      readonly settings: RedisSettings
      readonly attempt: number
    }
  | { readonly kind: 'close'; readonly link: number }
  | {
      readonly kind: 'send'
      readonly link: number
      readonly id: number
      readonly command: RedisCommand
      readonly args: readonly (string | number)[]
    }
  /** This many characters of answers have been taken. */
  | { readonly kind: 'taken'; readonly size: number }
  /** The messages have been heard: more may come. */
  | { readonly kind: 'heard' }
  | { readonly kind: 'alive?' }

/** From the thread. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'alive' }
  | { readonly kind: 'opened'; readonly link: number }
  /** The connection could not be opened, or has ended by itself. */
  | { readonly kind: 'ended'; readonly link: number; readonly error: Told }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown; readonly size: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: Told }
  | ({ readonly kind: 'messages' } & Batch)
  | { readonly kind: 'warning'; readonly text: string }

export interface Message {
  readonly link: number
  readonly channel: string
  readonly text: string
}

/** Messages, and the channels of which some got lost. */
export interface Batch {
  readonly messages: readonly Message[]
  readonly lost: readonly Omit<Message, 'text'>[]
}

/** Characters of the text of an error: those that are searched for secrets, and those that are left. */
const SEARCHED = 10_000
const LONGEST_ERROR = 1000

/** What crosses of an error: no stack, and no command, which may have a password in it. */
export function toldOf({ code, message }: Told, secrets: readonly string[]): Told {
  let text = message.slice(0, SEARCHED)
  // A server that does not know AUTH repeats its arguments.
  for (const secret of secrets) text = text.replaceAll(secret, '***')
  return { code: code.slice(0, 100), message: text.slice(0, LONGEST_ERROR) }
}
