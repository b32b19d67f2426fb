/** This director as one of several: its role, and what follows from it for the table and the checks. */
import type { ClusterSettings } from '../config/schema/model-keys.js'
import { type Role, type StandbyChecks, type TableMode, tableMode } from '../core/role.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { RedisClient, type RedisStatus, type SiteRedis } from './redis/site-redis.js'
import { type NotifyOutcome, RoleKeeper, type RoleState } from './role/role-keeper.js'
import type { AddressKernel, ToldWord } from './role/role-vrrp.js'

export interface ClusterParts {
  readonly log: Log
  readonly clock?: Pick<Clock, 'now' | 'alarm' | 'random'>
  /** The addresses of this machine; replaced in tests. */
  readonly addresses?: AddressKernel
  /** File with what VRRP has said last; null or absent: nothing is stored. */
  readonly memoryPath?: string | null | undefined
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
  /** Null: no Redis is configured. */
  readonly redis: RedisStatus | null
}

export class Cluster {
  readonly #role: RoleKeeper
  readonly #redis: RedisClient
  #settings: ClusterSettings | null = null

  constructor({ onChange, ...parts }: ClusterParts) {
    this.#redis = new RedisClient(parts)
    this.#role = new RoleKeeper({
      ...parts,
      onChange: (state, before) => onChange({ state, before, table: this.table }),
    })
  }

  /** What the reconciler does at present. */
  get table(): TableMode {
    return tableMode(this.#role.state.role, this.#settings?.standby.table ?? 'same')
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
        redis: settings.redis && this.#redis.status,
      }
    )
  }

  /** Before a start: waits until the role is known, but not for long. */
  prepare({ cluster }: { readonly cluster?: ClusterSettings }): Promise<void> {
    this.#settings = cluster ?? null
    this.#followRedis()
    return this.#role.prepare(this.#settings?.role ?? null)
  }

  /** Takes the configuration that is put in force. */
  follow({ cluster }: { readonly cluster?: ClusterSettings }): void {
    this.#settings = cluster ?? null
    this.#followRedis()
    this.#role.follow(this.#settings?.role ?? null)
  }

  /** Takes what a command of keepalived has brought. */
  notify(word: ToldWord): NotifyOutcome {
    return this.#role.notify(word)
  }

  async close(): Promise<void> {
    this.#redis.close()
    await this.#role.close()
  }

  #followRedis(): void {
    const { site = '', redis = null } = this.#settings ?? {}
    this.#redis.follow(site, redis)
  }
}
