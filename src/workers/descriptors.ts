/**
 * The descriptors of users' code in a thread. They are the whole process's: where none is left, lvsd can ask no server and
 * answer nobody, and whoever closes a number that is not its own closes something of lvsd's.
 */
import fs, { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** The share of the process's that one thread may hold beside two for each run, and the least of it. */
const SHARE = 1 / 16
const LEAST = 128

type Call = (...args: unknown[]) => unknown

export class Descriptors {
  readonly #own = new Set<unknown>()
  readonly #share = Math.max(LEAST, Math.floor(mostOfProcess() * SHARE))
  readonly #runs: () => number
  readonly #tooMany: (most: number) => void

  /** `tooMany`: called with how many there may be. */
  constructor(runs: () => number, tooMany: (most: number) => void) {
    this.#runs = runs
    this.#tooMany = tooMany
    this.#watchFiles()
  }

  /** Once in a while: sockets, pipes and all else that the loop knows of. */
  look(): void {
    this.#judge(this.#own.size + process.getActiveResourcesInfo().filter(isDescriptor).length)
  }

  #judge(held: number): void {
    const most = this.#share + 2 * this.#runs()
    if (held > most) this.#tooMany(most)
  }

  #watchFiles(): void {
    const builtin = fs as unknown as Record<'open' | 'openSync' | 'close' | 'closeSync', Call>
    const { open, openSync, close, closeSync } = builtin
    const opened = (fd: unknown) => {
      this.#own.add(fd)
      this.#judge(this.#own.size)
    }
    builtin.openSync = (...args) => {
      const fd = openSync(...args)
      opened(fd)
      return fd
    }
    builtin.open = (...args) => {
      const done = args.at(-1)
      if (typeof done !== 'function') return open(...args)
      return open(...args.slice(0, -1), (error: unknown, fd: unknown) => {
        if (!error) opened(fd)
        done(error, fd)
      })
    }
    const closing =
      (call: Call): Call =>
      (fd, ...rest) => {
        if (!this.#own.delete(fd)) throw new Error('a check must not close what it has not opened')
        return call(fd, ...rest)
      }
    builtin.close = closing(close)
    builtin.closeSync = closing(closeSync)
    syncBuiltinESMExports()
  }
}

function isDescriptor(resource: string): boolean {
  return resource !== 'Timeout' && resource !== 'Immediate' && resource !== 'MessagePort'
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
