/** Which services have a real server that gets traffic, told whenever that changes. */
import { setImmediate } from 'node:timers/promises'
import type { Board } from './board.js'
import type { Service } from './model.js'

export class Traffic {
  readonly #board: Board
  readonly #tell: (service: Service, hasTraffic: boolean) => void
  readonly #known = new Map<string, boolean>()
  /** Services, by name, of which it is to be asked. */
  readonly #touched = new Set<string>()
  #isClosed = false

  constructor(board: Board, tell: (service: Service, hasTraffic: boolean) => void) {
    this.#board = board
    this.#tell = tell
  }

  /** These may have changed. Results come in crowds, and to ask a large service for each of them would be dear. */
  touch(services: readonly Service[]): void {
    if (this.#touched.size === 0) void setImmediate().then(() => this.#lookTouched())
    for (const { name } of services) this.#touched.add(name)
  }

  /** These are the services now, and others are gone. */
  follow(services: readonly Service[]): void {
    for (const name of this.#known.keys()) if (!this.#board.service(name)) this.#known.delete(name)
    this.#look(services)
  }

  close(): void {
    this.#isClosed = true
  }

  #lookTouched(): void {
    const services = [...this.#touched].flatMap(name => this.#board.service(name) ?? [])
    this.#touched.clear()
    if (!this.#isClosed) this.#look(services)
  }

  #look(services: readonly Service[]): void {
    for (const service of services) {
      const now = this.#board.hasTraffic(service)
      if (now === null || now === this.#known.get(service.name)) continue
      this.#known.set(service.name, now)
      this.#tell(service, now)
    }
  }
}
