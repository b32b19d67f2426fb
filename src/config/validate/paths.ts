/**
 * Which way a check goes: `path: service` or `path: real`. Such a check must be data, or code that can take a path, and needs an
 * address and a port.
 */
import type { Check, Target } from '../../check/check.js'
import { type Address, literalAddress } from '../../core/address.js'
import type { CheckPath, CheckUse, Forwarding, Service, Virtual } from '../../core/model.js'
import { DEFAULT_MARKS } from '../../core/service-path.js'
import { isBounded } from '../../probe/bounded.js'
import { counted } from '../../util/plural.js'
import type { Position } from '../problems/problem.js'
import type { Fields } from '../read/fields.js'
import type { checkFields } from '../schema/check-fields.js'
import { MAX_U32 } from '../schema/field-types.js'
import type { settingsFields } from '../schema/schema.js'
import type { Context } from './context.js'
import type { RealContext } from './real-context.js'

interface Read {
  readonly check: Check
  readonly options: CheckUse['options']
  /** Which way the checks of the service go. */
  readonly byService: CheckPath
}

/** Returns the path of a check. One that sends nothing has none. */
export function readPath(fields: Fields<typeof checkFields>, read: Read, { report }: Context): CheckPath {
  const path = fields.values.path ?? read.byService
  if (path === 'real') return path
  const probe = probeOf(read)
  if (probe === 'nothing') return 'real'
  const { checkaddress, source, sentinel = false } = fields.values
  if (sentinel)
    report.error(
      'CHECK_PATH',
      fields.keyAt('sentinel'),
      "sentinel watches the real server's own address, so a check with path: service cannot have it; remove it or write path: real",
    )
  if (fields.values['early-timeout'] === true)
    report.warn(
      'EARLY_TIMEOUT_IDLE',
      fields.keyAt('early-timeout'),
      'early-timeout has no effect on a check with path: service: remove it or write path: real',
    )
  const keys = [
    ...(checkaddress === undefined ? [] : ['checkaddress']),
    ...(source === 'kernel' ? ['source: kernel'] : []),
  ]
  const why = probe ?? (keys.length > 0 ? `it has ${keys.join(' and ')}` : null)
  if (why === null) return path
  report.error(
    'CHECK_PATH',
    fields.entry('path') ? fields.valueAt('path') : fields.at,
    `${read.check.name} cannot go through the path of the service: ${why}; write path: real for this check`,
  )
  return 'real'
}

/** Returns why the check cannot take the path, with its sockets as they are; null: it can. `nothing`: it sends nothing. */
function probeOf({ check, options }: Read): string | null {
  const { origin, takesPath } = check
  if (origin === 'user' || (!check.probe && !takesPath))
    return 'it runs a command or makes connections of its own'
  const asCode = 'with these options it makes connections of its own'
  try {
    const probe = check.probe?.(ANY_TARGET, options)
    if (probe?.kind === 'fixed') return 'nothing'
    if (probe?.kind === 'icmp') return 'it asks the host, not the service'
    if (probe && isBounded(probe)) return null
    const inTheWay = takesPath?.(options) ?? asCode
    if (inTheWay === true || inTheWay === asCode) return inTheWay === true ? null : asCode
    return `${inTheWay} needs a further connection, which may lead elsewhere`
  } catch {
    return asCode
  }
}

const ADDRESS = literalAddress('2001:db8::1') as Address
const ANY_TARGET: Target = {
  address: ADDRESS,
  port: 1,
  real: { address: ADDRESS, port: 1, weight: 1 },
  service: { name: '', address: ADDRESS, port: 1, protocol: 'tcp', fwmark: null },
}

/** Reports the first check of a real server that has no address and port to go to through its service. */
export function judgePaths(
  uses: readonly CheckUse[],
  forwarding: Forwarding,
  at: Position,
  { facts, report }: RealContext,
): void {
  for (const { kind, path, port } of uses) {
    if (path !== 'service') continue
    const why = withoutEndpoint(port, forwarding, facts)
    if (why === null) continue
    report.error(
      'CHECK_PATH',
      at,
      `the check ${kind} cannot go through the path of the service: ${why}; write path: real`,
    )
    return
  }
}

function withoutEndpoint(
  port: number | null,
  forwarding: Forwarding,
  { isFwmark, port: ofService }: RealContext['facts'],
): string | null {
  if (isFwmark) return 'a service with a firewall mark has no virtual address'
  if (ofService === 0 && port === null) return 'the service has every port, so the check needs checkport'
  if (port !== null && forwarding === 'masq')
    return 'with masq the kernel sends it to the port of the real server, not to checkport'
  return null
}

interface Placed {
  readonly service: Pick<Service, 'name' | 'reals' | 'part'>
  readonly places: readonly { readonly virtual: Virtual; readonly at: Position }[]
}

/** Reports marks of services that lie in the range for checks, where there are such checks, and a range with too few. */
export function judgeMarks(
  settings: Fields<typeof settingsFields> | undefined,
  services: readonly Placed[],
  { report }: Context,
): void {
  const given = settings?.values.marks
  const { from = DEFAULT_MARKS.from, count = DEFAULT_MARKS.count } = given?.values ?? {}
  const last = from + count - 1
  if (settings && last > MAX_U32)
    report.error('MARK_RANGE', settings.keyAt('marks'), `the last mark would be ${last}, over ${MAX_U32}`)
  const isUsed = services.some(({ service }) => service.reals.some(hasPath))
  if (!isUsed) return
  if (settings && given) judgeCount(count, services, settings.keyAt('marks'), report)
  for (const { service, places } of services)
    for (const { virtual, at } of places)
      if (virtual.kind === 'fwmark' && virtual.fwmark >= from && virtual.fwmark <= last)
        report.error(
          'MARK_RANGE',
          at,
          `the mark of "${service.name}" is one of those for checks with path: service, ${from} to ${last}: give settings: marks another range`,
        )
}

/** The checks of the first of several parts count for all. */
function judgeCount(
  count: number,
  services: readonly Pick<Placed, 'service'>[],
  at: Position,
  report: Context['report'],
): void {
  const asked = services.filter(({ service: { name, part } }) => !part || part.first === name)
  const wanted = asked.reduce((sum, { service }) => sum + service.reals.filter(hasPath).length, 0)
  if (wanted > count)
    report.warn(
      'MARK_RANGE',
      at,
      `${counted(count, 'mark')} for ${counted(wanted, 'real server')} with path: service: the checks of the last ones have no verdict`,
    )
}

function hasPath({ checks }: Service['reals'][number]): boolean {
  return checks.some(({ path }) => path === 'service')
}
