/**
 * The Redis of a site, for the rooms that share state through it. Nothing waits for Redis: each command has a time limit
 * of its own, without a connection it fails at once, and a connection that is lost is opened again for good.
 *
 * What can be wrong, and what follows:
 *
 *   the connection (refused, silent, LOADING, READONLY, OOM ...)   all commands fail at once until a new connection works
 *   one command or one key (NOPERM, WRONGTYPE)                     only that fails; tried again whenever it is needed
 *   the messages (SUBSCRIBE)                                       commands work; who listens reads again when they are back
 *
 * Each of them makes the state `away`, with the first reason, and is told once; `connected` again when none is left. A Redis
 * that comes and goes is told as unsteady (core/redis-steadiness.ts).
 */
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { RedisCommand } from '../../core/redis-commands.js'
import { fault, faultOf, isOfOneCommand, RedisError, type RedisFault } from '../../core/redis-fault.js'
import { type RedisSettings, redisPlace } from '../../core/redis-settings.js'
import { STEADY, type SteadinessEvent, steadinessAfter, type Unsteady } from '../../core/redis-steadiness.js'
import type { Log } from '../../system/log.js'
import { type Clock, steadyNow, systemClock } from '../../util/clock.js'
import type { Connection, OpenConnection } from './client.js'
import { ConnectionsApart } from './connections-apart.js'
import { Link } from './link.js'
import { type Listener, MessageLink } from './message-link.js'
import { versionIn } from './version-in.js'

/** What other parts use of Redis. */
export interface SiteRedis {
  readonly status: RedisStatus
  /** Name of a key or a channel of this site: `{lvsd:berlin}:member:ID`. All are in one slot of Redis Cluster. */
  key(...parts: readonly string[]): string
  /**
   * Sends a command. Rejects with a `RedisError` at once without a connection, and after `within` milliseconds without
   * an answer (default: 1 s). Is never sent a second time; whether it was executed is unknown after an error.
   */
  run(command: RedisCommand, args: readonly Argument[], options?: RunOptions): Promise<unknown>
  /** Runs a script on these keys in one step, as `run`. */
  script(lua: string, keys: readonly string[], args: readonly Argument[]): Promise<unknown>
  /**
   * Hears the messages of a channel (`key(...)`). Messages get lost while there is no connection: `again` is called
   * whenever the channel is heard from now on, the first time included, so that the reader reads the state afresh.
   * Returns a function that ends it.
   */
  subscribe(channel: string, hear: (text: string) => void, again?: () => void): () => void
  /** Calls `listener` after each change of `status.state`. Returns a function that ends it. */
  onChange(listener: (status: RedisStatus) => void): () => void
}

export type Argument = string | number

export interface RunOptions {
  readonly within?: number
  /** Says why an answer is too much for lvsd, or null. Then it rejects with the reason `size`, which is told. */
  refuse?(answer: unknown): string | null
  /** True if further commands read the rest. Such an answer does not prove that the whole is no longer too much. */
  isPart?(answer: unknown): boolean
}

export interface RedisStatus {
  /** off: not configured. connecting: at the start, before the first attempt has ended. */
  readonly state: 'off' | 'connecting' | 'connected' | 'away'
  /** Milliseconds of the steady clock. */
  readonly since: number
  /** Where Redis is, for people. */
  readonly place: string
  /** Set while it is away. */
  readonly fault: RedisFault | null
  /** Of the last connection; null if it is unknown. */
  readonly version: string | null
}

export interface RedisParts {
  readonly log: Pick<Log, 'debug' | 'info' | 'warn'>
  readonly clock?: Pick<Clock, 'now' | 'alarm' | 'random'>
  /** Opens a connection; default: in a thread of its own. */
  readonly open?: OpenConnection
}

/** Milliseconds for a command. */
const PATIENCE = 1000
/** Commands that may wait for answers at once. */
const MOST_WAITING = 1000
/** Milliseconds after which what is wrong with one command is forgotten, unless it happens again. */
const FORGET_AFTER = 30_000
/** Expiry of the key that proves that Redis accepts writes. */
const PROOF_LASTS = 10_000

interface Trouble {
  readonly fault: RedisFault
  readonly at: number
}

export class RedisClient implements SiteRedis {
  readonly #parts: RedisParts
  readonly #clock: Pick<Clock, 'now' | 'alarm' | 'random'>
  /** Names this process in the keys and channels of its proofs. */
  readonly #id = randomBytes(6).toString('hex')
  #settings: RedisSettings | null = null
  #site = ''
  #link: Link | null = null
  readonly #apart: ConnectionsApart | null
  readonly #openConnection: OpenConnection
  readonly #messages: MessageLink
  readonly #listeners = new Set<(status: RedisStatus) => void>()
  readonly #troubles = new Map<string, Trouble>()
  #down: RedisFault | null = null
  #waiting = 0
  #steadiness = STEADY
  /** When the first loss was, of those that are not told as over. */
  #lostAt = 0
  #cancelWake = () => {}
  #status: RedisStatus = { state: 'off', since: steadyNow(), place: '', fault: null, version: null }

  constructor(parts: RedisParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    const apart = new ConnectionsApart({
      clock: this.#clock,
      warn: detail => parts.log.debug('redis.warning', { detail }, 'a warning in the thread of Redis'),
    })
    this.#apart = parts.open ? null : apart
    this.#openConnection = parts.open ?? apart.open
    this.#messages = new MessageLink({
      clock: this.#clock,
      prepare: () => this.#prepare(),
      open: (attempt, onEnd, listener) => this.#open(attempt, onEnd, listener),
      say: async (channel, text) => {
        if (this.#link?.connection) await this.run('PUBLISH', [channel, text])
        return this.#link?.connection != null
      },
      onUp: () => this.#settle('SUBSCRIBE', null),
      onDown: error => this.#settle('SUBSCRIBE', faultOf(error, 'SUBSCRIBE')),
    })
  }

  get status(): RedisStatus {
    return this.#status
  }

  /** Takes the settings of a configuration; null: there is no Redis. The connection stays if they are the same. */
  follow(site: string, settings: RedisSettings | null): void {
    if (site === this.#site && isDeepStrictEqual(settings, this.#settings)) return
    this.close()
    this.#site = site
    this.#settings = settings
    if (!settings) return
    this.#set({ state: 'connecting', place: redisPlace(settings), fault: null, version: null })
    this.#link = new Link({
      clock: this.#clock,
      prepare: () => this.#prepare(),
      open: (attempt, onEnd) => this.#open(attempt, onEnd, { onMessage: () => {}, onLost: () => {} }),
      prove: (connection, isFirst) => this.#prove(connection, isFirst),
      onUp: () => this.#up(),
      onDown: error => this.#lost(error),
    })
    this.#link.start()
  }

  /** Closes the connections. Commands fail from now on. */
  close(): void {
    this.#messages.stop()
    this.#link?.stop()
    this.#link = null
    this.#apart?.close()
    this.#settings = null
    this.#troubles.clear()
    this.#down = null
    this.#steadiness = STEADY
    this.#cancelWake()
    if (this.#status.state !== 'off') this.#set({ state: 'off', place: '', fault: null, version: null })
  }

  key(...parts: readonly string[]): string {
    const { prefix = 'lvsd' } = this.#settings ?? {}
    return [`{${prefix}:${this.#site}}`, ...parts].join(':')
  }

  async run(command: RedisCommand, args: readonly Argument[], options: RunOptions = {}): Promise<unknown> {
    const connection = this.#link?.connection
    if (!connection) throw new RedisError(this.#down ?? fault('closed'))
    return this.#sent(connection, command, args, options)
  }

  script(lua: string, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.run('EVAL', [lua, keys.length, ...keys, ...args])
  }

  subscribe(channel: string, hear: (text: string) => void, again: () => void = () => {}): () => void {
    return this.#messages.subscribe(channel, { hear, again })
  }

  onChange(listener: (status: RedisStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  // ---------------------------------------------------------------- the connection

  /** The start of the thread is no part of an attempt: on a busy machine it takes longer than Redis may. */
  async #prepare(): Promise<void> {
    await this.#apart?.ready()
  }

  #open(attempt: number, onEnd: (error: unknown) => void, listener: Listener): Promise<Connection> {
    if (!this.#settings) return Promise.reject(new Error('Connection is closed'))
    return this.#openConnection({ settings: this.#settings, attempt, onEnd, ...listener })
  }

  /** Redis must accept a write: a replica, a full or a loading server answers to PING. */
  async #prove(connection: Connection, isFirst: boolean): Promise<void> {
    if (isFirst) {
      const hello = await this.#limited(connection, 'HELLO', [2], PATIENCE).catch(error => {
        if (!isOfOneCommand(faultOf(error).reason)) throw error
        return null
      })
      this.#status = { ...this.#status, version: versionIn(hello) }
    }
    const key = this.key('proof', this.#id)
    await this.#limited(connection, 'SET', [key, '1', 'PX', PROOF_LASTS], PATIENCE)
    this.#forget()
  }

  #up(): void {
    this.#down = null
    this.#messages.start(this.key('proof', this.#id))
    this.#tell()
  }

  #lost(error: unknown): void {
    this.#down = faultOf(error, 'SET')
    this.#tell()
  }

  // ---------------------------------------------------------------- commands

  async #sent(
    connection: Connection,
    command: RedisCommand,
    args: readonly Argument[],
    { within = PATIENCE, refuse, isPart }: RunOptions,
  ): Promise<unknown> {
    const about = aboutOf(command, args)
    // Other commands for the same key work.
    const tooMuch = `${command} ${about}`
    try {
      if (this.#waiting >= MOST_WAITING) throw new RedisError(fault('busy'))
      const answer = await this.#limited(connection, command, args, within)
      const refused = refuse?.(answer)
      if (refused) throw new RedisError(fault('size', `${about}: ${refused}`))
      if (this.#troubles.size > 0) {
        for (const what of [command, about]) this.#settle(what, null)
        if (!isPart?.(answer)) this.#settle(tooMuch, null)
      }
      return answer
    } catch (error) {
      const met = faultOf(error, isNoPermission(error) ? command : about)
      // The connection has ended because of this answer. It would seem to work until the command is sent again.
      if (met.reason === 'size' || met.reason === 'protocol') this.#settle(tooMuch, met)
      if (met.reason === 'silent') this.#link?.drop(connection, error)
      else if (!isOfOneCommand(met.reason)) this.#link?.doubt(connection)
      else if (met.reason === 'NOPERM') this.#settle(command, met)
      else if (met.reason === 'WRONGTYPE') this.#settle(about, met)
      throw new RedisError(met)
    }
  }

  /** Sends a command, and rejects after `within` milliseconds, whatever becomes of it. */
  #limited(connection: Connection, command: RedisCommand, args: readonly Argument[], within: number) {
    return new Promise<unknown>((resolve, reject) => {
      const cancel = this.#clock.alarm(within, () =>
        reject(new RedisError(fault('silent', `no answer to ${command} within ${within} ms`))),
      )
      this.#waiting++
      connection
        .send(command, args)
        .then(resolve, reject)
        .finally(() => {
          cancel()
          this.#waiting--
        })
    })
  }

  // ---------------------------------------------------------------- the state

  /** Notes what is wrong with a command, a key or the messages; null: it works. */
  #settle(what: string, found: RedisFault | null): void {
    if (found) this.#troubles.set(what, { fault: found, at: this.#clock.now() })
    else if (!this.#troubles.delete(what)) return
    this.#tell()
  }

  /** A command that is not sent any more cannot prove that it works again. */
  #forget(): void {
    const before = this.#clock.now() - FORGET_AFTER
    for (const [what, { at }] of this.#troubles)
      if (at < before && what !== 'SUBSCRIBE') this.#settle(what, null)
  }

  #tell(): void {
    const [trouble] = this.#troubles.values()
    const found = this.#down ?? trouble?.fault ?? null
    const { state } = this.#status
    if (found) {
      if (state === 'away') this.#status = { ...this.#status, fault: found }
      else this.#set({ state: 'away', fault: found })
    } else if (state !== 'connected' && this.#link?.connection) this.#set({ state: 'connected', fault: null })
    if (this.#status.state === state) return
    if (this.#status.fault) this.#steady({ kind: 'lost', reason: this.#status.fault.reason })
    else if (state === 'away') this.#steady({ kind: 'there' })
    else this.#parts.log.info('redis.connected', this.#about(), 'connected to Redis')
  }

  /** Tells of a loss or a return, unless they follow each other too fast. */
  #steady(event: SteadinessEvent): void {
    const before = this.#steadiness.state
    const { next, tells, wakeAfter } = steadinessAfter(this.#steadiness, event, steadyNow())
    this.#steadiness = next
    this.#cancelWake()
    if (wakeAfter !== null)
      this.#cancelWake = this.#clock.alarm(wakeAfter, () => this.#steady({ kind: 'time' }))
    if (before === 'steady' && next.state !== 'steady') this.#lostAt = next.since
    if (tells === 'back') this.#tellBack()
    else if (tells) this.#tellLoss(tells)
  }

  #tellBack(): void {
    this.#parts.log.info(
      'redis.back',
      { redis: this.#status.place, seconds: seconds(steadyNow() - this.#lostAt) },
      'Redis can be used again',
    )
  }

  #tellLoss(tells: 'away' | Unsteady): void {
    const { log } = this.#parts
    const { place: redis, fault: now } = this.#status
    const reasons = {
      reason: now?.reason ?? this.#steadiness.losses.at(-1)?.reason ?? '',
      detail: now?.detail ?? '',
    }
    if (tells === 'away')
      log.warn('redis.away', { redis, ...reasons }, 'Redis cannot be used; lvsd goes on with what it knows')
    else {
      const minutes = Math.round(tells.within / 60_000)
      log.warn(
        'redis.unsteady',
        { redis, ...reasons, losses: tells.losses, minutes },
        `Redis was lost ${tells.losses} times within ${minutes} min; lvsd tells when it has stayed for a minute`,
      )
    }
  }

  #about(): { readonly redis: string; readonly version?: string } {
    const { place: redis, version } = this.#status
    return { redis, ...(version !== null && { version }) }
  }

  #set(change: Partial<RedisStatus>): void {
    this.#status = { ...this.#status, ...change, since: steadyNow() }
    for (const listener of this.#listeners) listener(this.#status)
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10
}

function isNoPermission(error: unknown): boolean {
  return faultOf(error).reason === 'NOPERM'
}

/** The key that a command is about, or its keys; the command itself if it has none. */
function aboutOf(command: RedisCommand, args: readonly Argument[]): string {
  if (command === 'EVAL') return args.slice(2, 2 + Number(args[1])).join(', ')
  return args.length > 0 && command !== 'PUBLISH' ? String(args[0]) : command
}
