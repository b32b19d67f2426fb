/** Knows the role of this director: takes it from the source that the configuration names, and tells changes. */
import type { RoleSettings } from '../../config/schema/model-keys.js'
import type { Role } from '../../core/role.js'
import type { Log } from '../../system/log.js'
import { type Clock, steadyNow } from '../../util/clock.js'
import { waitAtMost } from '../../util/with-timeout.js'
import type { Identity } from '../identity.js'
import type { SiteRedis } from '../redis/site-redis.js'
import { RoleFile } from './role-file.js'
import { RoleLease } from './role-lease.js'
import { RoleMemory } from './role-memory.js'
import type { RoleReport, RoleSource } from './role-source.js'
import { type AddressKernel, RoleVrrp, type ToldWord } from './role-vrrp.js'

export interface RoleState extends RoleReport {
  /** Milliseconds of the steady clock. */
  readonly since: number
}

export interface RoleKeeperParts {
  readonly log: Log
  readonly clock?: Pick<Clock, 'alarm'>
  /** The addresses of this machine; replaced in tests. */
  readonly addresses?: AddressKernel
  /** File with what VRRP has said last; null or absent: nothing is stored. */
  readonly memoryPath?: string | null | undefined
  /** Returns milliseconds of the steady clock. */
  readonly now?: () => number
  /** For a role from a lease. */
  readonly redis?: SiteRedis
  readonly identity?: Identity
  /** False: this director cannot serve, and lets its lease go. */
  readonly isAble?: () => boolean
  /** The role has changed. Not called for the role at the start. */
  onChange(state: RoleState, before: Role): void
}

/** Maximum milliseconds for which a start waits for the source of the role. */
const PATIENCE = 2000

/** Maximum milliseconds for the file of the last word, when lvsd stops. */
const LAST_PATIENCE = 2000

/** Whether a word of a command counts: not if VRRP is not asked, it is about another instance, or a later one is known. */
export type NotifyOutcome = 'counts' | 'late' | 'other' | 'not asked'

/** Milliseconds, as the schema has it. */
const LEASE = 5000

/** Until the source has said something: nothing has promised this director the virtual addresses. */
const NOT_TOLD: RoleReport = { role: 'standby', reason: 'its role has not been told yet' }
const ALONE: RoleReport = { role: 'active', reason: 'it is always active' }

export class RoleKeeper {
  readonly #parts: RoleKeeperParts
  readonly #now: () => number
  #settings: RoleSettings | null = null
  readonly #memory: RoleMemory
  #source: RoleSource | null = null
  #state: RoleState
  #trouble: string | null = null
  #hasStarted = false

  constructor(parts: RoleKeeperParts) {
    this.#parts = parts
    this.#now = parts.now ?? steadyNow
    this.#memory = new RoleMemory({ log: parts.log, path: parts.memoryPath ?? null })
    this.#state = { ...ALONE, since: this.#now() }
  }

  get state(): RoleState {
    return this.#state
  }

  /** A sentence if the source of the role cannot be read; else null. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** Takes the settings; null: this director serves alone. A source with the same settings goes on. */
  follow(settings: RoleSettings | null): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return
    this.#settings = settings
    this.#source?.close()
    this.#source = null
    this.#trouble = null
    if (settings?.from === 'file' && settings.path !== null) this.#source = this.#openFile(settings.path)
    else if (settings?.from === 'vrrp') this.#source = this.#openVrrp(settings)
    else if (settings?.from === 'redis') this.#source = this.#openLease(settings.lease ?? LEASE)
    else this.#take(ALONE)
  }

  /** Whether this director can serve has changed: a lease is let go or taken at once. */
  ableChanged(): void {
    if (this.#source instanceof RoleLease) void this.#source.askNow()
  }

  /** Takes what a command of keepalived has brought. */
  notify(word: ToldWord): NotifyOutcome {
    const source = this.#source
    if (!(source instanceof RoleVrrp)) return 'not asked'
    if (!source.concerns(word)) return 'other'
    return source.tell(word) ? 'counts' : 'late'
  }

  /** Before a start: waits until the role is known, but not for long. */
  async prepare(settings: RoleSettings | null): Promise<void> {
    if (settings && settings.from !== 'always-active') this.#take(NOT_TOLD)
    if (settings?.from === 'vrrp') await this.#memory.load()
    this.follow(settings)
    if (this.#source) await waitAtMost(PATIENCE, this.#source.first)
    this.#hasStarted = true
  }

  /** At a stop a lease is let go, so that another director takes over at once. Never rejects. */
  async close(): Promise<void> {
    if (this.#source instanceof RoleLease) await this.#source.release()
    this.#source?.close()
    await this.#memory.close(LAST_PATIENCE)
  }

  #openVrrp(settings: RoleSettings): RoleVrrp {
    const { log, clock, addresses } = this.#parts
    // A reload may ask for VRRP for the first time.
    void this.#memory.load()
    return new RoleVrrp({
      settings,
      log,
      ...(clock && { clock }),
      ...(addresses && { kernel: addresses }),
      remembered: this.#memory.word,
      onReport: report => this.#take(report),
      onTrouble: trouble => this.#tell(trouble),
      onWord: word => this.#memory.keep(word),
    })
  }

  #openFile(path: string): RoleSource {
    const { log, clock } = this.#parts
    return new RoleFile({
      path,
      log,
      ...(clock && { clock }),
      onReport: report => this.#take(report),
      onTrouble: trouble => this.#tell(trouble),
    })
  }

  #openLease(length: number): RoleSource | null {
    const { log, clock, redis, identity, isAble } = this.#parts
    if (!redis || !identity) return null
    return new RoleLease({
      redis,
      identity,
      length,
      log,
      ...(clock && { clock }),
      ...(isAble && { isAble }),
      onReport: report => this.#take(report),
    })
  }

  #take(report: RoleReport): void {
    const before = this.#state.role
    const hasChanged = before !== report.role
    this.#state = { ...report, since: hasChanged || !this.#hasStarted ? this.#now() : this.#state.since }
    if (hasChanged && this.#hasStarted) this.#parts.onChange(this.#state, before)
  }

  #tell(trouble: string | null): void {
    const { log } = this.#parts
    if (trouble !== null) log.error('role.unknown', { role: this.#state.role, error: trouble }, trouble)
    else if (this.#trouble !== null) log.info('role.known', {}, 'the role of this director is known again')
    this.#trouble = trouble
  }
}
