/**
 * Limits descriptors and child processes of a worker for a user's file. A check that leaks them is stopped before other
 * servers or the machine suffer.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { childrenOfThread } from '../system/process-files.js'

/** Descriptors that may be open in addition to two per run: a fraction of the process's limit, and the minimum. */
const SHARE = 1 / 16
const LEAST = 128
/** Child processes allowed in addition to two per run. */
const MOST_PROCESSES = 64

export class Descriptors {
  readonly #share = Math.max(LEAST, Math.floor(mostOfProcess() * SHARE))
  readonly #runs: () => number
  readonly #tooMany: (what: string) => void
  /** Number of descriptors at the start: Node's own, and the connection to lvsd. */
  readonly #before = held()

  /** `tooMany` is called with a text that names the limit, for example `more than 128 files and sockets`. */
  constructor(runs: () => number, tooMany: (what: string) => void) {
    this.#runs = runs
    this.#tooMany = tooMany
  }

  /** Checks the limits; called periodically. */
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
    // No descriptor is left to open the folder.
    return Number.POSITIVE_INFINITY
  }
}

/** Returns the soft limit of open files; 1024 if it is unknown. */
function mostOfProcess(): number {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return Number(soft) || 1024
  } catch {
    return 1024
  }
}
