/** Applies the rule of panic (`core/panic.ts`) to the services of the kernel, and keeps what it holds over reloads and restarts. */
import { kernelServices, kernelServicesOf, nameOfKernelService } from '../core/kernel-services.js'
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import { type Fall, type SavedPanic, ServicePanic } from '../core/panic.js'
import type { DownRulesParts } from './down-rules-parts.js'
import { keysOf } from './standings.js'

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

/** Panic of a service for people. Times are milliseconds of the steady clock. */
export interface PanicStatus {
  readonly since: number
  readonly until: number
  readonly held: readonly ResolvedReal[]
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

interface PanicsParts
  extends Pick<DownRulesParts, 'stateBeforeOverride' | 'isOverridden' | 'isInService' | 'setDeadline'> {
  /** The weight that the actual table has for the server; undefined: none. */
  weightInTable(one: ResolvedService, real: ResolvedReal): number | undefined
  /** A panic holds other servers of the service than before. */
  onHeld(service: ResolvedService): void
}

interface FollowedPanics {
  readonly known: ReadonlyMap<string, ServicePanic>
  savedOf(
    keys: readonly string[],
  ): { readonly panic?: SavedPanic | undefined; readonly ageMs: number } | undefined
  readonly now: number
}

const NONE: readonly never[] = []
/** Stands for the service itself in `keysOf`. */
const NO_REAL = { host: '', port: 0 }

export class Panics {
  readonly #parts: PanicsParts
  /** By `nameOfKernelService`. */
  readonly #panics = new Map<string, PanicEntry>()
  readonly #changes: PanicChange[] = []

  constructor(parts: PanicsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#panics.size
  }

  /** Returns what holds the server in the table. */
  fallOf(service: ResolvedService, real: ResolvedReal): Fall | undefined {
    for (const { panic } of this.#of(service)) {
      // Nearly always: a large reload asks for each server.
      if (panic.held.size === 0) continue
      const fall = panic.held.get(placeOf(real))
      if (fall) return fall
    }
    return undefined
  }

  #of(service: ResolvedService): readonly PanicEntry[] {
    // Asked for each server by each result and each round.
    if (this.#panics.size === 0) return NONE
    if (!service.also) {
      const panic = this.#panics.get(nameOfKernelService(service))
      return panic ? [panic] : NONE
    }
    return kernelServices(service).flatMap(one => this.#panics.get(nameOfKernelService(one)) ?? [])
  }

  panicOf(service: ResolvedService): PanicStatus | null {
    const panics = this.#of(service).filter(({ panic }) => panic.since !== null)
    if (panics.length === 0 || !service.panic) return null
    const begins = panics.map(({ panic }) => panic.since ?? 0)
    const held = service.reals.filter(real => panics.some(({ panic }) => panic.held.has(placeOf(real))))
    return { since: Math.min(...begins), until: Math.max(...begins) + service.panic.for, held }
  }

  /** Returns the service that a deadline belongs to. */
  serviceOf(one: ResolvedService): ResolvedService | undefined {
    return this.#panics.get(nameOfKernelService(one))?.service
  }

  /** Returns the panics that have begun or ended since the last call, each with all servers that it holds by now. */
  takeChanges(): readonly PanicChange[] {
    if (this.#changes.length === 0) return NONE
    return this.#changes.splice(0).map(change => {
      const reals = this.panicOf(change.service)?.held ?? []
      return change.isPanic && reals.length > 0 ? { ...change, held: reals.length, reals } : change
    })
  }

  /** Leaves these services. Returns their panics by the keys of the services. */
  leave(services: ReadonlySet<ResolvedService>): ReadonlyMap<string, ServicePanic> {
    const panics = new Map<string, ServicePanic>()
    for (const [name, { service, one, panic }] of this.#panics) {
      if (!services.has(service)) continue
      this.#parts.setDeadline(one, null)
      this.#panics.delete(name)
      for (const key of keysOfPanic(one)) panics.set(key, panic)
    }
    return panics
  }

  /** `known`: those that `leave` has returned. `savedOf`: what an earlier process knew, by these keys. */
  follow(service: ResolvedService, { known, savedOf, now }: FollowedPanics): void {
    for (const one of kernelServices(service)) this.#followOne(service, one, { known, savedOf, now })
  }

  #followOne(service: ResolvedService, one: ResolvedService, { known, savedOf, now }: FollowedPanics): void {
    const keys = keysOfPanic(one)
    const old = keys.flatMap(key => known.get(key) ?? [])[0]
    // Without the setting a last look ends the panic.
    if (!service.panic && old?.since == null) return
    const panic = old ?? new ServicePanic()
    const saved = old ? undefined : savedOf(keys)
    if (saved?.panic) panic.restore(saved.panic, now - saved.ageMs)
    panic.follow(new Set(one.reals.map(placeOf)))
    this.#panics.set(nameOfKernelService(one), { service, one, panic, counted: null })
  }

  /** Returns true if a panic has begun or ended. */
  look(service: ResolvedService, reals: readonly ResolvedReal[] | null, now: number): boolean {
    const entries = this.#of(service)
    if (entries.length === 0) return false
    const before = summaryOf(entries)
    const panicked = entries.filter(({ panic }) => panic.since !== null)
    let hasChanged = false
    const concerned =
      service.also && reals ? new Set(reals.flatMap(real => kernelServicesOf(service, real))) : null
    for (const entry of entries)
      if (concerned === null || concerned.has(entry.one))
        hasChanged = this.#lookAtOne(entry, reals, now) || hasChanged
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
  #lookAtOne(entry: PanicEntry, reals: readonly ResolvedReal[] | null, now: number): boolean {
    const { panic, one, service } = entry
    const before = { since: panic.since, held: panic.held.size }
    if (reals === null || entry.counted === null)
      entry.counted = one.reals.filter(each => this.#counts(each)).length
    for (const each of reals ?? one.reals) if (each.attributes.weight > 0) this.#see(entry, each, now)
    panic.look(entry.counted, service.panic, now)
    const { since } = panic
    this.#parts.setDeadline(one, since !== null && service.panic ? since + service.panic.for : null)
    if (panic.held.size !== before.held) this.#parts.onHeld(service)
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
      weight: () => this.#parts.weightInTable(one, real) || real.attributes.weight,
    }
    panic.see(placeOf(real), seen, now)
  }

  *save(now: number): Iterable<{ readonly keys: readonly string[]; readonly panic: SavedPanic }> {
    for (const { one, panic } of this.#panics.values()) {
      const saved = panic.save(now)
      if (saved.panic !== null) yield { keys: keysOfPanic(one), panic: saved }
    }
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
