/** Tells if no director of the site is active, or several are. What Redis has of them is another way than that of VRRP. */
import type { ClusterSettings } from '../config/schema/model-keys.js'
import type { Role } from '../core/role.js'
import { type ActiveFault, type ActiveView, ALL_RIGHT, nextActive } from '../core/site-active.js'
import type { Log } from '../system/log.js'

/** A director that lives. */
export interface Living {
  readonly host: string
  readonly role: Role
  /** Milliseconds between its heartbeats; null: it does not say. */
  readonly heartbeat: number | null
}

/** Milliseconds for a takeover. */
const TAKEOVER = 10_000
/** A director that is dead counts as living for three heartbeats, and the others read once in each of theirs. */
const HEARTBEATS = 4

export class ActiveWatch {
  readonly #log: Pick<Log, 'error' | 'warn'>
  #settings: ClusterSettings | null = null
  #view: ActiveView = ALL_RIGHT
  #text: string | null = null

  constructor({ log }: { readonly log: Pick<Log, 'error' | 'warn'> }) {
    this.#log = log
  }

  /** What is wrong, as a sentence for people; null: nothing that has lasted. */
  get trouble(): string | null {
    return this.#text
  }

  /** Takes new settings. Null, and those without Redis: nothing is known of other directors. */
  follow(settings: ClusterSettings | null): void {
    const isOther = settings?.site !== this.#settings?.site
    this.#settings = settings
    if (!isWatched(settings) || isOther) this.#end()
  }

  /** Takes the directors that live, this one included. `now`: milliseconds of the steady clock. */
  take(living: readonly Living[], now: number): void {
    const settings = this.#settings
    if (!settings || !isWatched(settings)) return
    const { view, tell } = nextActive(this.#view, {
      now,
      roles: living.map(({ role }) => role),
      mayBeSeveral: (settings.role.address?.length ?? 1) > 1,
      patience: patienceOf(settings, living),
    })
    this.#view = view
    if (tell === 'over') this.#tellEnd()
    else if (tell) this.#tell(tell, living)
  }

  #tell(fault: ActiveFault, living: readonly Living[]): void {
    const hosts = living.filter(({ role }) => role === 'active').map(({ host }) => host)
    this.#text = textOf(fault, hosts.sort())
    if (fault === 'none') this.#log.error('cluster.none-active', {}, this.#text)
    else this.#log.error('cluster.several-active', { directors: hosts }, this.#text)
  }

  #end(): void {
    if (this.#view.told !== null) this.#tellEnd()
    this.#view = ALL_RIGHT
  }

  #tellEnd(): void {
    this.#text = null
    this.#log.warn('cluster.one-active', {}, 'the active directors of the site are as they should be again')
  }
}

function isWatched(settings: ClusterSettings | null): boolean {
  return settings !== null && (settings.redis ?? null) !== null && settings.role.from !== 'always-active'
}

function patienceOf({ role: { lease }, heartbeat }: ClusterSettings, living: readonly Living[]): number {
  const slowest = Math.max(heartbeat, ...living.map(each => each.heartbeat ?? 0))
  return Math.max(TAKEOVER, 2 * (lease ?? 0)) + HEARTBEATS * slowest
}

function textOf(fault: ActiveFault, hosts: readonly string[]): string {
  if (fault === 'none')
    return 'no director is active, as far as Redis knows: clients reach none, or lvsd has ended on the active one or cannot use Redis there; "lvsd role" on each tells why'
  return `${hosts.length} directors are active at once: ${hosts.join(', ')}; what moves the addresses on one may not hear the others; "lvsd role" on each tells why`
}
