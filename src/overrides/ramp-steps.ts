/** Reports the time of each step of drains with a ramp, with one timer for all. */
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import type { Override } from '../core/override.js'
import { nextRampStep, type Ramp } from '../core/ramp.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Deadlines } from '../util/deadlines.js'

export interface RampStepsParts {
  /** The weights of these services change. */
  onStep(services: readonly ResolvedService[]): void
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
  readonly alarm?: Clock['alarm']
}

/** Milliseconds after which the wall clock is read again, since it may be set. */
const LONGEST_ALARM = 60_000

export class RampSteps {
  readonly #now: () => number
  readonly #deadlines: Deadlines<ResolvedService>
  #ramps: ReadonlyMap<ResolvedService, readonly Ramp[]> = new Map()

  constructor({ onStep, now = Date.now, alarm = systemClock.alarm }: RampStepsParts) {
    this.#now = now
    this.#deadlines = new Deadlines({
      clock: { now, alarm },
      longest: LONGEST_ALARM,
      onDue: services => {
        for (const service of services) this.#setNext(service)
        onStep(services)
      },
    })
  }

  /** Takes the overrides that count. */
  follow(services: readonly ResolvedService[], overrides: ReadonlyMap<ResolvedReal, Override>): void {
    this.#deadlines.clear()
    this.#ramps = rampsOf(services, overrides)
    for (const service of this.#ramps.keys()) this.#setNext(service)
  }

  close(): void {
    this.#deadlines.close()
  }

  #setNext(service: ResolvedService): void {
    const now = this.#now()
    const steps = (this.#ramps.get(service) ?? []).flatMap(ramp => nextRampStep(ramp, now) ?? [])
    this.#deadlines.set(service, steps.length > 0 ? Math.min(...steps) : null)
  }
}

function rampsOf(
  services: readonly ResolvedService[],
  overrides: ReadonlyMap<ResolvedReal, Override>,
): Map<ResolvedService, readonly Ramp[]> {
  const ramps = new Map<ResolvedService, readonly Ramp[]>()
  if (overrides.size === 0) return ramps
  for (const service of services) {
    const own = service.reals.flatMap(real => {
      const effect = overrides.get(real)?.effect
      return effect?.kind === 'drain' && effect.ramp ? [effect.ramp] : []
    })
    if (own.length > 0) ramps.set(service, own)
  }
  return ramps
}
