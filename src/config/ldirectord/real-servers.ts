/** Converts the real servers of a virtual to nodes of the raw tree. */
import type { Position } from '../problems/problem.js'
import type { RawNode } from '../raw.js'
import type { RealLine } from './address-lines.js'
import { hostOfUrl, pairOptions } from './check-options.js'
import { portOfService, rowOf } from './kinds.js'
import type { Located } from './text-span.js'
import { type Entry, entry, list, map, type Value } from './tree.js'
import type { Virtual } from './virtual.js'

export function realServers(virtual: Virtual): Located<Value> {
  const byKey = new Map<string, RealLine>()
  for (const real of virtual.reals) {
    const key = `${real.host.text}:${portInTable(real, virtual)}`
    const before = byKey.get(key)
    if (before)
      virtual.report.warn(
        'REAL_TWICE',
        real.at,
        `${key} is already in line ${before.at.line}; this line is used. ldirectord alternates between the two`,
      )
    byKey.set(key, real)
  }
  const told = new Set<Position>()
  const nodes = [...byKey.values()].map(real => {
    if (!told.has(real.at)) reportPort(real, virtual)
    told.add(real.at)
    return realNode(real, virtual)
  })
  return { value: list(nodes, virtual.at), at: virtual.at }
}

/**
 * Returns the port in the kernel's table. With gate and ipip, packets keep their port, so it is that of the virtual.
 */
function portInTable({ port, forwarding }: RealLine, { protocol, port: virtualPort }: Virtual): number {
  return protocol === 'fwm' || forwarding === 'masq' ? port : virtualPort
}

function reportPort(real: RealLine, virtual: Virtual): void {
  const port = portInTable(real, virtual)
  if (real.port !== 0 && port !== real.port)
    virtual.report.warn(
      'PORT_MAPPED',
      real.at,
      `with ${real.forwarding} packets arrive on the port of the virtual: ${real.host.text}:${port} in the table, and the check goes to port ${virtual.own.checkport?.value ?? real.port}; with ldirectord it may never come back once it was down`,
    )
}

function realNode(real: RealLine, virtual: Virtual): RawNode {
  const { host, forwarding, weight, lower, upper, at } = real
  const port = portInTable(real, virtual)
  const check = ownCheck(real, port, virtual)
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

/** Returns the keys that differ from the virtual's check. */
function ownCheck(real: RealLine, port: number, virtual: Virtual): Entry[] {
  const { at, pair } = real
  const { kind, service, report } = virtual
  const url = urlOf(real, virtual)
  if (pair && !url && pair.request.includes(`${kind}://`))
    report.warn(
      'PAIR',
      at,
      `"${pair.request}" names no server that could be asked: it is taken for a path of this server; with ldirectord the server is always down`,
    )
  const own = pair ? pairOptions(virtual, pair, at, serverOf(real, virtual)) : []
  if (url)
    report.note('URL_HOST', at, `the check goes to ${url.host}, not to this real server, as with ldirectord`)
  const checkport = url?.port ?? portToCheck(real, port, virtual)
  if (!url && port !== 0 && isPortless(real, virtual))
    report.warn(
      'INCOMPLETE',
      at,
      `no port is written for this server, and ${service} implies none: the check goes to port ${port} of the virtual; with ldirectord such servers are always down`,
    )
  return [
    ...(url ? [entry('checkaddress', url.host, at)] : []),
    ...(checkport === null ? [] : [entry('checkport', checkport, at)]),
    ...own,
  ]
}

/** Returns the real server as host and port for a URL. */
function serverOf({ host, port }: RealLine, { own, service }: Virtual): string {
  return `${host.text}:${own.checkport?.value ?? (port > 0 ? port : portOfService(service))}`
}

/** True if ldirectord has no port to check. */
function isPortless(real: RealLine, { own, service, kind }: Virtual): boolean {
  const isKnown = own.checkport !== undefined || real.port > 0 || portOfService(service) !== null
  return !isKnown && !rowOf(kind).isPortless
}

/** Returns the port that ldirectord checks, or null if lvsd uses it anyway. */
function portToCheck(real: RealLine, port: number, { own, service, kind }: Virtual): number | null {
  if (own.checkport || rowOf(kind).isPortless) return null
  const wanted = real.port > 0 ? real.port : portOfService(service)
  return wanted === port ? null : wanted
}

/** Returns the host and port of a request that is a whole URL, or null. */
function urlOf({ pair }: RealLine, { kind, service }: Virtual): { host: string; port: number } | null {
  const found = pair && kind === service && hostOfUrl(pair.request, service)
  if (!found) return null
  const port = found.port === null ? portOfService(service) : Number(found.port)
  return { host: found.address?.text ?? found.host, port: port ?? 0 }
}
