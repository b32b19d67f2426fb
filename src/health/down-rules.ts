/**
 * Applies panic and on-down: what becomes of servers that are down. Keeps their clocks over reloads and restarts. Has no
 * timer: `setDeadline` sets when `look` is to be called again.
 */
import type { DownAs } from '../core/desired.js'
import { kernelServicesOf } from '../core/kernel-services.js'
import {
  keyOfReal,
  keyOfService,
  type ResolvedReal,
  type ResolvedService,
  type TableReal,
} from '../core/model.js'
import {
  type DownCause,
  type DownPhase,
  isUdp,
  limited,
  nextDown,
  type OnDown,
  removedAt,
} from '../core/on-down.js'
import type { SavedPanic } from '../core/panic.js'
import { differingOf } from '../core/shared-config.js'
import { runSync } from '../util/time-slice.js'
import type { DownRulesParts } from './down-rules-parts.js'
import { type PanicChange, type PanicStatus, Panics } from './panics.js'
import { firstOf, keysOf, type Successors, succeedingStandings } from './standings.js'

/** A server that was quiesced is removed, because the time of on-down is over. */
export interface Removal {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly since: number
}

/** What becomes of a server that is down, for people. Times are milliseconds of the steady clock. */
export interface DownStatus {
  readonly action: 'held' | 'quiesced' | 'removed'
  /** Null without on-down. */
  readonly cause: DownCause | null
  /** When it is removed; null: not by time. */
  readonly removedAt: number | null
  /** Milliseconds until then. */
  readonly left: number | null
}

interface FollowedReals extends Successors {
  /** Of the servers that have left. */
  readonly phases: ReadonlyMap<ResolvedReal, DownPhase>
  readonly now: number
}

interface DownEntry {
  service: ResolvedService
  readonly real: ResolvedReal
  policy: OnDown
  phase: DownPhase
}

const NONE: readonly never[] = []
const NEW: DownPhase = { phase: 'new' }

/** Plain data for the next process. */
interface Saved {
  readonly keys: readonly string[]
  readonly panic?: SavedPanic
  /** Age in milliseconds, or that it is removed. */
  readonly quiesced?: number | 'removed'
}

export class DownRules {
  readonly #parts: DownRulesParts
  readonly #panics: Panics
  readonly #entries = new Map<ResolvedReal, DownEntry>()
  /** Of the last configuration. */
  #services: readonly ResolvedService[] = []
  readonly #saved = new Map<string, { readonly value: Saved; readonly ageMs: number }>()
  readonly #removals: Removal[] = []
  readonly #touched = new Set<ResolvedService>()

  constructor(parts: DownRulesParts) {
    this.#parts = parts
    this.#panics = new Panics({
      ...parts,
      weightInTable: (one, real) => this.#entryAt(one, real)?.weight,
      onHeld: service => this.#touched.add(service),
    })
  }

  // -------------------------------------------------------------- what follows

  /** Returns what is in the table for a server whose state is down. */
  downAs(service: ResolvedService, real: ResolvedReal): DownAs {
    const fall = this.#panics.fallOf(service, real)
    if (fall) return { heldAt: fall.weight }
    const phase = this.#entries.get(real)?.phase.phase
    if (phase === undefined) return service.quiescent ? 'quiesced' : 'removed'
    return phase === 'quiesced' ? 'quiesced' : 'removed'
  }

  /** True if a panic keeps the server in the table. */
  isHeld(service: ResolvedService, real: ResolvedReal): boolean {
    return this.#panics.fallOf(service, real) !== undefined
  }

  panicOf(service: ResolvedService): PanicStatus | null {
    return this.#panics.panicOf(service)
  }

  downOf(service: ResolvedService, real: ResolvedReal, now: number): DownStatus | null {
    if (this.#parts.stateOf(real) !== 'down') return null
    const as = this.downAs(service, real)
    const entry = this.#entries.get(real)
    const end = entry ? removedAt(entry.phase, entry.policy) : null
    return {
      action: typeof as === 'object' ? 'held' : as,
      cause: entry ? this.#parts.causeOf(service, real) : null,
      removedAt: end,
      left: end === null ? null : Math.max(0, end - now),
    }
  }

  /** Returns the panics that have begun or ended since the last call, each with all servers that it holds by now. */
  takeChanges(): readonly PanicChange[] {
    return this.#panics.takeChanges()
  }

  /** Returns the services whose table may have changed since the last call. */
  takeTouched(): readonly ResolvedService[] {
    if (this.#touched.size === 0) return NONE
    const touched = [...this.#touched]
    this.#touched.clear()
    return touched
  }

  takeRemovals(): readonly Removal[] {
    return this.#removals.length === 0 ? NONE : this.#removals.splice(0)
  }

  /** Returns the service that a deadline belongs to. */
  serviceOf(key: ResolvedService | ResolvedReal): ResolvedService | undefined {
    if (!('reals' in key)) return this.#entries.get(key)?.service
    return this.#panics.serviceOf(key)
  }

  // -------------------------------------------------------------- what changes

  /**
   * Takes the next configuration. Services and servers that were in the previous one go on. Services that are the same
   * objects stay untouched; call `look` for the others next.
   */
  follow(
    next: readonly ResolvedService[],
    now: number,
    { staying, olds }: Successors = runSync(succeedingStandings(this.#services, next)),
  ): void {
    const [gone, fresh] = differingOf(this.#services, next)
    this.#services = next
    const left = new Set(gone)
    const panics = {
      known: this.#panics.leave(left),
      savedOf: (keys: readonly string[]) => {
        const saved = this.#savedOf(keys)
        return saved && { panic: saved.value.panic, ageMs: saved.ageMs }
      },
      now,
    }
    const phases = this.#leaveReals(left, staying)
    for (const service of fresh) {
      this.#panics.follow(service, panics)
      if (service.onDown) this.#followReals(service, service.onDown, { phases, staying, olds, now })
      else if (this.#entries.size > 0) for (const real of service.reals) this.#leaveReal(real)
    }
    // A saved value does not apply to a server that a later configuration adds.
    this.#saved.clear()
  }

  #leaveReal(real: ResolvedReal): void {
    if (this.#entries.delete(real)) this.#parts.setDeadline(real, null)
  }

  #leaveReals(
    services: ReadonlySet<ResolvedService>,
    staying: ReadonlySet<ResolvedReal>,
  ): ReadonlyMap<ResolvedReal, DownPhase> {
    const phases = new Map<ResolvedReal, DownPhase>()
    for (const { service, real, phase } of this.#entries.values()) {
      if (!services.has(service) || staying.has(real)) continue
      this.#leaveReal(real)
      phases.set(real, phase)
    }
    return phases
  }

  #followReals(
    service: ResolvedService,
    onDown: OnDown,
    { phases, staying, olds, now }: FollowedReals,
  ): void {
    const policy = limited(onDown, isUdp(service))
    for (const real of service.reals) {
      const kept = staying.has(real) && this.#entries.get(real)
      if (kept) {
        kept.service = service
        kept.policy = policy
        continue
      }
      const phase = firstOf(olds.get(real), phases) ?? this.#restored(service, real, now)
      this.#entries.set(real, { service, real, phase, policy })
    }
  }

  #restored(service: ResolvedService, real: ResolvedReal, now: number): DownPhase {
    const saved = this.#saved.size > 0 ? this.#savedOf(keysOf(service, real)) : undefined
    const { quiesced } = saved?.value ?? {}
    if (!saved || quiesced === undefined) return NEW
    return quiesced === 'removed'
      ? { phase: 'removed' }
      : { phase: 'quiesced', since: now - quiesced - saved.ageMs }
  }

  #savedOf(keys: readonly string[]) {
    return keys.flatMap(key => this.#saved.get(key) ?? [])[0]
  }

  /**
   * Applies the rules after the state of these servers (null: of any of the service), an override or the time changed. Returns
   * true if a panic has begun or ended.
   */
  look(service: ResolvedService, reals: readonly ResolvedReal[] | null, now: number): boolean {
    if (this.#panics.size === 0 && this.#entries.size === 0) return false
    const hasPanicChanged = this.#panics.look(service, reals, now)
    for (const one of (!hasPanicChanged && reals) || service.reals) this.#lookAtReal(one, now)
    return hasPanicChanged
  }

  #lookAtReal(real: ResolvedReal, now: number): void {
    const entry = this.#entries.get(real)
    if (!entry) return
    const { service, policy, phase: before } = entry
    // A server that a panic holds counts as up: its time begins when the panic ends.
    const state = this.isHeld(service, real) ? 'up' : this.#parts.stateOf(real)
    const isInTable = () => this.#entryOf(service, real) !== undefined
    const cause = state === 'down' ? this.#parts.causeOf(service, real) : 'sick'
    entry.phase = nextDown(before, { state, cause, policy, isInTable, now })
    // While its state is unknown after a restart, it stays; its first result decides.
    this.#parts.setDeadline(real, state === 'down' ? removedAt(entry.phase, policy) : null)
    if (entry.phase !== before) this.#touched.add(service)
    if (before.phase === 'quiesced' && entry.phase.phase === 'removed')
      this.#removals.push({ service, real, since: before.since })
  }

  #entryOf(service: ResolvedService, real: ResolvedReal): TableReal | undefined {
    return kernelServicesOf(service, real).flatMap(one => this.#entryAt(one, real) ?? [])[0]
  }

  #entryAt({ id }: ResolvedService, { address, port }: ResolvedReal): TableReal | undefined {
    const reals = id && this.#parts.table()?.get(keyOfService(id))?.reals
    return (address && reals?.get(keyOfReal({ address, port }))) || undefined
  }

  // -------------------------------------------------------------- the next process

  *save(now: number): Iterable<Saved> {
    yield* this.#panics.save(now)
    for (const { service, real, phase } of this.#entries.values()) {
      if (phase.phase === 'quiesced') yield { keys: keysOf(service, real), quiesced: now - phase.since }
      if (phase.phase === 'removed') yield { keys: keysOf(service, real), quiesced: 'removed' }
    }
  }

  /** Takes a value of `save` from an earlier process, before the first `follow`. `ageMs`: the time since then. */
  restore(value: unknown, ageMs: number): void {
    const saved = value as Saved
    if (!Array.isArray(saved.keys)) throw new Error('no state of a down server')
    for (const key of saved.keys) this.#saved.set(key, { value: saved, ageMs })
  }
}
