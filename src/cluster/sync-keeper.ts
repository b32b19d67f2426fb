/**
 * Keeps the kernel's sync daemon as the configuration says, by the role. It is read again at each change of the role and at
 * each interval, so what another program changes is repaired. Without `sync` in the configuration nothing is touched;
 * at the end of lvsd the daemon goes on, as the table does.
 */
import type { Role } from '../core/role.js'
import {
  type SyncChange,
  type SyncDaemon,
  type SyncPolicy,
  syncChanges,
  wantedDaemons,
} from '../core/sync-daemon.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { Poller } from '../util/poller.js'

export interface SyncKeeperParts {
  readonly sync: Kernel['sync'] | null
  readonly log: Log
  readonly clock?: Pick<Clock, 'alarm'>
  role(): Role
}

export interface SyncSnapshot {
  /** Those that run, of other programs too. */
  readonly daemons: readonly SyncDaemon[]
  readonly trouble: string | null
}

/** Milliseconds between two readings. One costs a system call. */
const EVERY = 10_000

export class SyncKeeper {
  readonly #parts: SyncKeeperParts
  readonly #rounds: Poller
  #policy: SyncPolicy | null = null
  #daemons: readonly SyncDaemon[] = []
  #trouble: string | null = null
  #isBegun = false

  constructor(parts: SyncKeeperParts) {
    this.#parts = parts
    this.#rounds = new Poller('sync daemon', () => this.#round(), parts)
  }

  get snapshot(): SyncSnapshot {
    return { daemons: this.#daemons, trouble: this.#trouble }
  }

  follow(policy: SyncPolicy | null): void {
    this.#policy = policy
    if (!this.#parts.sync || (policy === null && !this.#isBegun)) return
    this.#isBegun = true
    this.#rounds.every(EVERY)
    void this.now()
  }

  /** The role has changed. Never rejects. */
  async now(): Promise<void> {
    if (!this.#isBegun) return
    // A round under way may have begun before the change.
    await this.#rounds.now()
    await this.#rounds.now()
  }

  async close(): Promise<void> {
    await this.#rounds.stop()
  }

  async #round(): Promise<void> {
    const { sync } = this.#parts
    if (!sync) return
    try {
      this.#daemons = await sync.daemons()
      const wanted = this.#policy && wantedDaemons(this.#policy, this.#parts.role())
      const changes = wanted ? syncChanges(wanted, this.#daemons) : []
      for (const change of changes) await this.#make(sync, change)
      if (changes.length > 0) this.#daemons = await sync.daemons()
      this.#tell(null)
    } catch (error) {
      this.#tell((error as Error).message)
    }
  }

  async #make(sync: NonNullable<Kernel['sync']>, change: SyncChange): Promise<void> {
    const { log } = this.#parts
    if (change.op === 'stop') {
      await sync.stop(change.state)
      log.info('sync.stopped', { state: change.state }, `the ${change.state} sync daemon is stopped`)
      return
    }
    const { state, id, interface: link } = change.daemon
    await sync.start(change.daemon)
    log.info(
      'sync.started',
      { state, interface: link, id },
      `the ${state} sync daemon runs on ${link}, syncid ${id}`,
    )
  }

  #tell(trouble: string | null): void {
    if (trouble === this.#trouble) return
    const { log } = this.#parts
    if (trouble !== null) log.error('sync.refused', { error: trouble }, trouble)
    else log.info('sync.works', {}, 'the sync daemon is as it should be again')
    this.#trouble = trouble
  }
}
