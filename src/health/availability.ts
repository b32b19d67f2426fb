/** Which services have a real server that gets traffic, since when, told whenever that changes. */
import { setImmediate } from 'node:timers/promises'
import type { ResolvedService } from '../core/model.js'
import { steadyNow } from '../util/clock.js'
import type { HealthStore } from './health-store.js'

export interface TrafficState {
  readonly has: boolean
  /** Milliseconds of the steady clock. */
  readonly since: number
}

/** `before`: null where it was not known, as at a start. */
type Tell = (service: ResolvedService, hasTraffic: boolean, before: boolean | null) => void

export class Availability {
  readonly #healthStore: HealthStore
  readonly #tell: Tell
  readonly #now: () => number
  readonly #known = new Map<string, TrafficState>()
  /** Services, by name, of which it is to be asked. */
  readonly #touched = new Set<string>()
  #isClosed = false

  /** `now`: milliseconds of the steady clock. */
  constructor(healthStore: HealthStore, tell: Tell, now: () => number = steadyNow) {
    this.#healthStore = healthStore
    this.#tell = tell
    this.#now = now
  }

  /** These may have changed. Results come in crowds, and to ask a large service for each of them would be dear. */
  touch(services: readonly ResolvedService[]): void {
    if (this.#touched.size === 0) void setImmediate().then(() => this.#lookTouched())
    for (const { name } of services) this.#touched.add(name)
  }

  /** These are the services now, and others are gone. */
  follow(services: readonly ResolvedService[]): void {
    for (const name of this.#known.keys()) if (!this.#healthStore.service(name)) this.#known.delete(name)
    this.#look(services)
  }

  /** Undefined while it is not known yet. */
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
      if (has === null || has === before?.has) continue
      this.#known.set(service.name, { has, since: this.#now() })
      this.#tell(service, has, before?.has ?? null)
    }
  }
}
