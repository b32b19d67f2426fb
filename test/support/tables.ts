/** Tables, configurations and results for tests: short constructors, and random values. */
import fc from 'fast-check'
import { outputOf } from '../../src/config/read/layers.js'
import { plainServiceFields, settingsFields } from '../../src/config/schema/schema.js'
import { type Address, type Family, parseAddress } from '../../src/core/address.js'
import type {
  CheckPolicy,
  CheckResult,
  CheckUse,
  Forwarding,
  Real,
  RealAttributes,
  ResolvedConfig,
  ResolvedReal,
  ResolvedService,
  ServiceAttributes,
  ServiceId,
  Settings,
  Table,
  TableReal,
  TableService,
  Virtual,
} from '../../src/core/model.js'
import { keyOfReal, keyOfService } from '../../src/core/model.js'
import type { Override } from '../../src/core/override.js'

export function address(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(`${text} is not an address`)
  return parsed
}

// ---------------------------------------------------------------- the defaults of a configuration

export const ATTRIBUTES: RealAttributes = {
  forwarding: 'masq',
  tunnelPort: 0,
  tunnelChecksum: 'none',
  weight: 1,
  upper: 0,
  lower: 0,
}

export const SERVICE_ATTRIBUTES: ServiceAttributes = {
  scheduler: 'wlc',
  schedulerFlags: [],
  persistence: null,
  onePacket: false,
}

export const SETTINGS: Settings = outputOf(settingsFields, [])

export const POLICY: CheckPolicy = { interval: 5000, timeout: 3000, fall: 2, rise: 1, fastinter: 1000 }

/** Policy for tests: short times, and a verdict after the first result. */
const QUICK: CheckPolicy = { interval: 1000, timeout: 500, rise: 1, fall: 1, fastinter: 1000 }

// ---------------------------------------------------------------- parts of a configuration

export function serviceId(text: string, port = 80): ServiceId {
  return { kind: 'address', protocol: 'tcp', address: address(text), port }
}

export function use(
  kind: string,
  options: Record<string, unknown> = {},
  policy: Partial<CheckPolicy> = {},
): CheckUse {
  return { kind, options, policy: { ...QUICK, ...policy }, port: null, host: null }
}

/** A real server on port 80 with the check `on`, by default. Its address is null if its host is a name. */
export function real(
  host: string,
  {
    checks = [use('on')],
    need = checks.length,
    port = 80,
    ...attributes
  }: Partial<Real & RealAttributes> = {},
): ResolvedReal {
  const address = parseAddress(host)
  return {
    host,
    address,
    port,
    attributes: { ...ATTRIBUTES, ...attributes },
    checks: checks.map(one => ({ address, ...one })),
    need,
  }
}

/** A service at [2001:db8::80]:80, unless `id` or `named` set another address. */
export function service(name: string, parts: Partial<ResolvedService> = {}): ResolvedService {
  const id = parts.id ?? serviceId('2001:db8::80')
  return {
    name,
    ...outputOf(plainServiceFields, []),
    virtual: virtualOf(id),
    id,
    attributes: SERVICE_ATTRIBUTES,
    fallback: null,
    mail: null,
    reals: [],
    ...parts,
  }
}

/** A virtual address that is a name and has not been looked up. */
export function named(host: string, family: Family | null = null, port = 80) {
  return { virtual: { kind: 'address', protocol: 'tcp', host, port, family }, id: null } as const
}

function virtualOf(id: ServiceId): Virtual {
  if (id.kind === 'fwmark') return id
  const { kind, protocol, address, port } = id
  return { kind, protocol, host: address.text, port, family: address.family }
}

export function config(
  services: readonly ResolvedService[],
  settings: Partial<Settings> = {},
): ResolvedConfig {
  return { file: 'site.yaml', settings: { ...SETTINGS, ...settings }, services }
}

export function table(...services: readonly TableService[]): Table {
  return new Map(services.map(entry => [keyOfService(entry.id), entry]))
}

export function tableService(id: ServiceId, reals: readonly TableReal[]): TableService {
  return { id, ...SERVICE_ATTRIBUTES, reals: new Map(reals.map(entry => [keyOfReal(entry), entry])) }
}

export function tableReal(host: string, attributes: Partial<RealAttributes> = {}, port = 80): TableReal {
  return { address: address(host), port, ...ATTRIBUTES, ...attributes }
}

/** The override of a file in the maintenance folder. */
export function heldBy(file: string): Override {
  return { effect: { kind: 'force-down' }, source: 'file', who: file, reason: '', since: 0, until: null }
}

export function passed(detail = 'ok'): CheckResult {
  return { ok: true, reason: null, detail, phase: null, ms: 1, phases: [] }
}

export function failed(reason: CheckResult['reason'] = 'refused'): CheckResult {
  return {
    ok: reason === 'no-verdict' ? null : false,
    reason,
    detail: `${reason}`,
    phase: 'connect',
    ms: 1,
    phases: [],
  }
}

// ---------------------------------------------------------------- random values, from few, so that they coincide

export const anyForwarding = fc.constantFrom<Forwarding>('gate', 'masq', 'ipip')

export const anyRealAttributes: fc.Arbitrary<RealAttributes> = fc.record({
  forwarding: anyForwarding,
  tunnelPort: fc.constant(0),
  tunnelChecksum: fc.constant('none' as const),
  weight: fc.integer({ min: 0, max: 3 }),
  upper: fc.integer({ min: 5, max: 6 }),
  lower: fc.integer({ min: 0, max: 1 }),
})

export const anyServiceAttributes: fc.Arbitrary<ServiceAttributes> = fc.record({
  scheduler: fc.constantFrom('rr', 'wlc'),
  schedulerFlags: fc.constantFrom([], ['flag-1'] as const),
  persistence: fc.option(
    fc.record(
      {
        timeout: fc.constantFrom(60, 300),
        prefix: fc.constantFrom(64, 128),
        engine: fc.constant(null),
      },
      { noNullPrototype: true },
    ),
  ),
  onePacket: fc.constant(false),
})

const anyTableReal: fc.Arbitrary<TableReal> = fc
  .record({ n: fc.integer({ min: 1, max: 5 }), attributes: anyRealAttributes })
  .map(({ n, attributes }) => ({ address: address(`fd00:1::${n}`), port: 80, ...attributes }))

const anyTableService: fc.Arbitrary<TableService> = fc
  .record({
    n: fc.integer({ min: 1, max: 4 }),
    attributes: anyServiceAttributes,
    reals: fc.array(anyTableReal, { maxLength: 5 }),
  })
  .map(({ n, attributes, reals }) => ({
    id: serviceId(`fd00:f::${n}`),
    ...attributes,
    reals: new Map(reals.map(entry => [keyOfReal(entry), entry])),
  }))

export const anyTable: fc.Arbitrary<Table> = fc
  .array(anyTableService, { maxLength: 4 })
  .map(services => table(...services))
