/**
 * Applies panic and on-down: what becomes of servers that are down. Keeps their clocks over reloads and restarts. Has no
 * timer: `setDeadline` sets when `look` is to be called again.
 */
import type { DownAs } from '../core/desired.js'
import {
  type HealthState,
  keyOfReal,
  keyOfService,
  type ResolvedReal,
  type ResolvedService,
  type Table,
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
import { type SavedPanic, ServicePanic } from '../core/panic.js'
import { keysOf } from './standings.js'

export interface DownRulesParts {
  /** State after damping, without the override. */
  stateBeforeOverride(real: ResolvedReal): HealthState
  /** State after damping and the override. */
  stateOf(real: ResolvedReal): HealthState
  /** True if an override decides the state. */
  isOverridden(real: ResolvedReal): boolean
  /** Why it is down by its checks. */
  causeOf(service: ResolvedService, real: ResolvedReal): DownCause
  /** True if the actual table shows the server in service. */
  isInService(service: ResolvedService, real: ResolvedReal): boolean
  /** The actual table; null before the first read. */
  table(): Table | null
  /** Sets when `look` is to be called for the server, or for the service; null: not by time. */
  setDeadline(key: ResolvedService | ResolvedReal, at: number | null): void
}

/** A panic begins or ends. Times are milliseconds of the steady clock. */
export interface PanicChange {
  readonly service: ResolvedService
  /** False: it is over. */
  readonly isPanic: boolean
  readonly since: number
  /** Number of its servers that are held, or were held when it ended. */
  readonly held: number
  /** The servers that are held; none when it ends. */
  readonly reals: readonly ResolvedReal[]
  /** Number of its servers with a configured weight above 0 that no override decides. */
  readonly of: number
}

/** A server that was quiesced is removed, because the time of on-down is over. */
export interface Removal {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly since: number
}

/** Panic of a service for people. Times are milliseconds of the steady clock. */
export interface PanicStatus {
  readonly since: number
  readonly until: number
  readonly held: readonly ResolvedReal[]
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

interface PanicEntry {
  readonly service: ResolvedService
  readonly panic: ServicePanic
  counted: number
}

interface DownEntry {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly policy: OnDown
  phase: DownPhase
}

/** Stands for the service itself in `keysOf`. */
const NO_REAL = { host: '', port: 0 }
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
  #panics = new Map<string, PanicEntry>()
  #entries = new Map<ResolvedReal, DownEntry>()
  readonly #saved = new Map<string, { readonly value: Saved; readonly ageMs: number }>()
  readonly #changes: PanicChange[] = []
  readonly #removals: Removal[] = []
  readonly #touched = new Set<ResolvedService>()

  constructor(parts: DownRulesParts) {
    this.#parts = parts
  }

  // -------------------------------------------------------------- what follows

  /** Returns what is in the table for a server whose state is down. */
  downAs(service: ResolvedService, real: ResolvedReal): DownAs {
    const fall = this.#panics.get(service.name)?.panic.held.get(placeOf(real))
    if (fall) return { heldAt: fall.weight }
    const phase = this.#entries.get(real)?.phase.phase
    if (phase === undefined) return service.quiescent ? 'quiesced' : 'removed'
    return phase === 'quiesced' ? 'quiesced' : 'removed'
  }

  /** True if a panic keeps the server in the table. */
  isHeld(service: ResolvedService, real: ResolvedReal): boolean {
    return this.#panics.get(service.name)?.panic.held.has(placeOf(real)) ?? false
  }

  panicOf(service: ResolvedService): PanicStatus | null {
    const panic = this.#panics.get(service.name)?.panic
    if (!panic || panic.since === null || !service.panic) return null
    const held = service.reals.filter(real => panic.held.has(placeOf(real)))
    return { since: panic.since, until: panic.since + service.panic.for, held }
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
    return this.#changes.splice(0).map(change => {
      const reals = this.panicOf(change.service)?.held ?? []
      return change.isPanic && reals.length > 0 ? { ...change, held: reals.length, reals } : change
    })
  }

  /** Returns the services whose table may have changed since the last call. */
  takeTouched(): readonly ResolvedService[] {
    const touched = [...this.#touched]
    this.#touched.clear()
    return touched
  }

  takeRemovals(): readonly Removal[] {
    return this.#removals.splice(0)
  }

  /** Returns the service that a deadline belongs to. */
  serviceOf(key: ResolvedService | ResolvedReal): ResolvedService | undefined {
    return 'reals' in key ? this.#panics.get(key.name)?.service : this.#entries.get(key)?.service
  }

  // -------------------------------------------------------------- what changes

  /** Takes the next configuration. Services and servers that were in the previous one go on. Call `look` next. */
  follow(next: readonly ResolvedService[], now: number): void {
    const panics = new Map<string, ServicePanic>()
    for (const { service, panic } of this.#panics.values()) {
      this.#parts.setDeadline(service, null)
      for (const key of keysOf(service, NO_REAL)) panics.set(key, panic)
    }
    const phases = new Map<string, DownPhase>()
    for (const { service, real, phase } of this.#entries.values()) {
      this.#parts.setDeadline(real, null)
      for (const key of keysOf(service, real)) phases.set(key, phase)
    }
    this.#panics = new Map()
    this.#entries = new Map()
    for (const service of next) {
      this.#followPanic(service, panics, now)
      if (service.onDown) this.#followReals(service, service.onDown, phases, now)
    }
    // A saved value does not apply to a server that a later configuration adds.
    this.#saved.clear()
  }

  #followPanic(service: ResolvedService, known: ReadonlyMap<string, ServicePanic>, now: number): void {
    const keys = keysOf(service, NO_REAL)
    const old = keys.flatMap(key => known.get(key) ?? [])[0]
    // Without the setting a last look ends the panic.
    if (!service.panic && old?.since == null) return
    const panic = old ?? new ServicePanic()
    const saved = old ? undefined : this.#savedOf(keys)
    if (saved?.value.panic) panic.restore(saved.value.panic, now - saved.ageMs)
    panic.follow(new Set(service.reals.map(placeOf)))
    this.#panics.set(service.name, { service, panic, counted: 0 })
  }

  #followReals(
    service: ResolvedService,
    policy: OnDown,
    known: ReadonlyMap<string, DownPhase>,
    now: number,
  ): void {
    for (const real of service.reals) {
      const keys = keysOf(service, real)
      const phase = keys.flatMap(key => known.get(key) ?? [])[0] ?? this.#restored(keys, now)
      this.#entries.set(real, { service, real, phase, policy: limited(policy, isUdp(service)) })
    }
  }

  #restored(keys: readonly string[], now: number): DownPhase {
    const saved = this.#savedOf(keys)
    const { quiesced } = saved?.value ?? {}
    if (!saved || quiesced === undefined) return NEW
    return quiesced === 'removed'
      ? { phase: 'removed' }
      : { phase: 'quiesced', since: now - quiesced - saved.ageMs }
  }

  #savedOf(keys: readonly string[]) {
    return keys.flatMap(key => this.#saved.get(key) ?? [])[0]
  }

  /** Applies the rules after the state of this server (null: of any of the service), an override or the time changed. */
  look(service: ResolvedService, real: ResolvedReal | null, now: number): void {
    const hasPanicChanged = this.#lookAtPanic(service, real, now)
    for (const one of real && !hasPanicChanged ? [real] : service.reals) this.#lookAtReal(one, now)
  }

  /** Returns true if a panic has begun or ended. */
  #lookAtPanic(service: ResolvedService, real: ResolvedReal | null, now: number): boolean {
    const entry = this.#panics.get(service.name)
    if (!entry) return false
    const { panic } = entry
    const before = { since: panic.since, held: panic.held.size }
    if (real === null) entry.counted = service.reals.filter(one => this.#counts(one)).length
    for (const one of real ? [real] : service.reals) if (one.attributes.weight > 0) this.#see(entry, one, now)
    panic.look(entry.counted, service.panic, now)
    const { since } = panic
    this.#parts.setDeadline(service, since !== null && service.panic ? since + service.panic.for : null)
    if (panic.held.size !== before.held) this.#touched.add(service)
    if ((since === null) === (before.since === null)) return false
    this.#changes.push({
      service,
      isPanic: since !== null,
      since: since ?? before.since ?? now,
      held: since === null ? before.held : panic.held.size,
      reals: [],
      of: entry.counted,
    })
    return true
  }

  #counts(real: ResolvedReal): boolean {
    return real.attributes.weight > 0 && !this.#parts.isOverridden(real)
  }

  #see({ service, panic }: PanicEntry, real: ResolvedReal, now: number): void {
    const seen = {
      state: this.#parts.stateBeforeOverride(real),
      isOverridden: this.#parts.isOverridden(real),
      isInService: () => this.#parts.isInService(service, real),
      weight: () => this.#entryOf(service, real)?.weight || real.attributes.weight,
    }
    panic.see(placeOf(real), seen, now)
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

  #entryOf({ id }: ResolvedService, { address, port }: ResolvedReal): TableReal | undefined {
    const reals = id && this.#parts.table()?.get(keyOfService(id))?.reals
    return (address && reals?.get(keyOfReal({ address, port }))) || undefined
  }

  // -------------------------------------------------------------- the next process

  *save(now: number): Iterable<Saved> {
    for (const { service, panic } of this.#panics.values()) {
      const saved = panic.save(now)
      if (saved.panic !== null) yield { keys: keysOf(service, NO_REAL), panic: saved }
    }
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

function placeOf({ host, port }: ResolvedReal): string {
  return `${host} ${port}`
}
