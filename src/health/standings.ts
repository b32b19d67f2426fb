/** Since when each real server is as it is, all its checks and its maintenance together. */
import { type HealthState, keyOfMember, type ResolvedReal, type ResolvedService } from '../core/model.js'

export interface Standing {
  readonly state: HealthState
  /** Of the last change, milliseconds of the steady clock. */
  readonly since: number
}

export class Standings {
  #byReal = new Map<ResolvedReal, Standing>()

  of(real: ResolvedReal): Standing | undefined {
    return this.#byReal.get(real)
  }

  /** A server that may have changed. */
  note(real: ResolvedReal, state: HealthState, now: number): void {
    if (this.#byReal.get(real)?.state !== state) this.#byReal.set(real, { state, since: now })
  }

  /** The servers of the next configuration: one that was there before goes on as it stood. */
  follow(
    before: readonly ResolvedService[],
    next: readonly ResolvedService[],
    stateOf: (real: ResolvedReal) => HealthState,
    now: number,
  ): void {
    const known = new Map<string, Standing>()
    for (const service of before)
      for (const real of service.reals) {
        const standing = this.#byReal.get(real)
        if (standing) for (const key of keysOf(service, real)) known.set(key, standing)
      }
    this.#byReal = new Map()
    for (const service of next)
      for (const real of service.reals) {
        const standing = keysOf(service, real).flatMap(key => known.get(key) ?? [])[0]
        if (standing) this.#byReal.set(real, standing)
        else this.note(real, stateOf(real), now)
      }
  }
}

/** A service is the same one by its virtual address, else by its name. */
function keysOf(service: ResolvedService, real: ResolvedReal): string[] {
  const byAddress = { name: JSON.stringify(service.id ?? service.virtual) }
  return [keyOfMember(byAddress, real), keyOfMember(service, real)]
}
