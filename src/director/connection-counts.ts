/** Reads how many connections real servers have, from the kernel, without reading the whole table. */
import { setImmediate } from 'node:timers/promises'
import type {
  ConnectionsAnswer,
  ConnectionsRequest,
  RealConnections,
  ServiceConnections,
} from '../api/connection-types.js'
import { overrideStatus } from '../api/override-status.js'
import { sumOf } from '../core/counters.js'
import { idsOf } from '../core/kernel-services.js'
import {
  keyOfReal,
  keyOfService,
  type ResolvedConfig,
  type ResolvedReal,
  type ResolvedService,
  type ServiceId,
  type Table,
} from '../core/model.js'
import type { Override } from '../core/override.js'
import { readConnectionSettings } from '../events/sysctl-advice.js'
import type { CountedReal, Kernel } from '../ipvs/kernel.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import { findTargets, realsOf } from './find-targets.js'

export interface ConnectionCountsParts {
  readonly kernel: Pick<Kernel, 'reals' | 'timeouts'>
  config(): ResolvedConfig
  /** The last table that was read; null before that. */
  table(): Table | null
  overrideOf(real: ResolvedReal): Override | null
  /** Monotonic milliseconds. */
  readonly now?: () => number
  readonly settings?: typeof readConnectionSettings
}

/** Milliseconds for which one reading of a service answers all requests. */
const MAX_AGE = 500

interface Reading {
  readonly at: number
  readonly reals: ReadonlyMap<string, CountedReal>
}

export class ConnectionCounts {
  readonly #parts: ConnectionCountsParts
  readonly #now: () => number
  /** By the key of the service. */
  readonly #readings = new Map<string, Reading>()

  constructor(parts: ConnectionCountsParts) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
  }

  async read({ targets }: ConnectionsRequest): Promise<ConnectionsAnswer> {
    const { kernel, settings = readConnectionSettings } = this.#parts
    const found = findTargets(this.#parts.config(), targets)
    const wanted = new Map<ResolvedService, Set<ResolvedReal>>()
    for (const target of typeof found === 'string' ? [] : found) {
      const reals = wanted.get(target.service) ?? new Set()
      for (const real of realsOf(target)) reals.add(real)
      wanted.set(target.service, reals)
    }
    const services: ServiceConnections[] = []
    for (const [service, reals] of wanted) services.push(await this.#serviceConnections(service, reals))
    const { tcpFin, udp } = await kernel.timeouts()
    this.#forgetOld()
    return {
      trouble: typeof found === 'string' ? found : null,
      timeouts: { tcpFin, udp },
      expiresQuiescentTemplates: settings().expireQuiescentTemplate,
      services,
    }
  }

  async #serviceConnections(
    service: ResolvedService,
    reals: Iterable<ResolvedReal>,
  ): Promise<ServiceConnections> {
    const { id, attributes, name } = service
    const held = await this.#held(service)
    return {
      name,
      protocol: id?.kind === 'address' ? id.protocol : null,
      onePacket: attributes.onePacket,
      persistence: attributes.persistence?.timeout ?? null,
      reals: [...reals].map(real => this.#realConnections(real, held)),
    }
  }

  #realConnections(real: ResolvedReal, held: ReadonlyMap<string, CountedReal>): RealConnections {
    const { address, port } = real
    const entry = address && held.get(keyOfReal({ address, port }))
    const { active = 0, inactive = 0, persistent = 0 } = entry?.counters ?? {}
    return {
      name: nameOfReal(real),
      override: overrideStatus(this.#parts.overrideOf(real)),
      weight: entry?.real.weight ?? null,
      active,
      inactive,
      persistent,
    }
  }

  /** The real servers of the service in the kernel's table. */
  async #held(service: ResolvedService): Promise<ReadonlyMap<string, CountedReal>> {
    const [first, ...others] = idsOf(service)
    if (!first) return new Map()
    const reals = await this.#heldAt(first)
    if (others.length === 0) return reals
    const all = new Map(reals)
    for (const id of others)
      for (const [key, one] of await this.#heldAt(id)) all.set(key, summed(all.get(key), one))
    return all
  }

  async #heldAt(id: ServiceId): Promise<ReadonlyMap<string, CountedReal>> {
    const key = keyOfService(id)
    const known = this.#readings.get(key)
    if (known && this.#now() - known.at <= MAX_AGE) return known.reals
    // A reading blocks this thread, so checks run between two readings.
    await setImmediate()
    const { kernel, table } = this.#parts
    const reals = await kernel.reals(id, table()?.get(key)?.reals.keys() ?? [])
    this.#readings.set(key, { at: this.#now(), reals })
    return reals
  }

  #forgetOld(): void {
    const now = this.#now()
    for (const [key, { at }] of this.#readings) if (now - at > MAX_AGE) this.#readings.delete(key)
  }
}

/** A real server that has an entry for several addresses: connections are summed up, and the highest weight counts. */
function summed(before: CountedReal | undefined, next: CountedReal): CountedReal {
  if (!before) return next
  const real = before.real.weight >= next.real.weight ? before.real : next.real
  return { real, counters: sumOf([before.counters, next.counters]) ?? next.counters }
}
