/**
 * Applies panic and on-down: what becomes of servers that are down. Keeps their clocks over reloads and restarts. Has no
 * timer: `setDeadline` sets when `look` is to be called again.
 */
import type { DownAs } from '../core/desired.js'
import { kernelServices, kernelServicesOf, nameOfKernelService } from '../core/kernel-services.js'
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
import { type Fall, type SavedPanic, ServicePanic } from '../core/panic.js'
import { differingOf } from '../core/shared-config.js'
import { runSync } from '../util/time-slice.js'
import { firstOf, keysOf, type Successors, succeedingStandings } from './standings.js'

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

/** The panic of a service of the kernel: with several addresses, the servers of each are a crowd of their own. */
interface PanicEntry {
  /** As configured. */
  readonly service: ResolvedService
  /** With one address. */
  readonly one: ResolvedService
  readonly panic: ServicePanic
  /** Null before the first look. */
  counted: number | null
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

/** Stands for the service itself in `keysOf`. */
const NONE: readonly never[] = []
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
  /** By `nameOfKernelService`. */
  readonly #panics = new Map<string, PanicEntry>()
  readonly #entries = new Map<ResolvedReal, DownEntry>()
  /** Of the last configuration. */
  #services: readonly ResolvedService[] = []
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
    const fall = this.#fallOf(service, real)
    if (fall) return { heldAt: fall.weight }
    const phase = this.#entries.get(real)?.phase.phase
    if (phase === undefined) return service.quiescent ? 'quiesced' : 'removed'
    return phase === 'quiesced' ? 'quiesced' : 'removed'
  }

  /** True if a panic keeps the server in the table. */
  isHeld(service: ResolvedService, real: ResolvedReal): boolean {
    return this.#fallOf(service, real) !== undefined
  }

  #fallOf(service: ResolvedService, real: ResolvedReal): Fall | undefined {
    for (const { panic } of this.#panicsOf(service)) {
      // Nearly always: a large reload asks for each server.
      if (panic.held.size === 0) continue
      const fall = panic.held.get(placeOf(real))
      if (fall) return fall
    }
    return undefined
  }

  #panicsOf(service: ResolvedService): readonly PanicEntry[] {
    // Asked for each server by each result and each round.
    if (this.#panics.size === 0) return NONE
    if (!service.also) {
      const panic = this.#panics.get(nameOfKernelService(service))
      return panic ? [panic] : NONE
    }
    return kernelServices(service).flatMap(one => this.#panics.get(nameOfKernelService(one)) ?? [])
  }

  panicOf(service: ResolvedService): PanicStatus | null {
    const panics = this.#panicsOf(service).filter(({ panic }) => panic.since !== null)
    if (panics.length === 0 || !service.panic) return null
    const begins = panics.map(({ panic }) => panic.since ?? 0)
    const held = service.reals.filter(real => panics.some(({ panic }) => panic.held.has(placeOf(real))))
    return { since: Math.min(...begins), until: Math.max(...begins) + service.panic.for, held }
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
    if (this.#changes.length === 0) return NONE
    return this.#changes.splice(0).map(change => {
      const reals = this.panicOf(change.service)?.held ?? []
      return change.isPanic && reals.length > 0 ? { ...change, held: reals.length, reals } : change
    })
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
    return this.#panics.get(nameOfKernelService(key))?.service
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
    const panics = this.#leavePanics(left)
    const phases = this.#leaveReals(left, staying)
    for (const service of fresh) {
      for (const one of kernelServices(service)) this.#followPanic(service, one, panics, now)
      if (service.onDown) this.#followReals(service, service.onDown, { phases, staying, olds, now })
      else if (this.#entries.size > 0) for (const real of service.reals) this.#leaveReal(real)
    }
    // A saved value does not apply to a server that a later configuration adds.
    this.#saved.clear()
  }

  #leavePanics(services: ReadonlySet<ResolvedService>): ReadonlyMap<string, ServicePanic> {
    const panics = new Map<string, ServicePanic>()
    for (const [name, { service, one, panic }] of this.#panics) {
      if (!services.has(service)) continue
      this.#parts.setDeadline(one, null)
      this.#panics.delete(name)
      for (const key of keysOfPanic(one)) panics.set(key, panic)
    }
    return panics
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

  #followPanic(
    service: ResolvedService,
    one: ResolvedService,
    known: ReadonlyMap<string, ServicePanic>,
    now: number,
  ): void {
    const keys = keysOfPanic(one)
    const old = keys.flatMap(key => known.get(key) ?? [])[0]
    // Without the setting a last look ends the panic.
    if (!service.panic && old?.since == null) return
    const panic = old ?? new ServicePanic()
    const saved = old ? undefined : this.#savedOf(keys)
    if (saved?.value.panic) panic.restore(saved.value.panic, now - saved.ageMs)
    panic.follow(new Set(one.reals.map(placeOf)))
    this.#panics.set(nameOfKernelService(one), { service, one, panic, counted: null })
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
    const hasPanicChanged = this.#lookAtPanic(service, reals, now)
    for (const one of (!hasPanicChanged && reals) || service.reals) this.#lookAtReal(one, now)
    return hasPanicChanged
  }

  /** Returns true if a panic has begun or ended. */
  #lookAtPanic(service: ResolvedService, reals: readonly ResolvedReal[] | null, now: number): boolean {
    const entries = this.#panicsOf(service)
    if (entries.length === 0) return false
    const before = summaryOf(entries)
    const panicked = entries.filter(({ panic }) => panic.since !== null)
    let hasChanged = false
    const concerned =
      service.also && reals ? new Set(reals.flatMap(real => kernelServicesOf(service, real))) : null
    for (const entry of entries)
      if (concerned === null || concerned.has(entry.one))
        hasChanged = this.#lookAtOnePanic(entry, reals, now) || hasChanged
    const after = summaryOf(entries)
    if ((after.since === null) === (before.since === null)) return hasChanged
    this.#changes.push({
      service,
      isPanic: after.since !== null,
      since: after.since ?? before.since ?? now,
      held: after.since === null ? before.held : after.held,
      reals: [],
      of: after.since === null ? countedIn(panicked) : after.counted,
    })
    return true
  }

  /** Returns true if this panic has begun or ended. */
  #lookAtOnePanic(entry: PanicEntry, reals: readonly ResolvedReal[] | null, now: number): boolean {
    const { panic, one, service } = entry
    const before = { since: panic.since, held: panic.held.size }
    if (reals === null || entry.counted === null)
      entry.counted = one.reals.filter(each => this.#counts(each)).length
    for (const each of reals ?? one.reals) if (each.attributes.weight > 0) this.#see(entry, each, now)
    panic.look(entry.counted, service.panic, now)
    const { since } = panic
    this.#parts.setDeadline(one, since !== null && service.panic ? since + service.panic.for : null)
    if (panic.held.size !== before.held) this.#touched.add(service)
    return (since === null) !== (before.since === null)
  }

  #counts(real: ResolvedReal): boolean {
    return real.attributes.weight > 0 && !this.#parts.isOverridden(real)
  }

  #see({ one, panic }: PanicEntry, real: ResolvedReal, now: number): void {
    const seen = {
      state: this.#parts.stateBeforeOverride(real),
      isOverridden: this.#parts.isOverridden(real),
      isInService: () => this.#parts.isInService(one, real),
      weight: () => this.#entryAt(one, real)?.weight || real.attributes.weight,
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

  #entryOf(service: ResolvedService, real: ResolvedReal): TableReal | undefined {
    return kernelServicesOf(service, real).flatMap(one => this.#entryAt(one, real) ?? [])[0]
  }

  #entryAt({ id }: ResolvedService, { address, port }: ResolvedReal): TableReal | undefined {
    const reals = id && this.#parts.table()?.get(keyOfService(id))?.reals
    return (address && reals?.get(keyOfReal({ address, port }))) || undefined
  }

  // -------------------------------------------------------------- the next process

  *save(now: number): Iterable<Saved> {
    for (const { one, panic } of this.#panics.values()) {
      const saved = panic.save(now)
      if (saved.panic !== null) yield { keys: keysOfPanic(one), panic: saved }
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

function keysOfPanic(one: ResolvedService): readonly string[] {
  return keysOf({ ...one, name: nameOfKernelService(one) }, NO_REAL)
}

/** Several panics of one service as one. `counted`: the servers of those that panic. */
function summaryOf(entries: readonly PanicEntry[]) {
  const panicking = entries.filter(({ panic }) => panic.since !== null)
  const begins = panicking.flatMap(({ panic }) => panic.since ?? [])
  return {
    since: begins.length > 0 ? Math.min(...begins) : null,
    held: panicking.reduce((sum, { panic }) => sum + panic.held.size, 0),
    counted: countedIn(panicking),
  }
}

function countedIn(panics: readonly PanicEntry[]): number {
  return panics.reduce((sum, { counted }) => sum + (counted ?? 0), 0)
}

function placeOf({ host, port }: ResolvedReal): string {
  return `${host} ${port}`
}
