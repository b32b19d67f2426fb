/** Carries out what operators ask of overrides: exact names to targets, and what counts afterwards. */

import { overrideStatus } from '../api/override-status.js'
import type { EndRequest, EndWindowsRequest, GiveRequest, OverrideOutcome } from '../api/override-types.js'
import type { SiteChange, SiteOverrides } from '../cluster/overrides/site-overrides.js'
import type { ResolvedConfig, ResolvedReal } from '../core/model.js'
import type { Effect, Override } from '../core/override.js'
import { type CommandOverrides, nameOfReal, type Order, targetOf } from '../overrides/command-overrides.js'
import type { WindowOverrides } from '../overrides/window-overrides.js'
import { harmless } from '../util/foreign-text.js'
import { counted } from '../util/plural.js'
import { type FoundTarget, findTargets, realsOf } from './find-targets.js'
import { changeShared, endShared } from './shared-overrides.js'

export interface OverrideControlParts {
  readonly sources: {
    readonly commands: CommandOverrides
    readonly windows: Pick<WindowOverrides, 'prepared' | 'end'>
  }
  /** Absent: there are no other directors. */
  readonly site?: SiteOverrides
  config(): ResolvedConfig
  /** The override that counts for a real server. */
  overrideOf(real: ResolvedReal): Override | null
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
}

export class OverrideControl {
  readonly #parts: OverrideControlParts
  readonly #now: () => number

  constructor(parts: OverrideControlParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  /** Puts an override on each target. `who`: for the log and for others. */
  async give(
    { targets, effect, reason, until, local = false }: GiveRequest,
    who: string,
  ): Promise<OverrideOutcome> {
    const found = findTargets(this.#parts.config(), targets)
    if (typeof found === 'string') return refused(found)
    const now = this.#now()
    if (until !== null && until <= now) return refused('the end of the override is in the past')
    const override: Override = {
      effect: effectOf(effect, now),
      source: 'command',
      who,
      // It goes to logs, events and terminals.
      reason: harmless(reason),
      since: now,
      until,
    }
    const orders = this.#parts.sources.commands.prepared(found.map(toTarget), override)
    const done = await this.#change(orders, { isLocal: local, endedBy: null })
    if ('why' in done) return refused(done.why, done.mayBeLocal)
    const message = `${counted(found.length, 'override')} given`
    return this.#outcome(found, { ended: 0, ...done, message })
  }

  /**
   * Ends overrides on these very targets. An override of the service does not end by one of its servers. `who`: for the
   * log and for others.
   */
  async end({ targets, effects, local = false }: EndRequest, who: string): Promise<OverrideOutcome> {
    const found = findTargets(this.#parts.config(), targets)
    if (typeof found === 'string') return refused(found)
    const ended = this.#parts.sources.commands.having(found.map(toTarget), effects)
    const done = await this.#change(ended, { isLocal: local, endedBy: who })
    if ('why' in done) return refused(done.why, done.mayBeLocal)
    const message =
      ended.length === 0 ? 'there was no such override' : `${counted(ended.length, 'override')} ended`
    return this.#outcome(found, { ended: ended.length, ...done, message })
  }

  #change(orders: readonly Order[], change: SiteChange) {
    const { site = null, sources } = this.#parts
    return changeShared(orders, change, { commands: sources.commands, site })
  }

  /** Ends the open maintenance windows of these targets, this opening only. `who`: for the log and for others. */
  async endWindows({ targets, local = false }: EndWindowsRequest, who: string): Promise<OverrideOutcome> {
    const found = findTargets(this.#parts.config(), targets)
    if (typeof found === 'string') return refused(found)
    const { site = null, sources } = this.#parts
    const { windows } = sources
    const ends = windows.prepared(found, who)
    const done = await endShared(ends, { isLocal: local }, { windows, site })
    if ('why' in done) return refused(done.why, done.mayBeLocal)
    const message =
      ends.length === 0
        ? 'no maintenance window is open there'
        : `${counted(ends.length, 'maintenance window')} ended`
    return this.#outcome(found, { ended: ends.length, ...done, message })
  }

  #outcome(
    found: readonly FoundTarget[],
    told: Pick<OverrideOutcome, 'ended' | 'isKept' | 'isLocal' | 'message'>,
  ): OverrideOutcome {
    const reals = found.flatMap(target =>
      realsOf(target).map(one => ({
        service: target.service.name,
        real: nameOfReal(one),
        override: overrideStatus(this.#parts.overrideOf(one)),
      })),
    )
    return { ok: true, ...told, reals }
  }
}

function effectOf(effect: GiveRequest['effect'], now: number): Effect {
  if (effect.kind !== 'drain' || effect.ramp === undefined)
    return effect.kind === 'drain' ? { kind: 'drain' } : effect
  return { kind: 'drain', ramp: { since: now, ms: effect.ramp } }
}

function toTarget({ service, real }: FoundTarget) {
  return targetOf(service, real)
}

function refused(message: string, mayBeLocal = false): OverrideOutcome {
  return { ok: false, message, ended: 0, isKept: true, reals: [], ...(mayBeLocal && { mayBeLocal }) }
}
