/**
 * Which lvsd has made a marked service, and which ones are left of an lvsd that has ended. Pure.
 *
 * lvsd signs its marked services: their timeout has the number of the lvsd, although they have no persistence. The kernel
 * keeps that field and does not use it (svc->timeout, ip_vs_ctl.c), and no other program writes it without persistence.
 */
import type { Fwmark, Table, TableService } from './model.js'
import type { MarkRange } from './service-path.js'

/** Seconds: above the 31 days that ipvsadm takes. With 1,000 ticks a second the kernel keeps up to 4,294,967 s. */
const FIRST = 3 * 2 ** 20

/** Numbers of lvsd are from 0 to `OWNERS - 1`. */
export const OWNERS = 2 ** 20

/** Returns the timeout of a service without persistence, in seconds. */
export function timeoutOfOwner(owner: number | undefined): number {
  return owner === undefined ? 0 : FIRST + owner
}

/** Returns the number of the lvsd that signed with this timeout of a service without persistence. */
export function ownerOfTimeout(timeout: number): number | undefined {
  return timeout >= FIRST && timeout < FIRST + OWNERS ? timeout - FIRST : undefined
}

export interface LeftServices {
  /** Signed by an lvsd that does not run, on a mark of the range, and of the form of marked services. */
  readonly certain: readonly Fwmark[]
  /** Of that form, but not signed or on another mark: they may be of another program. */
  readonly possible: readonly Fwmark[]
}

interface Known {
  readonly range: MarkRange
  /** Keys of the services that are accounted for. */
  readonly known: { has(key: string): boolean }
  /** The numbers of all lvsd that run in this network namespace. */
  readonly running: ReadonlySet<number>
}

/** Returns the marked services that no running lvsd has. */
export function leftServices(table: Table, { range, known, running }: Known): LeftServices {
  const certain: Fwmark[] = []
  const possible: Fwmark[] = []
  for (const [key, service] of table) {
    const { id, owner } = service
    if (id.kind !== 'fwmark' || known.has(key) || !isMarkedForm(service)) continue
    if (owner !== undefined && running.has(owner)) continue
    const isInRange = id.fwmark >= range.from && id.fwmark < range.from + range.count
    if (isInRange && owner !== undefined) certain.push(id)
    else if (isInRange || owner !== undefined) possible.push(id)
  }
  return { certain, possible }
}

interface Others extends Omit<Known, 'range'> {
  /** The number of this lvsd; undefined: it has none. */
  readonly own: number | undefined
}

/** Returns those of the known services that another running lvsd has signed: both have chosen the same mark. */
export function takenByOthers(table: Table, { known, running, own }: Others): Fwmark[] {
  return [...table].flatMap(([key, { id, owner }]) => {
    const isOfOther = owner !== undefined && owner !== own && running.has(owner)
    return id.kind === 'fwmark' && isOfOther && known.has(key) ? [id] : []
  })
}

/** As lvsd makes them. One without a server is left if lvsd is killed between two changes. */
function isMarkedForm({ scheduler, schedulerFlags, persistence, onePacket, reals }: TableService): boolean {
  if (scheduler !== 'rr' || schedulerFlags.length > 0 || persistence !== null || reals.size > 1) return false
  return [...reals.values()].every(
    ({ weight, upper, lower, forwarding }) =>
      weight === 1 && upper === 0 && lower === 0 && onePacket === (forwarding !== 'masq'),
  )
}
