/**
 * Tracks for each service whether a real server keeps the fallback out, and since when. Reports each change. A service
 * with several addresses is available if each of them has such a server; a further address that loses its last one is
 * reported, too.
 */
import { setImmediate } from 'node:timers/promises'
import { nameOfKernelService } from '../core/kernel-services.js'
import type { ResolvedService } from '../core/model.js'
import { steadyNow } from '../util/clock.js'
import type { HealthEvents } from './health-changes.js'
import type { HealthStore } from './health-store.js'

export interface TrafficState {
  readonly has: boolean
  /** Time of the last change, in milliseconds of the steady clock. */
  readonly since: number
}

/** Called on each change. `before` is null if the previous state was not known, as after a start. */
type Tell = (...traffic: HealthEvents['traffic']) => void

export class Availability {
  readonly #healthStore: HealthStore
  readonly #tell: Tell
  readonly #now: () => number
  readonly #known = new Map<string, TrafficState>()
  /** By service with several addresses: those without a server, by `nameOfKernelService`. */
  readonly #lacking = new Map<string, readonly string[]>()
  /** Names of the services to evaluate in the next round. */
  readonly #touched = new Set<string>()
  #isClosed = false

  /** `now` returns milliseconds of the steady clock. */
  constructor(healthStore: HealthStore, tell: Tell, now: () => number = steadyNow) {
    this.#healthStore = healthStore
    this.#tell = tell
    this.#now = now
  }

  /**
   * Marks services whose state may have changed. They are evaluated together in the next turn of the event loop,
   * because many results arrive in one turn and evaluating a large service for each result is expensive.
   */
  touch(services: readonly ResolvedService[]): void {
    if (this.#touched.size === 0) void setImmediate().then(() => this.#lookTouched())
    for (const { name } of services) this.#touched.add(name)
  }

  /** Evaluates the services of a new configuration, and forgets services that no longer exist. */
  follow(services: readonly ResolvedService[]): void {
    for (const name of this.#known.keys())
      if (!this.#healthStore.service(name)) {
        this.#known.delete(name)
        this.#lacking.delete(name)
      }
    this.#look(services)
  }

  /** Returns undefined while the state is not known. */
  of({ name }: ResolvedService): TrafficState | undefined {
    return this.#known.get(name)
  }

  close(): void {
    this.#isClosed = true
  }

  #lookTouched(): void {
    const services = [...this.#touched].flatMap(name => this.#healthStore.service(name) ?? [])
    this.#touched.clear()
    if (!this.#isClosed) this.#look(services)
  }

  #look(services: readonly ResolvedService[]): void {
    for (const service of services) {
      const has = this.#healthStore.isAvailable(service)
      const before = this.#known.get(service.name)
      if (has === null || (has === before?.has && !service.also)) continue
      const unserved = service.also ? this.#healthStore.unservedOf(service) : undefined
      const isFurther = unserved !== undefined && this.#noteLacking(service, unserved)
      if (before && has === before.has) {
        if (isFurther) this.#tell(service, has, before.has, unserved)
        continue
      }
      const recalled = before ? null : this.#healthStore.recalled.ofService(service)
      const isAsBefore = recalled !== null && (recalled.state === 'up') === has
      this.#known.set(service.name, { has, since: isAsBefore ? recalled.since : this.#now() })
      this.#tell(service, has, before?.has ?? null, ...(unserved ? [unserved] : []))
    }
  }

  /** Returns true if an address is among them that was not before. */
  #noteLacking({ name }: ResolvedService, unserved: readonly ResolvedService[]): boolean {
    const before = this.#lacking.get(name) ?? []
    const names = unserved.map(nameOfKernelService)
    this.#lacking.set(name, names)
    return names.some(one => !before.includes(one))
  }
}
