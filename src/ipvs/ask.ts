/** Executes one exchange with the IPVS family, and makes its errors those of the table. */
import type { Connection } from '../netlink/connection.js'
import { NetlinkError } from '../netlink/error.js'
import { SystemError } from '../system/libc.js'
import type { Sliced } from '../util/time-slice.js'
import type { IpvsAttributes } from './attributes.js'
import { failureOf } from './errors.js'

export type IpvsConnection = Connection<IpvsAttributes>

/** Real servers of one service whose reading takes a turn: the kernel hands all of them out at once. */
export const LONG_READING = 1000

/** Executes `question`, and repeats it if the family's number has changed. Throws a KernelError. */
export function ask<T>(connection: IpvsConnection, what: string, question: () => T): T {
  return explained(what, () => {
    try {
      return question()
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || !connection.lookUp()) throw error
      return question()
    }
  })
}

/** Reads the family's number again. Returns true if it has changed. Throws a KernelError. */
export function lookedUp(connection: IpvsConnection): boolean {
  return explained('reach IPVS', () => connection.lookUp())
}

/** Executes `attempt`. An error of a system call or of netlink becomes a KernelError that says what failed. */
export function explained<T>(what: string, attempt: () => T): T {
  try {
    return attempt()
  } catch (error) {
    const code = codeOf(error)
    if (code === null) throw error
    throw failureOf(what, code, error)
  }
}

/** As `explained`, for each step. */
export function* explaining<T>(what: string, work: Sliced<T>): Sliced<T> {
  for (;;) {
    const step = explained(what, () => work.next())
    if (step.done) return step.value
    yield
  }
}

/** Returns the errno name of an error of a system call or of netlink, else null. */
export function codeOf(error: unknown): string | null {
  return error instanceof NetlinkError || error instanceof SystemError ? error.code : null
}
