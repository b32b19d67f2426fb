/**
 * This director as one of several: its role and its connectivity, and what follows from them for the table and the
 * checks.
 */

import type { Check } from '../check/check.js'
import type { ClusterSettings } from '../config/schema/model-keys.js'
import type { IsSecretName } from '../config/secret-text.js'
import type { Address } from '../core/address.js'
import { modeWhile, trackedNumber } from '../core/connectivity.js'
import type { Service } from '../core/model.js'
import { type Role, type StandbyChecks, type TableMode, tableMode } from '../core/role.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { ActiveWatch } from './active-watch.js'
import type { AlertClaims } from './alert-claims.js'
import { type ConfigParts, configParts } from './config-parts.js'
import type { ConnectivityChange, ConnectivityMonitor } from './connectivity/monitor.js'
import { openConnectivity } from './connectivity/open.js'
import { TrackFile } from './connectivity/track-file.js'
import { Identity } from './identity.js'
import { type DirectorView, Members } from './members.js'
import { RedisClient, type RedisStatus, type SiteRedis } from './redis/site-redis.js'
import { type NotifyOutcome, RoleKeeper, type RoleState } from './role/role-keeper.js'
import type { AddressKernel, ToldWord } from './role/role-vrrp.js'
import { SyncKeeper, type SyncSnapshot } from './sync-keeper.js'
import { SiteVerdicts, type VerdictsFollower } from './verdicts/site-verdicts.js'
import type { SharingSnapshot } from './verdicts/verdict-types.js'

export interface ClusterParts {
  readonly log: Log
  /** File of the identity of this director; null: it ends with the process. */
  readonly path: string | null
  /** The addresses of this machine; replaced in tests. */
  readonly addresses?: AddressKernel
  /** File with what VRRP has said last; null or absent: nothing is stored. */
  readonly memoryPath?: string | null | undefined
  /** The kernel's sync daemons; absent: there are none. */
  readonly sync?: Kernel['sync']
  readonly clock?: Clock
  /** Returns the source address for a ping, or null: the kernel chooses. */
  readonly sourceOf?: ((target: Address) => Address | null) | undefined
  /** Who follows what the directors say of checks. */
  readonly verdicts?: VerdictsFollower
  /** Agrees with the other directors who sends alerts. */
  readonly claims?: Pick<AlertClaims, 'attach'> | undefined
  /** The network is lost, or back. */
  onConnectivity?(change: ConnectivityChange): void
  /** What follows for the table or the checks has changed. */
  onChange(change: RoleChange): void
}

export interface RoleChange {
  readonly state: RoleState
  readonly before: Role
  readonly table: TableMode
}

export interface ClusterSnapshot {
  readonly site: string
  readonly role: RoleState
  readonly from: ClusterSettings['role']['from']
  readonly standby: ClusterSettings['standby']
  readonly table: TableMode
  readonly trouble: string | null
  /** Set while no director of the site is active, or several are. */
  readonly activeTrouble: string | null
  /** Null: no Redis is configured. */
  readonly redis: RedisStatus | null
  /** Null: nothing says by what it is judged. */
  readonly connectivity: ConnectivitySnapshot | null
  /** Null: the configuration has no sync daemon. */
  readonly sync: SyncSnapshot | null
  /** Null: every director asks everything by itself. */
  readonly verdicts: SharingSnapshot | null
  /** The directors of the site, this one first; empty without Redis. */
  readonly directors: readonly DirectorView[]
}

export interface ConnectivitySnapshot {
  /** Set while the network is lost. */
  readonly lost: ConnectivityChange | null
  readonly isInDoubt: boolean
  /** Whether the pinged addresses answer, by their texts; null: not known yet. */
  readonly answering: ReadonlyMap<string, boolean | null>
  /** What the track-file was given last; null: nothing, or there is none. */
  readonly tracked: number | null
}

/** What the cluster takes of a configuration. */
export interface ClusterConfig {
  readonly cluster?: ClusterSettings
  readonly services: readonly Service[]
}

/** Milliseconds for the file of the identity at a stop. */
const PATIENCE = 1000

export class Cluster {
  readonly #role: RoleKeeper
  readonly #redis: RedisClient
  readonly #trackFile: TrackFile
  /** The kernel's sync daemon. */
  readonly sync: SyncKeeper
  /** Whether this director has its network. */
  readonly connectivity: ConnectivityMonitor
  readonly #identity: Identity
  readonly #members: Members
  readonly #active: ActiveWatch
  /** What the directors say of the checks that they share. */
  readonly verdicts: SiteVerdicts
  #settings: ClusterSettings | null = null
  /** Set by `load`, if there is a cluster. */
  #secretNames: ((checks: ReadonlyMap<string, Check>) => IsSecretName) | null = null
  #parts: () => ConfigParts = () => ({ hash: '-', services: {} })

  constructor({ onChange, onConnectivity, sourceOf, path, ...parts }: ClusterParts) {
    this.#identity = new Identity(path, parts.log)
    this.#redis = new RedisClient(parts)
    parts.claims?.attach(this)
    this.#trackFile = new TrackFile(parts)
    this.sync = new SyncKeeper({ ...parts, sync: parts.sync ?? null, role: () => this.role })
    this.connectivity = openConnectivity({
      ...parts,
      ...(sourceOf && { sourceOf }),
      onChange: change => {
        onConnectivity?.(change)
        this.#role.ableChanged()
        this.verdicts.ableChanged()
      },
      onLook: () => this.#track(),
    })
    const common = { ...parts, redis: this.#redis, identity: this.#identity }
    this.#active = new ActiveWatch(parts)
    this.#members = new Members({
      ...common,
      self: () => ({ role: this.role, config: this.#parts() }),
      onRead: (living, now) => this.#active.take(living, now),
    })
    this.verdicts = new SiteVerdicts({
      ...common,
      follower: parts.verdicts ?? null,
      config: () => this.#parts().hash,
      isAble: () => this.connectivity.current === null && (this.role === 'active' || this.checks === 'on'),
      isSame: (config, service) => this.#members.isSame(config, service),
      knows: config => this.#members.knows(config),
    })
    this.#role = new RoleKeeper({
      ...common,
      isAble: () => this.connectivity.current === null,
      onChange: (state, before) => {
        this.#members.beatNow()
        this.verdicts.ableChanged()
        this.#track()
        onChange({ state, before, table: this.table })
      },
    })
  }

  /** Who this director is in its site. */
  get self(): { readonly id: string; readonly instance: string; readonly host: string } {
    return this.#identity
  }

  /** Id of this director in its site, and of the directors that lived at the last reading, this one included. */
  get id(): string {
    return this.#identity.id
  }

  get living(): readonly string[] {
    return this.#members.living
  }

  /** What of it counts when results are judged. */
  get judgement(): { readonly connectivity: ConnectivityMonitor; readonly shared: SiteVerdicts } {
    return { connectivity: this.connectivity, shared: this.verdicts }
  }

  /** What the reconciler does at present. */
  get table(): TableMode {
    const mode = tableMode(this.#role.state.role, this.#settings?.standby.table ?? 'same')
    return modeWhile(this.connectivity.current !== null, mode)
  }

  get role(): Role {
    return this.#role.state.role
  }

  /** What a standby does with its checks. */
  get checks(): StandbyChecks {
    return this.#settings?.standby.checks ?? 'on'
  }

  /** The Redis of the site; its state is off if none is configured. */
  get redis(): SiteRedis {
    return this.#redis
  }

  /** Null: this director serves alone. */
  snapshot(): ClusterSnapshot | null {
    const settings = this.#settings
    return (
      settings && {
        site: settings.site,
        role: this.#role.state,
        from: settings.role.from,
        standby: settings.standby,
        table: this.table,
        trouble: this.#role.trouble,
        activeTrouble: this.#active.trouble,
        redis: settings.redis && this.#redis.status,
        connectivity: settings.connectivity ? this.#connectivity() : null,
        sync: settings.sync ? this.sync.snapshot : null,
        verdicts: this.verdicts.snapshot(),
        directors: this.#members.snapshot(),
      }
    )
  }

  /** Loads what this configuration needs. Before `follow`. */
  async load(config: ClusterConfig): Promise<void> {
    // Most directors serve alone, and need not load all that reads a configuration.
    if (config.cluster) this.#secretNames ??= (await import('../config/secrets.js')).secretNames
  }

  /** Before a start: waits until the role is known, but not for long. */
  async prepare(config: ClusterConfig, checks: ReadonlyMap<string, Check>): Promise<void> {
    if (config.cluster) await Promise.all([this.#identity.load(), this.load(config)])
    this.#take(config, checks)
    await this.#role.prepare(this.#settings?.role ?? null)
  }

  /** Takes the configuration that is put in force. */
  follow(config: ClusterConfig, checks: ReadonlyMap<string, Check>): void {
    if (config.cluster) void this.#identity.load()
    this.#take(config, checks)
    this.#role.follow(this.#settings?.role ?? null)
    this.#trackFile.follow(this.#settings?.trackFile?.path ?? null)
    this.connectivity.follow(this.#settings?.connectivity ?? null)
    this.sync.follow(this.#settings?.sync ?? null)
  }

  /** Takes what a command of keepalived has brought. */
  notify(word: ToldWord): NotifyOutcome {
    return this.#role.notify(word)
  }

  /** Tells the other directors of the end. Never rejects. */
  async close(): Promise<void> {
    this.connectivity.close()
    await this.verdicts.close()
    await Promise.all([this.#role.close(), this.sync.close(), this.#trackFile.close(), this.#members.close()])
    this.#redis.close()
    await this.#identity.close(PATIENCE)
  }

  #take({ cluster, services }: ClusterConfig, checks: ReadonlyMap<string, Check>): void {
    const isOther = keysOf(cluster) !== keysOf(this.#settings)
    this.#settings = cluster ?? null
    this.#active.follow(this.#settings)
    const { site = '', redis = null, heartbeat = 0 } = cluster ?? {}
    this.#redis.follow(site, redis)
    const before = this.#parts
    const isSecret = cluster ? this.#isSecretIn(checks) : () => false
    this.#parts = () => configParts(services, checks, isSecret)
    // The directors of the former site are none of this one.
    if (isOther) this.#members.follow(null)
    this.#members.follow(redis && heartbeat)
    this.verdicts.follow(redis && cluster ? cluster : null, isSecret)
    if (redis && before().hash !== this.#parts().hash) this.#members.beatNow()
  }

  /** A hash with a secret in it must not leave this machine. */
  #isSecretIn(checks: ReadonlyMap<string, Check>): IsSecretName {
    if (!this.#secretNames) throw new Error('a cluster follows a configuration before it is loaded')
    return this.#secretNames(checks)
  }

  #track(): void {
    const { trackFile } = this.#settings ?? {}
    if (!trackFile) return
    const { current, isSettled, isJudged } = this.connectivity
    this.#trackFile.set(
      trackedNumber({ isJudged, isSettled, isLost: current !== null }, this.role, trackFile.weight),
    )
  }

  #connectivity(): ConnectivitySnapshot {
    const { current, isInDoubt, answering } = this.connectivity
    return { lost: current, isInDoubt, answering, tracked: this.#trackFile.value }
  }
}

/** Where the site has its keys; a change is another site. */
function keysOf(cluster: ClusterSettings | null | undefined): string {
  return JSON.stringify([cluster?.site, cluster?.redis?.prefix])
}
