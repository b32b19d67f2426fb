/**
 * The descriptors and the children of a worker for a user's file: one that opens or starts more and more is ended before its other
 * servers, or the machine, suffer.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { childrenOfThread } from '../system/process-files.js'

/** The share of those that a process may have which it may hold beside two for each run, and the least of it. */
const SHARE = 1 / 16
const LEAST = 128
/** Processes beside two for each run. */
const MOST_PROCESSES = 64

export class Descriptors {
  readonly #share = Math.max(LEAST, Math.floor(mostOfProcess() * SHARE))
  readonly #runs: () => number
  readonly #tooMany: (what: string) => void
  /** Those of Node itself, and the way to lvsd. */
  readonly #before = held()

  /** `tooMany`: called with how many of what there may be. */
  constructor(runs: () => number, tooMany: (what: string) => void) {
    this.#runs = runs
    this.#tooMany = tooMany
  }

  /** Once in a while. */
  look(): void {
    const most = this.#share + 2 * this.#runs()
    if (held() - this.#before > most) this.#tooMany(`more than ${most} files and sockets`)
    const processes = MOST_PROCESSES + 2 * this.#runs()
    if (childrenOfThread(process.pid, process.pid).length > processes)
      this.#tooMany(`more than ${processes} processes`)
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
