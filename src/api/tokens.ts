/**
 * Tokens of the API over TCP. A token is `lvsd_ID_SECRET`: the id finds the entry, and the secret has 192 random bits, so
 * one round of SHA-256 with a salt keeps it safe in the state folder. It is shown once, when it is made.
 * The address of the page with a token in it fits into 80 columns.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { type EntryForm, StateFile } from '../storage/state-file.js'
import { moment, text } from '../storage/stored-values.js'
import type { Log } from '../system/log.js'

export const ROLES = ['read', 'operate'] as const

interface Entry {
  readonly name: string
  readonly role: (typeof ROLES)[number]
  readonly id: string
  readonly salt: string
  readonly hash: string
  /** Who made it. */
  readonly who: string
  /** Milliseconds of the wall clock. */
  readonly since: number
  /** Null: no end. */
  readonly until: number | null
}

const FORM: EntryForm<Entry> = {
  name: 'tokens',
  version: 1,
  read(value) {
    const { name, role, id, salt, hash, who, since, until } = value as Entry
    if (!ROLES.includes(role)) throw new Error(`${role} is not a role`)
    if (!/^[0-9a-f]{12}$/.test(text(id))) throw new Error(`${id} is not an id`)
    return {
      ...{ name: text(name), role, id, salt: text(salt), hash: text(hash), who: text(who) },
      ...{ since: moment(since), until: until === null ? null : moment(until) },
    }
  },
}

/** A token without its secret. */
export type Token = Pick<Entry, 'name' | 'role' | 'who' | 'since' | 'until'>

/** Maximum number of tokens. */
export const MOST_TOKENS = 1000
const SHAPE = /^lvsd_([0-9a-f]{12})_([\w-]{32,43})$/
/** Compared if there is no entry, so that this takes the same time. */
const NOBODY = hashOf('', '')

export interface TokensParts {
  /** Null: the tokens end with the process. */
  readonly path: string | null
  readonly log: Log
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
}

export class Tokens {
  readonly #parts: TokensParts
  readonly #now: () => number
  #file: StateFile<Entry> | null = null
  #entries: readonly Entry[] = []

  constructor(parts: TokensParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  /** Reads the tokens of earlier runs. */
  async load(): Promise<void> {
    const { path, log } = this.#parts
    if (path === null) return
    const { file, entries } = await StateFile.open({ path, form: FORM, log })
    this.#file = file
    this.#entries = entries
  }

  /** Those that are valid, in the order in which they were made. */
  get all(): readonly Token[] {
    return this.#entries.filter(entry => this.#isValid(entry))
  }

  /** Makes a token. Returns its text, or null if the name is taken or there are too many. `isKept`: it is on the disk. */
  async add(
    token: Omit<Token, 'since'>,
  ): Promise<{ readonly text: string; readonly isKept: boolean } | null> {
    const valid = this.#entries.filter(entry => this.#isValid(entry))
    if (valid.length >= MOST_TOKENS || valid.some(({ name }) => name === token.name)) return null
    const id = randomBytes(6).toString('hex')
    const secret = randomBytes(24).toString('base64url')
    const salt = randomBytes(16).toString('base64url')
    const hash = hashOf(salt, secret).toString('base64url')
    const { name, role, who, until } = token
    const isKept = await this.#take([
      ...valid,
      { name, role, who, until, id, salt, hash, since: this.#now() },
    ])
    return { text: `lvsd_${id}_${secret}`, isKept }
  }

  /** Revokes a token. Null: there is none of this name. */
  async revoke(name: string): Promise<{ readonly isKept: boolean } | null> {
    const rest = this.#entries.filter(entry => entry.name !== name)
    if (rest.length === this.#entries.length) return null
    return { isKept: await this.#take(rest) }
  }

  /** Returns the token with this text, or null. The time does not depend on how much of the secret is right. */
  find(text: string): Token | null {
    const [, id = '', secret = ''] = SHAPE.exec(text) ?? []
    const entry = this.#entries.find(each => each.id === id)
    const expected = entry ? Buffer.from(entry.hash, 'base64url') : NOBODY
    const given = hashOf(entry?.salt ?? '', secret)
    const isRight = expected.length === given.length && timingSafeEqual(expected, given)
    return entry && isRight && this.#isValid(entry) ? entry : null
  }

  async close(patience: number): Promise<void> {
    await this.#file?.close(patience)
  }

  #isValid({ until }: Entry): boolean {
    return until === null || this.#now() < until
  }

  async #take(entries: readonly Entry[]): Promise<boolean> {
    this.#entries = entries
    return (await this.#file?.save(entries)) ?? true
  }
}

function hashOf(salt: string, secret: string): Buffer {
  return createHash('sha256').update(`${salt} ${secret}`).digest()
}
