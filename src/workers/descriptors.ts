/** The descriptors of a worker for a user's file: one that opens more and more is ended before its other servers suffer. */
import { readdirSync, readFileSync } from 'node:fs'

/** The share of those that a process may have which it may hold beside two for each run, and the least of it. */
const SHARE = 1 / 16
const LEAST = 128

export class Descriptors {
  readonly #share = Math.max(LEAST, Math.floor(mostOfProcess() * SHARE))
  readonly #runs: () => number
  readonly #tooMany: (most: number) => void
  /** Those of Node itself, and the way to lvsd. */
  readonly #before = held()

  /** `tooMany`: called with how many there may be. */
  constructor(runs: () => number, tooMany: (most: number) => void) {
    this.#runs = runs
    this.#tooMany = tooMany
  }

  /** Once in a while. */
  look(): void {
    const most = this.#share + 2 * this.#runs()
    if (held() - this.#before > most) this.#tooMany(most)
  }
}

function held(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    // None is left to open the folder with.
    return Number.POSITIVE_INFINITY
  }
}

/** As the kernel has it; where it does not tell, what is usual. */
function mostOfProcess(): number {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return Number(soft) || 1024
  } catch {
    return 1024
  }
}
