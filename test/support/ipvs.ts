/** Random IPVS tables and changes for tests, and the format of ipvsadm. */
import fc from 'fast-check'
import type { Family } from '../../src/core/address.js'
import { bracketed } from '../../src/core/address.js'
import {
  type Change,
  familyOf,
  type Persistence,
  type SchedulerFlag,
  type ServiceAttributes,
  type ServiceId,
  type Table,
  type TableReal,
  type TableService,
} from '../../src/core/model.js'
import { OWNERS } from '../../src/core/path-owner.js'
import { address } from './tables.js'

// ---------------------------------------------------------------- random values, from few, so that they coincide

/** Schedulers and persistence engines of the lab's kernel. */
export const SCHEDULERS = 'rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf'.split(' ')
export const ENGINES = ['sip']

const SERVICE_ADDRESSES = ['fd00:f::1', 'fd00:f::2', '10.15.0.1'].map(address)
const REAL_ADDRESSES = ['fd00:1::1', 'fd00:1::2', 'fd00:1::ffff:1', '10.1.0.1', '10.1.0.2'].map(address)
/** Addresses that are not unicast, or that are link-local. */
const WRONG_ADDRESSES = ['fe80::1', 'ff02::1', '::', '224.0.0.1', '0.0.0.0', '255.255.255.255'].map(address)

const plain = { noNullPrototype: true } as const

const anyFamily = fc.constantFrom<Family>('ipv6', 'ipv4')

export const anyServiceId: fc.Arbitrary<ServiceId> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('address' as const),
      protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
      address: fc.constantFrom(...SERVICE_ADDRESSES),
      port: fc.constantFrom(0, 80, 65535),
    },
    plain,
  ),
  fc.record(
    { kind: fc.constant('fwmark' as const), fwmark: fc.constantFrom(1, 0xffffffff), family: anyFamily },
    plain,
  ),
)

const anyPersistence = (family: Family, engines: readonly string[]): fc.Arbitrary<Persistence> =>
  fc.record(
    {
      timeout: fc.constantFrom(1, 300, 2_678_400),
      prefix: family === 'ipv6' ? fc.integer({ min: 1, max: 128 }) : fc.integer({ min: 0, max: 32 }),
      engine: fc.constantFrom(null, ...engines),
    },
    plain,
  )

export const anyAttributes = (
  family: Family,
  schedulers: readonly string[] = SCHEDULERS,
  engines: readonly string[] = ENGINES,
): fc.Arbitrary<ServiceAttributes> =>
  fc
    .record(
      {
        scheduler: fc.constantFrom(...schedulers),
        schedulerFlags: fc.subarray<SchedulerFlag>(['flag-1', 'flag-2', 'flag-3']),
        persistence: fc.option(anyPersistence(family, engines)),
        onePacket: fc.boolean(),
        owner: fc.option(fc.nat(OWNERS - 1)),
      },
      plain,
    )
    // The signature is in the timeout, which that of persistence needs.
    .map(({ owner, ...rest }) => (owner === null || rest.persistence ? rest : { ...rest, owner }))

export const anyReal = (addresses = REAL_ADDRESSES): fc.Arbitrary<TableReal> =>
  fc
    .record({
      address: fc.constantFrom(...addresses),
      port: fc.constantFrom(0, 80, 65535),
      forwarding: fc.constantFrom(
        'gate' as const,
        'masq' as const,
        'ipip' as const,
        'gue' as const,
        'gre' as const,
      ),
      tunnelPort: fc.constantFrom(1, 6080, 65535),
      tunnelChecksum: fc.constantFrom('none' as const, 'csum' as const, 'remcsum' as const),
      weight: fc.constantFrom(0, 1, 1000, 0x7fffffff),
      upper: fc.constantFrom(0, 10, 0xffffffff),
      lower: fc.constantFrom(0, 10),
    })
    .map(({ address, port, forwarding, tunnelPort, tunnelChecksum, weight, upper, lower }) => ({
      address,
      port,
      forwarding,
      tunnelPort: forwarding === 'gue' ? tunnelPort : 0,
      tunnelChecksum: forwarding === 'gue' || forwarding === 'gre' ? tunnelChecksum : 'none',
      weight,
      upper,
      lower,
    }))

/** A change that the codec must encode, even if the kernel refuses it. `was` is arbitrary, because it is not sent. */
export const anyChange: fc.Arbitrary<Change> = changeOf(anyReal(), SCHEDULERS, ENGINES)

/** A change that may have any error that a kernel refuses. */
export const anyMistakenChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: anyChange },
  changeOf(
    fc.oneof(
      anyReal([...REAL_ADDRESSES, ...WRONG_ADDRESSES]),
      anyReal().map(real => ({ ...real, tunnelPort: 0 })),
    ),
    [...SCHEDULERS, 'nosuch', 'a-name-of-16-cha'],
    [...ENGINES, 'nosuch', 'a-name-of-16-cha', 'a-name-of-17-char'],
  ),
)

function changeOf(
  reals: fc.Arbitrary<TableReal>,
  schedulers: readonly string[],
  engines: readonly string[],
): fc.Arbitrary<Change> {
  return anyServiceId.chain(id => {
    const anyOfFamily = anyAttributes(familyOf(id), schedulers, engines)
    return fc
      .record({ op: fc.constantFrom(...OPS), service: anyOfFamily, real: reals })
      .map(({ op, service, real }) => changeFrom(op, id, service, real))
  })
}

function changeFrom(op: Change['op'], id: ServiceId, service: ServiceAttributes, real: TableReal): Change {
  switch (op) {
    case 'add-service':
      return { op, id, service }
    case 'set-service':
      return { op, id, service, was: service }
    case 'delete-service':
      return { op, id, was: { id, ...service, reals: new Map() } }
    case 'add-real':
      return { op, id, real }
    case 'set-real':
      return { op, id, real, was: real }
    case 'delete-real':
      return { op, id, was: real }
  }
}

/** Operations. Most are additions, so that later operations find something to change. */
const OPS = [
  ...(['add-service', 'add-service', 'add-service', 'set-service', 'delete-service'] as const),
  ...(['add-real', 'add-real', 'add-real', 'add-real', 'set-real', 'set-real', 'delete-real'] as const),
] as const

// ---------------------------------------------------------------- the format of ipvsadm

/** Returns the lines of `ipvsadm -Sn` for the table, sorted. They do not include thresholds. */
export function asSaved(table: Table): string[] {
  return [...table.values()].flatMap(service => [savedService(service), ...savedReals(service)]).sort()
}

export function savedLines(printed: string): string[] {
  return printed.split('\n').filter(Boolean).sort()
}

function savedService({ id, scheduler, schedulerFlags, persistence, onePacket }: TableService): string {
  const words = [`-A ${savedId(id)} -s ${scheduler}`]
  if (persistence) words.push(`-p ${persistence.timeout}`, savedMask(familyOf(id), persistence.prefix))
  if (persistence?.engine) words.push(`--pe ${persistence.engine}`)
  if (onePacket) words.push('-o')
  if (schedulerFlags.length > 0)
    words.push(`-b ${schedulerFlags.map(flag => savedFlag(scheduler, flag)).join(',')}`)
  return words.filter(Boolean).join(' ')
}

/** ipvsadm prints firewall marks as signed numbers. */
function savedId(id: ServiceId): string {
  if (id.kind === 'fwmark') return `-f ${id.fwmark | 0}${id.family === 'ipv6' ? ' -6' : ''}`
  const option = { tcp: '-t', udp: '-u', sctp: '--sctp-service' }[id.protocol]
  return `${option} ${bracketed(id.address)}:${id.port}`
}

/** Returns the option for the persistence mask; '' if the mask covers the whole address. */
function savedMask(family: Family, prefix: number): string {
  if (family === 'ipv6') return prefix === 128 ? '' : `-M ${prefix}`
  if (prefix === 32) return ''
  const bits = '1'.repeat(prefix).padEnd(32, '0')
  return `-M ${[0, 8, 16, 24].map(from => Number.parseInt(bits.slice(from, from + 8), 2)).join('.')}`
}

/** Returns the name of a scheduler flag. sh and mh have their own names. */
function savedFlag(scheduler: string, flag: SchedulerFlag): string {
  if (scheduler !== 'sh' && scheduler !== 'mh') return flag
  return { 'flag-1': `${scheduler}-fallback`, 'flag-2': `${scheduler}-port`, 'flag-3': 'flag-3' }[flag]
}

function savedReals({ id, reals }: TableService): string[] {
  return [...reals.values()].map(real => {
    const where = `-a ${savedId(id)} -r ${bracketed(real.address)}:${real.port}`
    return [where, savedForwarding(real), `-w ${real.weight}`, savedTunnel(real)].filter(Boolean).join(' ')
  })
}

function savedForwarding({ forwarding }: TableReal): string {
  if (forwarding === 'gate') return '-g'
  return forwarding === 'masq' ? '-m' : '-i'
}

function savedTunnel({ forwarding, tunnelPort, tunnelChecksum }: TableReal): string {
  if (forwarding === 'gate' || forwarding === 'masq') return ''
  const port = forwarding === 'gue' ? ` --tun-port ${tunnelPort}` : ''
  const checksum = { none: '--tun-nocsum', csum: '--tun-csum', remcsum: '--tun-remcsum' }[tunnelChecksum]
  return `--tun-type ${forwarding}${port}${forwarding === 'ipip' ? '' : ` ${checksum}`}`
}
