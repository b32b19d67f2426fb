/**
 * Notes which services follow from the text of the configuration alone, so that a later reading need not read them again
 * (`load-changed.ts`).
 */
import type { Family } from '../../core/address.js'
import type { Hosts } from '../../names/hosts.js'
import type { Sliced } from '../../util/time-slice.js'
import type { PortLookup } from '../ports.js'

/** Thrown in place of a look at a file. */
export class NeedsFiles extends Error {}

export class Outside {
  /** Keys of the services whose reading has looked at nothing else. */
  readonly plain = new Set<string>()
  readonly #isWithoutFiles: boolean
  #looks = 0

  /** `isWithoutFiles`: a look at a file throws NeedsFiles. */
  constructor(isWithoutFiles = false) {
    this.#isWithoutFiles = isWithoutFiles
  }

  /** True as long as nothing was looked at. */
  get isPlain(): boolean {
    return this.#looks === 0
  }

  readonly look = (): void => {
    this.#looks++
  }

  /** Called before a file is read or looked for: what holds it may hang. */
  readonly lookAtFiles = (): void => {
    if (this.#isWithoutFiles) throw new NeedsFiles()
    this.look()
  }

  /** Returns the tables of this machine. To use them is a look. */
  tables({ ports, hosts }: { readonly ports: PortLookup; readonly hosts?: Hosts }) {
    const { look } = this
    return {
      ports: ((...names) => {
        look()
        return ports(...names)
      }) satisfies PortLookup,
      hosts: hosts
        ? {
            ...hosts,
            addressesOf: (name: string, family: Family) => {
              look()
              return hosts.addressesOf(name, family)
            },
          }
        : null,
    }
  }

  /** Reads the service of this key. Nothing else of the configuration is read between its steps. */
  *watching<T>(key: string, reading: Sliced<T>): Sliced<T> {
    const before = this.#looks
    const result = yield* reading
    if (this.#looks === before) this.plain.add(key)
    return result
  }
}
