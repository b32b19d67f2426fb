/** The real servers of a virtual as nodes of the raw tree. */
import type { Position } from '../problems/problem.js'
import type { RawNode } from '../raw.js'
import { hostOfUrl } from './check-options.js'
import type { CheckChoice } from './checks.js'
import { portOfService, rowOf } from './kinds.js'
import type { RealLine } from './reals.js'
import type { Report } from './report.js'
import { type Entry, entry, map } from './tree.js'
import type { Read } from './virtuals.js'

export function realNodes(
  reals: readonly RealLine[],
  read: Read,
  choice: CheckChoice,
  context: { readonly report: Report },
): RawNode[] {
  const byKey = new Map<string, RealLine>()
  for (const real of reals) {
    const key = `${real.host.text}:${portInTable(real, read)}`
    const before = byKey.get(key)
    if (before)
      context.report.warn(
        'REAL_TWICE',
        real.at,
        `${key} stands in line ${before.at.line} already; this line counts. ldirectord lets the two take turns`,
      )
    byKey.set(key, real)
  }
  const told = new Set<Position>()
  return [...byKey.values()].map(real => {
    if (!told.has(real.at)) tellPort(real, read, context.report)
    told.add(real.at)
    return realNode(real, read, choice, context.report)
  })
}

/** With gate and ipip packets arrive unchanged, so the kernel has the port of the virtual whatever is written. */
function portInTable({ port, forwarding }: RealLine, { protocol, port: virtualPort }: Read): number {
  return protocol === 'fwm' || forwarding === 'masq' ? port : virtualPort
}

function tellPort(real: RealLine, read: Read, report: Report): void {
  const port = portInTable(real, read)
  if (real.port !== 0 && port !== real.port)
    report.warn(
      'PORT_MAPPED',
      real.at,
      `with ${real.forwarding} packets arrive on the port of the virtual: ${real.host.text}:${port} in the table, and the check goes to port ${read.own.checkport?.value ?? real.port}; with ldirectord it may never come back once it was down`,
    )
}

function realNode(real: RealLine, read: Read, choice: CheckChoice, report: Report): RawNode {
  const { host, forwarding, weight, lower, upper, at } = real
  const port = portInTable(real, read)
  const check = ownCheck(real, port, read, choice, report)
  return map(
    [
      entry('address', `${host.text}:${port}`, at),
      entry('forwarding', forwarding, at),
      entry('weight', weight, at),
      upper === null ? null : entry('upper', upper, at),
      lower === null ? null : entry('lower', lower, at),
      check.length === 0 ? null : entry('check', map(check, at), at),
    ],
    at,
  )
}

/** What differs from the virtual's check. */
function ownCheck(real: RealLine, port: number, read: Read, choice: CheckChoice, report: Report): Entry[] {
  const { at, pair } = real
  const url = urlOf(real, choice)
  if (pair && !url && pair.request.includes(`${choice.kind}://`))
    report.warn(
      'PAIR',
      at,
      `"${pair.request}" names no server that could be asked: it is taken for a path of this server; with ldirectord the server is always down`,
    )
  const own = pair ? choice.ownOptions({ ...pair }, at, serverOf(real, read, choice)) : []
  if (url)
    report.note('URL_HOST', at, `the check goes to ${url.host}, not to this real server, as with ldirectord`)
  const checkport = url?.port ?? portToCheck(real, port, read, choice)
  if (!url && port !== 0 && isPortless(real, read, choice))
    report.warn(
      'INCOMPLETE',
      at,
      `no port is written for this server, and ${choice.service} implies none: the check goes to port ${port} of the virtual; with ldirectord such servers are always down`,
    )
  return [
    ...(url ? [entry('checkaddress', url.host, at)] : []),
    ...(checkport === null ? [] : [entry('checkport', checkport, at)]),
    ...own,
  ]
}

/** The real server as it stands in a URL. */
function serverOf({ host, port }: RealLine, { own }: Read, choice: CheckChoice): string {
  return `${host.text}:${own.checkport?.value ?? (port > 0 ? port : portOfService(choice.service))}`
}

/** Whether ldirectord knows no port to check. */
function isPortless(real: RealLine, { own }: Read, choice: CheckChoice): boolean {
  const isKnown = own.checkport !== undefined || real.port > 0 || portOfService(choice.service) !== null
  return !isKnown && !rowOf(choice.kind).isPortless
}

/** The port that ldirectord checks, where it is not the one that lvsd would take. */
function portToCheck(real: RealLine, port: number, { own }: Read, choice: CheckChoice): number | null {
  if (own.checkport || rowOf(choice.kind).isPortless) return null
  const wanted = real.port > 0 ? real.port : portOfService(choice.service)
  return wanted === port ? null : wanted
}

/** Of a request that is a whole URL: where it leads. */
function urlOf({ pair }: RealLine, choice: CheckChoice): { host: string; port: number } | null {
  const found = pair && choice.kind === choice.service && hostOfUrl(pair.request, choice.service)
  if (!found) return null
  const port = found.port === null ? portOfService(choice.service) : Number(found.port)
  return { host: found.address?.text ?? found.host, port: port ?? 0 }
}
