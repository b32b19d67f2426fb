/**
 * The number by which an lvsd signs its marked services. While it runs it holds an abstract name with that number, so
 * that every lvsd of the network namespace, which is that of the table too, sees whether it runs.
 */
import { OWNERS } from '../core/path-owner.js'
import { abstractNames, holdAbstractName } from '../system/abstract-names.js'
import { closeDescriptor } from '../system/numeric-calls.js'

const PREFIX = 'lvsd-marks-'

/** Numbers that are tried, where other lvsd have the first ones. */
const ATTEMPTS = 5

export class PathOwner {
  #held: { readonly owner: number; readonly fd: number } | null = null

  /**
   * Returns the number of this lvsd, from the first call on the same one: `before`, unless another lvsd has it.
   * Undefined: it can hold no name.
   */
  take(before: number | undefined): number | undefined {
    if (this.#held) return this.#held.owner
    let owner = before ?? anyOwner()
    try {
      for (let i = 0; i < ATTEMPTS; i++) {
        const fd = holdAbstractName(`${PREFIX}${owner}`)
        if (fd !== null) {
          this.#held = { owner, fd }
          return owner
        }
        owner = anyOwner()
      }
    } catch {
      // Without a number its services are not signed, so no other lvsd removes them.
    }
    return undefined
  }

  /** Returns the numbers of all lvsd that run in this network namespace; null: this cannot be read. */
  running(): ReadonlySet<number> | null {
    return runningOwners()
  }

  close(): void {
    if (this.#held) closeDescriptor(this.#held.fd)
    this.#held = null
  }
}

/** As `PathOwner.running`. */
export function runningOwners(): ReadonlySet<number> | null {
  const names = abstractNames(PREFIX)
  return names && new Set(names.map(name => Number(name.slice(PREFIX.length))))
}

function anyOwner(): number {
  return Math.floor(Math.random() * OWNERS)
}
