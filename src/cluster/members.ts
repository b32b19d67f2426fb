/** The directors of the site: writes the heartbeat of this one to Redis, and reads those of the others. */
import {
  differingParts,
  type KnownMember,
  type KnownMembers,
  type Member,
  type MemberEvent,
  memberOf,
  nextMembers,
} from '../core/membership.js'
import { RedisError } from '../core/redis-fault.js'
import { REDIS_KEYS, REDIS_SCHEMA } from '../core/redis-keys.js'
import type { Role } from '../core/role.js'
import type { Log } from '../system/log.js'
import { version } from '../system/version.js'
import { type Clock, steadyNow } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import { waitAtMost } from '../util/with-timeout.js'
import type { Living } from './active-watch.js'
import type { ConfigParts } from './config-parts.js'
import type { Identity } from './identity.js'
import { LONGEST_PAUSE } from './redis/link.js'
import type { SiteRedis } from './redis/site-redis.js'

export interface MembersParts {
  readonly redis: SiteRedis
  readonly identity: Identity
  readonly log: Pick<Log, 'error' | 'info' | 'warn'>
  readonly clock?: Pick<Clock, 'alarm'>
  /** Returns milliseconds of the steady clock. */
  readonly now?: () => number
  /** What this director says of itself. */
  self(): { readonly role: Role; readonly config: ConfigParts }
  /** Called after each reading, with the directors that live, this one included, and the steady clock. */
  onRead?(living: readonly Living[], now: number): void
}

/** One director, for the status. */
export interface DirectorView extends Pick<Member, 'id' | 'host' | 'version' | 'role' | 'config'> {
  readonly isSelf: boolean
  /** Milliseconds of the steady clock: its start, and its last heartbeat that was read. */
  readonly startedAt: number
  readonly seenAt: number
  /** Names of services that differ from those of this director; null: its configuration is the same. */
  readonly differs: readonly string[] | null
  /** Milliseconds of the steady clock: since when it has no heartbeat any more; null: it lives. */
  readonly goneAt: number | null
}

/** A heartbeat expires after this many intervals. */
const LASTS = 3
/** Milliseconds between two writes of the hashes of the services. */
const CONFIG_EVERY = 600_000
/** Directors that are read. */
const MOST = 64
/** Milliseconds for the removal of the heartbeat at a stop. */
const PATIENCE = 1000
/** Characters of hashes of services that are read: 100,000 services. */
const MOST_CONFIG = 4 << 20
const NAMES_IN_LOG = 20
/** Milliseconds for which a director that is gone is shown, unless lvsd is restarted before. */
const REMEMBERED = 24 * 3_600_000

export class Members {
  readonly #parts: MembersParts
  readonly #now: () => number
  readonly #startedAt: number
  #beats: Poller | null = null
  #every = 0
  #endListening = () => {}
  #known: KnownMembers = new Map()
  /** Directors that are gone, as they were, in the order in which they went. */
  #gone = new Map<string, { readonly last: KnownMember; readonly at: number }>()
  #isFirst = true
  #graceUntil = 0
  #beatAt: number | null = null
  #wroteConfig: { readonly hash: string; readonly at: number } | null = null
  /** Services of other configurations by their hash. */
  readonly #others = new Map<string, Readonly<Record<string, string>>>()
  #strangers = 0

  constructor(parts: MembersParts) {
    this.#parts = parts
    this.#now = parts.now ?? steadyNow
    this.#startedAt = this.#now()
  }

  /** Ids of the directors that lived at the last reading, this one included. */
  get living(): readonly string[] {
    return [this.#parts.identity.id, ...this.#known.keys()]
  }

  /** True if a configuration (its hash) has this service as this director has it. False also while that is unknown. */
  isSame(config: string, service: string): boolean {
    const own = this.#parts.self().config
    if (config === own.hash) return true
    const hash = this.#others.get(config)?.[service]
    return hash !== undefined && hash === own.services[service]
  }

  /** True if the services of a configuration (its hash) are known. */
  knows(config: string): boolean {
    return config === this.#parts.self().config.hash || this.#others.has(config)
  }

  /** Begins, with a heartbeat every `every` milliseconds; null: ends. */
  follow(every: number | null): void {
    if (every === null) this.#end()
    else if (!this.#beats) this.#begin(every)
    else if (every !== this.#every) this.#beats.every(every)
    this.#every = every ?? 0
  }

  /** What this director says of itself has changed. */
  beatNow(): void {
    void this.#beats?.now()
  }

  /** All directors, this one first, then by host, then those that are gone. Empty without Redis. */
  snapshot(): readonly DirectorView[] {
    if (!this.#beats) return []
    const { identity, self } = this.#parts
    const { role, config } = self()
    const own = { id: identity.id, host: identity.host, version: version(), role, config: config.hash }
    const seenAt = this.#beatAt ?? this.#startedAt
    const others = [...this.#known.values()].map(({ member, seenAt: at, differsSince }) => ({
      ...viewOf(member, at),
      differs: differsSince === null ? null : this.#differing(member, config),
      goneAt: null,
    }))
    const gone = [...this.#gone.values()].map(({ last: { member, seenAt: seen }, at }) => ({
      ...viewOf(member, seen),
      differs: null,
      goneAt: at,
    }))
    const first = { ...own, isSelf: true, startedAt: this.#startedAt, seenAt, differs: null, goneAt: null }
    return [first, ...others.sort(byHost), ...gone.sort(byHost)]
  }

  #remember(before: KnownMembers, events: readonly MemberEvent[]): void {
    const now = this.#now()
    for (const { kind, member } of events) {
      const last = before.get(member.id)
      if (kind === 'left' && last) this.#gone.set(member.id, { last, at: now })
    }
    for (const [id, { at }] of this.#gone) {
      const isMany = this.#gone.size > MOST
      if (this.#known.has(id) || now - at > REMEMBERED || isMany) this.#gone.delete(id)
    }
  }

  /** Removes the heartbeat, so that the others know at once. Never rejects. */
  async close(): Promise<void> {
    const beats = this.#beats
    this.#end()
    if (!beats || this.#parts.redis.status.state !== 'connected') return
    await waitAtMost(PATIENCE, this.#leave(beats)).catch(() => {})
  }

  async #leave(beats: Poller): Promise<void> {
    const { redis, identity } = this.#parts
    await beats.stop()
    await redis.run('DEL', [redis.key('member', identity.id)])
    await redis.run('SREM', [redis.key('members'), identity.id])
  }

  #begin(every: number): void {
    const { redis } = this.#parts
    this.#beats = new Poller('heartbeat', () => this.#beat().catch(whileAway), this.#parts)
    this.#beats.every(every)
    this.#endListening = redis.onChange(({ state }) => {
      if (state !== 'connected') return
      this.#graceUntil = this.#now() + this.#grace
      this.beatNow()
    })
    this.beatNow()
  }

  #end(): void {
    void this.#beats?.stop()
    this.#beats = null
    this.#endListening()
    this.#known = new Map()
    this.#gone = new Map()
    this.#isFirst = true
    this.#wroteConfig = null
  }

  /** Rejects while Redis is away: then everything stays as it is. */
  async #beat(): Promise<void> {
    const { redis, identity, self } = this.#parts
    if (redis.status.state === 'off' || redis.status.state === 'connecting') return
    const beats = this.#beats
    const ids = ((await redis.run('SMEMBERS', [redis.key('members')])) as readonly string[]).slice(0, MOST)
    const values = ids.length > 0 ? await this.#read(ids) : []
    if (beats !== this.#beats) return
    const isListed = ids.includes(identity.id)
    if (!isListed && !this.#isFirst) this.#graceUntil = this.#now() + this.#grace
    const { role, config } = self()
    await this.#write(role, config)
    await this.#writeConfig(config, isListed)
    await this.#forget(ids.filter((_, i) => values[i] === null))
    if (beats === this.#beats) await this.#take(values, config)
  }

  /** Milliseconds after Redis was away, or has lost its data, until the others must have come back. */
  get #grace(): number {
    return LONGEST_PAUSE + 2 * this.#every
  }

  #read(ids: readonly string[]): Promise<readonly (string | null)[]> {
    const { redis } = this.#parts
    const keys = ids.map(id => redis.key('member', id))
    return redis.run('MGET', keys) as Promise<readonly (string | null)[]>
  }

  async #write(role: Role, config: ConfigParts): Promise<void> {
    const { redis, identity } = this.#parts
    const { id, instance, host } = identity
    const uptime = Math.round(this.#now() - this.#startedAt)
    const own = {
      schema: REDIS_SCHEMA,
      id,
      instance,
      host,
      version: version(),
      config: config.hash,
      role,
      uptime,
      heartbeat: this.#every,
    }
    await redis.run('SET', [redis.key('member', id), JSON.stringify(own), 'PX', this.#every * LASTS])
    await redis.run('SADD', [redis.key('members'), id])
    await redis.run('PEXPIRE', [redis.key('members'), REDIS_KEYS.members.expiry])
    this.#beatAt = this.#now()
  }

  async #writeConfig({ hash, services }: ConfigParts, isListed: boolean): Promise<void> {
    const { redis } = this.#parts
    const wrote = this.#wroteConfig
    if (isListed && wrote?.hash === hash && this.#now() - wrote.at < CONFIG_EVERY) return
    const { expiry } = REDIS_KEYS['config:HASH']
    await redis.run('SET', [redis.key('config', hash), JSON.stringify(services), 'PX', expiry])
    this.#wroteConfig = { hash, at: this.#now() }
  }

  /** Removes directors whose heartbeats have expired. One that lives enters itself again. */
  async #forget(ids: readonly string[]): Promise<void> {
    const { redis, identity } = this.#parts
    for (const id of ids) if (id !== identity.id) await redis.run('SREM', [redis.key('members'), id])
  }

  async #take(values: readonly (string | null)[], config: ConfigParts): Promise<void> {
    const { identity } = this.#parts
    const all = values.flatMap(value => (value === null ? [] : (memberOf(value) ?? [])))
    this.#lookForStranger(all.find(({ id }) => id === identity.id))
    const others = all.filter(({ id }) => id !== identity.id)
    await this.#readConfigs(others.map(each => each.config).filter(hash => hash !== config.hash))
    const { members, events } = nextMembers(this.#known, {
      now: this.#now(),
      config: config.hash,
      members: others,
      isFirst: this.#isFirst,
      graceUntil: this.#graceUntil,
      heartbeat: this.#every,
    })
    const before = this.#known
    this.#known = members
    this.#remember(before, events)
    this.#isFirst = false
    for (const event of events) this.#tell(event, config)
    const own = { host: identity.host, role: this.#parts.self().role, heartbeat: this.#every }
    this.#parts.onRead?.([own, ...[...members.values()].map(({ member }) => member)], this.#now())
  }

  /** Two readings in a row: after a restart the first has the heartbeat of the former process. */
  #lookForStranger(own: Member | undefined): void {
    const { identity, log } = this.#parts
    this.#strangers = own && own.instance !== identity.instance ? this.#strangers + 1 : 0
    if (this.#strangers < 2) return
    this.#strangers = 0
    log.error(
      'cluster.identity-taken',
      { director: own?.host ?? '' },
      'another running director has the same identity, as a copy of a machine has: this one takes a new one',
    )
    identity.renew()
  }

  async #readConfigs(hashes: readonly string[]): Promise<void> {
    const { redis } = this.#parts
    for (const known of this.#others.keys()) if (!hashes.includes(known)) this.#others.delete(known)
    for (const hash of hashes) {
      if (this.#others.has(hash)) continue
      const text = await redis.run('GET', [redis.key('config', hash)])
      const services = typeof text === 'string' && text.length <= MOST_CONFIG ? hashesOf(text) : null
      if (services) this.#others.set(hash, services)
    }
  }

  #differing(member: Member, own: ConfigParts): readonly string[] {
    const other = this.#others.get(member.config)
    return other ? differingParts(own.services, other) : []
  }

  #tell({ kind, member }: MemberEvent, config: ConfigParts): void {
    const { log } = this.#parts
    const { host: director } = member
    if (kind === 'joined')
      log.info(
        'cluster.member-joined',
        { director, version: member.version },
        `the director ${director} has joined the site`,
      )
    else if (kind === 'left')
      log.warn(
        'cluster.member-left',
        { director },
        `the director ${director} is gone: it has no heartbeat any more, so it has ended or cannot use Redis`,
      )
    else if (kind === 'agrees')
      log.info('cluster.member-agrees', { director }, `the director ${director} has the same services again`)
    else {
      const services = this.#differing(member, config).slice(0, NAMES_IN_LOG)
      log.warn(
        'cluster.member-differs',
        // The same for all directors with these two, whoever sees it.
        { director, services, configs: [config.hash, member.config].sort().join(' ') },
        `the director ${director} has another configuration`,
      )
    }
  }
}

function viewOf(member: Member, seenAt: number) {
  return { ...member, isSelf: false, startedAt: seenAt - member.uptime, seenAt }
}

function byHost(a: Member, b: Member): number {
  if (a.host !== b.host) return a.host < b.host ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** What is wrong with Redis is told by the connection. */
function whileAway(error: unknown): void {
  if (!(error instanceof RedisError)) throw error
}

function hashesOf(text: string): Readonly<Record<string, string>> | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    return Object.fromEntries(Object.entries(value).filter(([, hash]) => typeof hash === 'string'))
  } catch {
    return null
  }
}
