/**
 * Applies slow start and damping to the real servers, and keeps their elapsed times across reloads and restarts. Has no
 * timer: it sets the time of the next evaluation.
 */
import {
  areHoldsInForce,
  type Flapping,
  heldUntil,
  nextFlapping,
  type Serving,
  STEADY,
} from '../core/damping.js'
import { kernelServices, keysOfKernel } from '../core/kernel-services.js'
import type { ResolvedReal, ResolvedService, Table } from '../core/model.js'
import { type Disposition, disposition, type Judged } from '../core/override.js'
import { differingOf } from '../core/shared-config.js'
import { nextRise, nextStepAt, type Rise, shareAt } from '../core/slow-start.js'
import { runSync } from '../util/time-slice.js'
import type { DampingChange, Hold } from './health-changes.js'
import { agedRule, readRule, type SavedRule, saveRule } from './saved-rules.js'
import { firstOf, keysOf, type Successors, succeedingStandings } from './standings.js'

export interface TimedRulesParts {
  /** All inputs of the disposition except the rules of this class. */
  judged(real: ResolvedReal): Judged
  /** True if the actual table shows the server in service. */
  isInService(service: ResolvedService, real: ResolvedReal): boolean
  /** True if a panic keeps the server in the table although it is down: its weight need not rise again. */
  isHeldUp(service: ResolvedService, real: ResolvedReal): boolean
  /** Sets when `look` is to be called for the server; null: not by time. */
  setDeadline(real: ResolvedReal, at: number | null): void
  /** The clocks that `save` returns have changed. */
  onChange(): void
}

interface Entry {
  service: ResolvedService
  readonly real: ResolvedReal
  rise: Rise
  share: number
  flapping: Flapping
  hold: Hold
}

/** Slow start of a server for people. Times are milliseconds of the steady clock. */
export interface RiseStatus {
  /** Over 0 to 1. */
  readonly share: number
  /** The weight at its end. */
  readonly weight: number
  readonly since: number
  readonly until: number
  /** Milliseconds until then. */
  readonly left: number
}

/** Damping of a server for people. */
export interface HoldStatus {
  readonly since: number
  readonly until: number
  readonly isSpared: boolean
}

export class TimedRules {
  readonly #parts: TimedRulesParts
  /** Servers of services with slow start or damping; without them, those whose hold the next look ends. */
  readonly #entries = new Map<ResolvedReal, Entry>()
  /** Number of held servers, by the name of the service; without those that have none. */
  readonly #held = new Map<string, number>()
  /** Clocks of an earlier process. */
  readonly #saved = new Map<string, SavedRule>()
  readonly #changes: DampingChange[] = []

  constructor(parts: TimedRulesParts) {
    this.#parts = parts
  }

  /** Returns the service of a server that has a rule. */
  serviceOf(real: ResolvedReal): ResolvedService | undefined {
    return this.#entries.get(real)?.service
  }

  isDamped(real: ResolvedReal): boolean {
    return this.#entries.get(real)?.hold === 'held'
  }

  shareOf(real: ResolvedReal): number {
    return this.#entries.get(real)?.share ?? 1
  }

  riseOf(real: ResolvedReal, now: number): RiseStatus | null {
    const entry = this.#entries.get(real)
    const { slowStart } = entry?.service ?? {}
    if (entry?.rise.phase !== 'rising' || !slowStart) return null
    const { since } = entry.rise
    const weight = this.#parts.judged(real).advised
    const until = since + slowStart.for
    return { share: entry.share, weight, since, until, left: until - now }
  }

  holdOf(real: ResolvedReal): HoldStatus | null {
    const entry = this.#entries.get(real)
    if (!entry) return null
    const until = heldUntil(entry.flapping, entry.service.damping)
    if (entry.flapping.heldSince === null || until === null) return null
    return { since: entry.flapping.heldSince, until, isSpared: entry.hold === 'spared' }
  }

  /** True if servers of the service depend on each other: a change of one may end the hold of another. */
  #areTied({ name }: ResolvedService): boolean {
    return this.#held.has(name)
  }

  /**
   * Takes a value of `save` from an earlier process, before the first `follow`. `ageMs`: the time since then. Throws if it
   * is none.
   */
  restore(value: unknown, ageMs: number): void {
    const rule = agedRule(value, ageMs)
    for (const key of rule.keys) this.#saved.set(key, rule)
  }

  /** Returns the clocks that are running, as plain data. Their ages refer to `now`. */
  *save(now: number): Iterable<SavedRule> {
    for (const { service, real, rise, flapping } of this.#entries.values()) {
      const rule = saveRule(keysOf(service, real), rise, flapping, now)
      if (rule) yield rule
    }
  }

  /**
   * Takes the next configuration. A server that was in the previous one keeps its clocks. Services that are the same
   * objects go on untouched; call `look` for the others next.
   */
  follow(
    before: readonly ResolvedService[],
    next: readonly ResolvedService[],
    now: number,
    { staying, olds }: Successors = runSync(succeedingStandings(before, next)),
  ): void {
    const [gone, fresh] = differingOf(before, next)
    const left = this.#leave(new Set(gone), staying)
    const servicesBefore = new Set(gone.flatMap(service => keysOf(service, NO_REAL)))
    for (const service of fresh) {
      const hasRule = isRuled(service)
      const isJoining = hasRule && keysOf(service, NO_REAL).some(key => servicesBefore.has(key))
      for (const real of hasRule || this.#entries.size + left.size > 0 ? service.reals : []) {
        const kept = staying.has(real) && this.#entries.get(real)
        if (kept) {
          this.#stay(kept, service, hasRule)
          continue
        }
        const old = firstOf(olds.get(real), left)
        // Without a rule the next look ends the hold, and is the last one.
        if (!hasRule && (!old || old.hold === 'free')) continue
        const { rise, share, flapping, hold } = old ?? this.#restored(service, real, now, isJoining)
        this.#put({ service, real, rise, share, flapping, hold })
      }
    }
    // A server that comes with a later configuration is another one.
    this.#saved.clear()
  }

  #stay(entry: Entry, service: ResolvedService, hasRule: boolean): void {
    entry.service = service
    if (hasRule || entry.hold !== 'free') {
      if (entry.flapping.heldSince !== null) this.#count(service, 1)
      return
    }
    this.#forget(entry)
  }

  #forget({ real }: Entry): void {
    this.#parts.setDeadline(real, null)
    this.#entries.delete(real)
  }

  /** Removes what belongs to these services, without those that stay, and returns it. */
  #leave(
    services: ReadonlySet<ResolvedService>,
    staying: ReadonlySet<ResolvedReal>,
  ): ReadonlyMap<ResolvedReal, Entry> {
    const left = new Map<ResolvedReal, Entry>()
    for (const entry of this.#entries.values()) {
      const { service, real } = entry
      if (!services.has(service) || staying.has(real)) continue
      this.#forget(entry)
      left.set(real, entry)
    }
    for (const { name } of services) this.#held.delete(name)
    return left
  }

  #restored(service: ResolvedService, real: ResolvedReal, now: number, isJoining: boolean) {
    const saved = this.#saved.size > 0 && keysOf(service, real).flatMap(key => this.#saved.get(key) ?? [])[0]
    const { rise, flapping } = saved
      ? readRule(saved, now)
      : { rise: { phase: 'new', isJoining } as const, flapping: STEADY }
    const hold: Hold = flapping.heldSince === null ? 'free' : 'held'
    return { rise, share: 1, flapping, hold }
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.real, entry)
    if (entry.flapping.heldSince !== null) this.#count(entry.service, 1)
  }

  #count({ name }: ResolvedService, change: 1 | -1): void {
    const held = (this.#held.get(name) ?? 0) + change
    if (held > 0) this.#held.set(name, held)
    else this.#held.delete(name)
  }

  /**
   * Takes the table as it was when lvsd started. Servers that it lacks join a service if others of that have traffic;
   * otherwise the service as a whole starts, and there is nothing to join. Returns the services that need a `look`.
   */
  startWith(actual: Table): readonly ResolvedService[] {
    for (const entry of this.#entries.values()) {
      if (entry.rise.phase !== 'new') continue
      const held = keysOfKernel(entry.service).flatMap(key => [...(actual.get(key)?.reals.values() ?? [])])
      const isJoining = held.some(({ weight }) => weight > 0)
      entry.rise = { phase: 'new', isJoining }
    }
    const services = new Set([...this.#entries.values()].map(({ service }) => service))
    return [...services].filter(service => this.#areTied(service))
  }

  /**
   * Applies the rules after anything that they depend on may have changed: the state or the advised weight of these
   * servers (null: of all of the service), an override, the configuration, the time. Returns the servers whose state may
   * have changed, and whether it may have by these rules.
   */
  look(
    service: ResolvedService,
    reals: readonly ResolvedReal[] | null,
    now: number,
  ): { readonly affected: readonly ResolvedReal[]; readonly mayHaveMoved: boolean } {
    const chosen = reals ?? service.reals
    if (this.#entries.size === 0) return { affected: chosen, mayHaveMoved: false }
    const entries = this.#entriesOf(chosen)
    const wereTied = this.#areTied(service)
    for (const entry of entries) this.#lookAtFlapping(entry, now)
    const isTied = wereTied || this.#areTied(service)
    const tied = isTied ? this.#entriesOf(service.reals) : entries
    if (isTied) this.#hold(service, tied)
    for (const entry of tied) this.#lookAtRise(entry, now)
    // Held until now: else it would have been forgotten with the rule.
    if (isTied && !isRuled(service)) for (const entry of tied) if (entry.hold === 'free') this.#forget(entry)
    return { affected: isTied ? service.reals : chosen, mayHaveMoved: isTied }
  }

  /** Returns the changes of holds since the last call. */
  takeChanges(): readonly DampingChange[] {
    return this.#changes.length === 0 ? NONE : this.#changes.splice(0)
  }

  #entriesOf(reals: readonly ResolvedReal[]): readonly Entry[] {
    return reals.flatMap(real => this.#entries.get(real) ?? [])
  }

  #lookAtFlapping(entry: Entry, now: number): void {
    const before = entry.flapping
    const { checked, override } = this.#parts.judged(entry.real)
    const kind = override?.effect.kind
    const isOverridden = kind === 'disable' || kind === 'force-down' || kind === 'force-up'
    const policy = entry.service.damping
    entry.flapping = nextFlapping(before, { checked, isOverridden, policy, now })
    if (entry.flapping === before) return
    if ((before.heldSince === null) !== (entry.flapping.heldSince === null))
      this.#count(entry.service, before.heldSince === null ? 1 : -1)
    this.#parts.onChange()
  }

  /** Decides which servers are held or spared. A server that clients of one of its addresses need is spared. */
  #hold(service: ResolvedService, entries: readonly Entry[]): void {
    const needing = kernelServices(service).filter(
      ({ reals, fallback }) =>
        !areHoldsInForce(this.#serving(service.also ? this.#entriesOf(reals) : entries), !!fallback?.address),
    )
    for (const entry of entries) {
      const { real, flapping, hold: before } = entry
      const isNeeded = needing.some(one => !service.also || one.reals.includes(real))
      entry.hold = flapping.heldSince === null ? 'free' : isNeeded ? 'spared' : 'held'
      if (entry.hold === before) continue
      const { state } = this.#dispositionOf(entry)
      const until = heldUntil(flapping, service.damping)
      const changes = flapping.changes.length
      this.#changes.push({ service, real, hold: entry.hold, before, state, until, changes })
    }
  }

  *#serving(entries: readonly Entry[]): Iterable<Serving> {
    for (const { service, real, flapping } of entries) {
      const judged = this.#parts.judged(real)
      const { state, weight } = disposition(judged)
      // After a start the table shows which servers served before; an unknown server keeps its weight in it.
      const isUp = state === 'up' || (state === 'unknown' && this.#parts.isInService(service, real))
      const isForced = judged.override?.effect.kind === 'force-up'
      yield { isServing: isUp && weight > 0, isHeld: flapping.heldSince !== null && !isForced }
    }
  }

  #lookAtRise(entry: Entry, now: number): void {
    const { service, real, rise: before } = entry
    const policy = service.slowStart
    const isInService = () => this.#parts.isInService(service, real)
    const judged = this.#parts.judged(real)
    const { state: usual } = dispositionWith(judged, entry)
    const isHeldUp = this.#parts.isHeldUp(service, real)
    const state = isHeldUp ? 'up' : usual
    const ramped = timeInRamp(judged)
    // A panic takes back what its falls have changed.
    const from: Rise = isHeldUp && before.phase === 'down' ? { phase: 'full' } : before
    entry.rise = nextRise(from, { state, isInService, policy, now: now - ramped })
    entry.share = shareAt(entry.rise, policy, now - ramped)
    const step = ramped > 0 ? null : nextStepAt(entry.rise, policy, judged.advised, now)
    const end = heldUntil(entry.flapping, service.damping)
    const deadline = Math.min(step ?? Number.POSITIVE_INFINITY, end ?? Number.POSITIVE_INFINITY)
    this.#parts.setDeadline(real, deadline === Number.POSITIVE_INFINITY ? null : deadline)
    if (entry.rise !== before && (entry.rise.phase === 'rising' || before.phase === 'rising'))
      this.#parts.onChange()
  }

  #dispositionOf({ real, share, hold }: Entry): Disposition {
    return dispositionWith(this.#parts.judged(real), { share, hold })
  }
}

/** True if a rule of time applies to its servers. */
function isRuled({ slowStart, damping }: ResolvedService): boolean {
  return slowStart !== null || damping !== null
}

/** A literal, because V8 takes several times as long for a copy made by a spread, and a large reload asks for each server. */
function dispositionWith(
  { checked, advised, override, at }: Judged,
  { share, hold }: Pick<Entry, 'share' | 'hold'>,
): Disposition {
  return disposition({ checked, advised, override, at, share, isDamped: hold === 'held' })
}

/** Milliseconds since the begin of a drain in steps. Slow start waits for that time: a drain never raises a weight. */
function timeInRamp({ override, at = 0 }: Judged): number {
  const ramp = override?.effect.kind === 'drain' ? override.effect.ramp : undefined
  return ramp ? Math.max(0, at - ramp.since) : 0
}

/** Stands for the service itself in `keysOf`. */
const NONE: readonly never[] = []
const NO_REAL = { host: '', port: 0 }
