/** The role from a lease in Redis: asks for it, prolongs it, and lets it go at an orderly stop. */
import {
  afterAnswer,
  afterConnect,
  type LeaseAnswer,
  type LeaseHolder,
  type LeaseQuestion,
  type LeaseState,
  leaseHolderOf,
  questionOf,
} from '../../core/lease.js'
import { RedisError } from '../../core/redis-fault.js'
import { REDIS_KEYS } from '../../core/redis-keys.js'
import { type Clock, steadyNow } from '../../util/clock.js'
import { Poller, type PollerParts } from '../../util/poller.js'
import { waitAtMost } from '../../util/with-timeout.js'
import type { Identity } from '../identity.js'
import type { SiteRedis } from '../redis/site-redis.js'
import type { RoleReport, RoleSource } from './role-source.js'

export interface RoleLeaseParts {
  readonly redis: SiteRedis
  readonly identity: Identity
  /** Length of the lease in milliseconds. */
  readonly length: number
  readonly log: PollerParts['log']
  readonly clock?: Pick<Clock, 'alarm'>
  /** False: this director cannot serve, so it lets its lease go and takes none. */
  readonly isAble?: () => boolean
  onReport(report: RoleReport): void
}

/**
 * One step: who holds the lease, and what becomes of it. The token is greater than all that this director has seen, even
 * if Redis has lost its data.
 */
const LEASE_SCRIPT = `
local question, id, host, ms, known, recorded = unpack(ARGV)
local held = redis.call('GET', KEYS[1])
local record = redis.call('GET', KEYS[2])
local mine = held and string.sub(held, 1, #id + 1) == id .. ' '
if question == 'release' then
  if mine then
    redis.call('DEL', KEYS[1])
    held = false
  end
elseif mine then
  redis.call('PEXPIRE', KEYS[1], ms)
  redis.call('PEXPIRE', KEYS[2], recorded)
elseif not held and (question == 'take' or (question == 'take if remembered' and record)) then
  local token = redis.call('INCR', KEYS[2])
  if token <= tonumber(known) then
    token = tonumber(known) + 1
    redis.call('SET', KEYS[2], token)
  end
  redis.call('PEXPIRE', KEYS[2], recorded)
  held = id .. ' ' .. token .. ' ' .. host
  redis.call('SET', KEYS[1], held, 'PX', ms)
end
return { held or '', record and 1 or 0 }`

/** A lease is prolonged this many times within its length. */
const TIMES = 3
/** Milliseconds for letting the lease go at a stop. */
const PATIENCE = 1000

export class RoleLease implements RoleSource {
  readonly first: Promise<void>
  readonly #parts: RoleLeaseParts
  readonly #asks: Poller
  readonly #ends: (() => void)[]
  #state: LeaseState
  #holder: LeaseHolder | null = null
  #highest = 0
  #hasReported = false
  #told = () => {}
  #isClosed = false

  constructor(parts: RoleLeaseParts) {
    const { redis, identity, length } = parts
    this.#parts = parts
    this.#state = afterConnect({ role: 'standby', waitUntil: null }, steadyNow(), length)
    this.first = new Promise(resolve => {
      this.#told = resolve
    })
    this.#asks = new Poller('role lease', () => this.#ask(), parts)
    this.#asks.every(length / TIMES)
    this.#ends = [
      redis.onChange(({ state }) => {
        if (state === 'connected') this.#connected()
        else if (state === 'away') this.#remember(identity)
      }),
      // The holder lets its lease go: no need to wait.
      redis.subscribe(redis.key('lease'), () => void this.#asks.now()),
    ]
    if (redis.status.state === 'connected') this.#connected()
    else if (redis.status.state === 'away') this.#remember(identity)
  }

  /** Who holds the lease, as far as is known. */
  get holder(): LeaseHolder | null {
    return this.#holder
  }

  /** Asks now: whether this director can serve has changed. */
  askNow(): Promise<void> {
    return this.#asks.now()
  }

  /** Stops without letting the lease go: another source follows, or the process ends at once. */
  close(): void {
    this.#isClosed = true
    for (const end of this.#ends) end()
    void this.#asks.stop()
    this.#told()
  }

  /** Lets the lease go, so that another director takes it at once. Never rejects. */
  async release(): Promise<void> {
    if (this.#isClosed) return
    this.close()
    if (this.#parts.redis.status.state !== 'connected') return
    await waitAtMost(PATIENCE, this.#let()).catch(() => {})
  }

  async #let(): Promise<void> {
    const { redis } = this.#parts
    await this.#asks.stop()
    await this.#put('release')
    await redis.run('PUBLISH', [redis.key('lease'), 'free'])
  }

  #connected(): void {
    this.#state = afterConnect(this.#state, steadyNow(), this.#parts.length)
    void this.#asks.now()
  }

  /** At a start without Redis the role is that of the last run. */
  #remember({ role }: Identity): void {
    if (this.#hasReported || role === null) return
    this.#report({ ...this.#state, role }, `Redis is away, and it was ${role} before the restart`)
  }

  async #ask(): Promise<void> {
    const { identity, length, redis, isAble = () => true } = this.#parts
    // While Redis is away the role stays as it is. What is wrong with it is told by the connection.
    const answer = await this.#put(questionOf(this.#state, steadyNow(), isAble())).catch(whileAway)
    if (!answer || this.#isClosed) return
    const hadIt = this.#holder?.id === identity.id
    this.#holder = answer.holder
    this.#highest = Math.max(this.#highest, answer.holder?.token ?? 0)
    const next = afterAnswer(this.#state, answer, { own: identity.id, now: steadyNow(), length })
    if (hadIt && !answer.holder) void redis.run('PUBLISH', [redis.key('lease'), 'free']).catch(() => {})
    if (answer.holder) this.#report(next, reasonFor(answer.holder, identity))
    else {
      this.#state = next
      if (!this.#hasReported)
        this.#parts.onReport({ role: next.role, reason: 'nobody holds the lease of the site yet' })
      this.#told()
    }
  }

  async #put(question: LeaseQuestion): Promise<LeaseAnswer> {
    const { redis, identity, length } = this.#parts
    const keys = [redis.key('lease'), redis.key('lease-token')]
    const recorded = REDIS_KEYS['lease-token'].expiry
    const words = [question, identity.id, identity.host, Math.round(length), this.#highest, recorded]
    const answer = (await redis.script(LEASE_SCRIPT, keys, words)) as readonly [string, number]
    return { holder: leaseHolderOf(String(answer[0])), isForgotten: answer[1] === 0 }
  }

  #report(state: LeaseState, reason: string): void {
    this.#state = state
    this.#hasReported = true
    this.#parts.identity.keepRole(state.role)
    this.#parts.onReport({ role: state.role, reason })
    this.#told()
  }
}

/** What is wrong with Redis is told by the connection. */
function whileAway(error: unknown): null {
  if (error instanceof RedisError) return null
  throw error
}

function reasonFor({ id, host, token }: LeaseHolder, own: Identity): string {
  return id === own.id
    ? `it holds the lease of the site (token ${token})`
    : `${host} holds the lease of the site (token ${token})`
}
