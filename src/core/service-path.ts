/**
 * Checks that go the way of the clients: to the virtual address, through one chosen real server. The packets of such a
 * check have a firewall mark, and IPVS has a service on that mark with this server alone. Pure.
 */
import type { Address } from './address.js'
import { sameReal } from './diff.js'
import { kernelServicesOf } from './kernel-services.js'
import {
  type Fwmark,
  keyOfReal,
  keyOfService,
  type ResolvedReal,
  type ResolvedService,
  type Table,
  type TableReal,
  type TableService,
} from './model.js'

/** The way from a virtual address to one of its real servers. */
export interface ServicePath {
  /** Unique and stable: the keys of the service and of the real server in the kernel. */
  readonly key: string
  /** Key of the real server alone. */
  readonly realKey: string
  readonly virtual: Address
  /** The port that clients use; 0: any. */
  readonly port: number
  /** The entry of the marked service, with weight 1. */
  readonly real: TableReal
}

/** Firewall marks from `from` to `from + count - 1`. */
export interface MarkRange {
  readonly from: number
  readonly count: number
}

/** "LV" in ASCII, then two bytes: a range that firewalls hardly use. */
export const DEFAULT_MARKS: MarkRange = { from: 0x4c56_0000, count: 0x1_0000 }

/** Returns the path of a real server with an address; of several addresses of the service, that of the first. */
export function pathOf(service: ResolvedService, real: ResolvedReal): ServicePath | null {
  if (!real.address) return null
  for (const { id } of kernelServicesOf(service, real)) {
    if (id?.kind !== 'address') continue
    const { forwarding, tunnelPort, tunnelChecksum } = real.attributes
    const entry = {
      ...{ address: real.address, port: real.port, forwarding, tunnelPort, tunnelChecksum },
      ...{ weight: 1, upper: 0, lower: 0 },
    }
    const realKey = keyOfReal(entry)
    return { key: `${keyOfService(id)} ${realKey}`, realKey, virtual: id.address, port: id.port, real: entry }
  }
  return null
}

/** Returns the paths by their keys. */
export function pathsOf(jobs: Iterable<{ readonly path: ServicePath | null }>): Map<string, ServicePath> {
  const paths = new Map<string, ServicePath>()
  for (const { path } of jobs) if (path) paths.set(path.key, path)
  return paths
}

/**
 * Returns a mark of the range for each path, by its key. A path keeps its mark; a new one gets the lowest that no path
 * and no other program (`taken`) has. Without free marks the last ones get none.
 */
export function allotMarks(
  keys: Iterable<string>,
  { from, count }: MarkRange,
  before: ReadonlyMap<string, number>,
  taken: ReadonlySet<number>,
): Map<string, number> {
  const marks = new Map<string, number>()
  const used = new Set(taken)
  const fresh: string[] = []
  for (const key of keys) {
    const mark = before.get(key)
    if (mark === undefined || mark < from || mark >= from + count || used.has(mark)) fresh.push(key)
    else {
      marks.set(key, mark)
      used.add(mark)
    }
  }
  let next = from
  for (const key of fresh) {
    while (next < from + count && used.has(next)) next++
    if (next >= from + count) break
    marks.set(key, next++)
  }
  return marks
}

/** Returns the marks of services in the table that lvsd does not own: another program uses them. */
export function marksOfOthers(table: Table, owned: ReadonlySet<string>): Set<number> {
  const marks = new Set<number>()
  for (const [key, { id }] of table) if (id.kind === 'fwmark' && !owned.has(key)) marks.add(id.fwmark)
  return marks
}

export function markedId({ virtual }: Pick<ServicePath, 'virtual'>, fwmark: number): Fwmark {
  return { kind: 'fwmark', fwmark, family: virtual.family }
}

/**
 * Returns the marked services, by their keys in the kernel: for each path that has a mark, one with its server alone.
 * `owner` signs them (`path-owner.ts`).
 */
export function markedServices(
  paths: ReadonlyMap<string, ServicePath>,
  marks: ReadonlyMap<string, number>,
  owner?: number,
): Map<string, TableService> {
  const table = new Map<string, TableService>()
  for (const [key, path] of paths) {
    const mark = marks.get(key)
    if (mark === undefined) continue
    const service = markedService(path, mark, owner)
    table.set(keyOfService(service.id), service)
  }
  return table
}

/** A path is the same object until its service or real server changes. */
const made = new WeakMap<ServicePath, { readonly mark: number; readonly service: TableService }>()

function markedService(path: ServicePath, mark: number, owner: number | undefined): TableService {
  const before = made.get(path)
  if (before?.mark === mark && before.service.owner === owner) return before.service
  const service = newService(path, mark, owner)
  made.set(path, { mark, service })
  return service
}

function newService(path: ServicePath, mark: number, owner: number | undefined): TableService {
  const { real, realKey } = path
  return {
    id: markedId(path, mark),
    scheduler: 'rr',
    schedulerFlags: [],
    persistence: null,
    // The kernel would remember each packet of a UDP check for minutes. With NAT it must, to translate the answer.
    onePacket: real.forwarding !== 'masq',
    ...(owner !== undefined && { owner }),
    reals: new Map([[realKey, real]]),
  }
}

/** Returns the keys of these services without those of paths. */
export function withoutMarked(
  owned: ReadonlySet<string>,
  marks: ReadonlyMap<string, number>,
): ReadonlySet<string> {
  if (marks.size === 0) return owned
  const marked = new Set(
    [...marks.values()].flatMap(fwmark =>
      (['ipv4', 'ipv6'] as const).map(family => keyOfService({ kind: 'fwmark', fwmark, family })),
    ),
  )
  return new Set([...owned].filter(key => !marked.has(key)))
}

/** True if packets with this mark go to the server of the path, and to no other. */
export function leadsThrough(
  held: Pick<TableService, 'reals'> | undefined,
  { real, realKey }: ServicePath,
): boolean {
  const entry = held?.reals.get(realKey)
  return entry !== undefined && held?.reals.size === 1 && sameReal(entry, real)
}
