/** The override of each real server, and what changes when others are given. */
import { isDeepStrictEqual } from 'node:util'
import { keyOfMember, type ResolvedReal, type ResolvedService } from '../core/model.js'
import type { Override } from '../core/override.js'

export interface Changed {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly before: Override | null
  readonly after: Override | null
}

export class ActiveOverrides {
  #byReal: ReadonlyMap<ResolvedReal, Override> = new Map()
  /** By member, because a reload makes new objects of the real servers. */
  #byMember: ReadonlyMap<string, Override> = new Map()

  of(real: ResolvedReal): Override | null {
    return this.#byReal.get(real) ?? null
  }

  /** Replaces all. Returns the real servers of `services` whose override begins, ends, or has another effect or source. */
  replace(
    overrides: ReadonlyMap<ResolvedReal, Override>,
    services: Iterable<ResolvedService>,
  ): readonly Changed[] {
    const before = this.#byMember
    if (overrides.size === 0 && before.size === 0) return []
    const next = new Map<string, Override>()
    const changes: Changed[] = []
    for (const service of services)
      for (const real of service.reals) {
        const key = keyOfMember(service, real)
        const [was, is] = [before.get(key) ?? null, overrides.get(real) ?? null]
        if (is) next.set(key, is)
        if (!isAlike(was, is)) changes.push({ service, real, before: was, after: is })
      }
    this.#byReal = overrides
    this.#byMember = next
    return changes
  }
}

/** A reason that is written anew, or an end that moves, changes nothing for the table. */
function isAlike(a: Override | null, b: Override | null): boolean {
  return isDeepStrictEqual(a?.effect, b?.effect) && a?.source === b?.source && a?.who === b?.who
}
