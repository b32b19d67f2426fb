/** The metrics of one service and of its real servers. */
import { sumOf } from '../core/counters.js'
import { hostPort } from '../core/display-names.js'
import { isWithoutVerdict } from '../core/health.js'
import { kernelServices, kernelServicesOf, keysOfKernel } from '../core/kernel-services.js'
import {
  type Dump,
  keyAsWritten,
  keyOfMember,
  keyOfReal,
  keyOfService,
  type RealCounters,
  type ResolvedReal,
  type ResolvedService,
  type Table,
  type TableService,
} from '../core/model.js'
import type { Effect, Override, OverrideSource } from '../core/override.js'
import type { WallClock } from '../util/clock.js'
import { textOf } from './exposition.js'
import { type Families, type Labels, sample } from './families.js'
import { bytesOf, NO_BYTES } from './lines.js'
import type { RealReading, Sources } from './sources.js'
import { OUTCOMES, type Tallies } from './tallies.js'

const EFFECTS: readonly Effect['kind'][] = ['force-down', 'disable', 'drain', 'weight', 'force-up']
const SOURCES: readonly OverrideSource[] = ['command', 'window', 'file']
const STATES = ['up', 'down', 'unknown'] as const
const OF_STATE = { up: { state: 'up' }, down: { state: 'down' }, unknown: { state: 'unknown' } } as const
const ACTIVE: Labels = { state: 'active' }
const INACTIVE: Labels = { state: 'inactive' }

/** Labels as text, for `Lines`. */
const BYTES = {
  active: bytesOf(textOf(ACTIVE)),
  inactive: bytesOf(textOf(INACTIVE)),
  up: bytesOf(textOf(OF_STATE.up)),
  down: bytesOf(textOf(OF_STATE.down)),
  unknown: bytesOf(textOf(OF_STATE.unknown)),
}

/** Number of real servers of one service without a rest. */
const STEP = 100

export interface Scrape {
  readonly families: Families
  readonly sources: Sources
  readonly tallies: Tallies
  /** Null: the kernel's table cannot be read. */
  readonly dump: Dump | null
  readonly wanted: Table
  readonly dates: Pick<WallClock, 'at'>
  /** Lets the event loop run, if it is time. */
  rest(): Promise<void>
  /** Number of active overrides by effect and source, `${effect} ${source}`. */
  readonly overrides: Map<string, number>
  /** Number of real servers that still get series of their own. */
  left: number
  leftOut: number
}

/** A service in the desired table and in the kernel's. */
interface Entries {
  readonly key: string | null
  readonly wanted: TableService | undefined
  readonly held: TableService | undefined
  /** Of a service with several addresses, all of them by their keys; else null. */
  readonly all: ReadonlyMap<string, Pick<Entries, 'wanted' | 'held'>> | null
}

export async function addService(scrape: Scrape, service: ResolvedService): Promise<void> {
  const { dump, wanted } = scrape
  const key = service.id && keyOfService(service.id)
  const labels = { service: service.name }
  const held = key === null ? undefined : dump?.table.get(key)
  const all = service.also
    ? new Map(
        keysOfKernel(service).map(
          one => [one, { held: dump?.table.get(one), wanted: wanted.get(one) }] as const,
        ),
      )
    : null
  const entries: Entries = { key, held, wanted: key === null ? undefined : wanted.get(key), all }
  addState(scrape, service, entries, labels)
  addTally(scrape, service.name, labels)
  await addReals(scrape, service, entries, labels)
  const { families: to } = scrape
  for (const address of all?.keys() ?? []) {
    const own = dump?.services.get(address)
    if (own) to.lvsd_service_address_connections_total.push(sample(own.connections, { address }, labels))
  }
  const counters = all
    ? sumOf([...all.keys()].flatMap(one => dump?.services.get(one) ?? []))
    : key === null
      ? undefined
      : dump?.services.get(key)
  if (!counters) return
  to.lvsd_service_connections_total.push(sample(counters.connections, labels))
  to.lvsd_service_incoming_bytes_total.push(sample(counters.inBytes, labels))
  to.lvsd_service_outgoing_bytes_total.push(sample(counters.outBytes, labels))
  to.lvsd_service_incoming_packets_total.push(sample(counters.inPackets, labels))
  to.lvsd_service_outgoing_packets_total.push(sample(counters.outPackets, labels))
}

function addState(
  { families: to, sources, dump, dates, wanted: tables }: Scrape,
  service: ResolvedService,
  { key, held, all }: Entries,
  labels: Labels,
): void {
  const { virtual, attributes } = service
  const { traffic, panic } = sources.service(service)
  const info = { virtual: key ?? keyAsWritten(virtual), scheduler: attributes.scheduler }
  to.lvsd_service_info.push(sample(1, info, labels))
  if (traffic) {
    to.lvsd_service_up.push(sample(Number(traffic.has), labels))
    to.lvsd_service_last_change_timestamp_seconds.push(sample(dates.at(traffic.since) / 1000, labels))
  }
  const isHeld = all ? [...all.values()].every(one => one.held) : held !== undefined
  if (dump) to.lvsd_service_in_kernel.push(sample(Number(isHeld), labels))
  const fallbacks = kernelServices(service).filter(one => one.fallback !== null)
  if (fallbacks.length > 0)
    to.lvsd_service_fallback_active.push(
      sample(Number(fallbacks.some(one => isFallbackActive(one, tables))), labels),
    )
  to.lvsd_service_panic.push(sample(Number(panic !== null), labels))
  to.lvsd_service_panic_held_reals.push(sample(panic?.held.length ?? 0, labels))
  to.lvsd_service_address_conflicts.push(sample(sources.conflicts(service), labels))
}

function isFallbackActive({ id, fallback }: ResolvedService, wanted: Table): boolean {
  if (!id || !fallback?.address) return false
  const key = keyOfReal({ address: fallback.address, port: fallback.port })
  return (wanted.get(keyOfService(id))?.reals.get(key)?.weight ?? 0) > 0
}

function addTally({ families: to, tallies }: Scrape, name: string, labels: Labels): void {
  const { results, seconds, transitions } = tallies.serviceOf(name)
  for (const result of OUTCOMES)
    to.lvsd_service_check_results_total.push(sample(results[result], { result }, labels))
  for (const state of STATES)
    to.lvsd_service_transitions_total.push(sample(transitions[state], { to: state }, labels))
  const metric = 'lvsd_service_check_duration_seconds'
  const count = results.passed + results.failed
  to[metric].push({ metricName: `${metric}_sum`, value: seconds, labels })
  to[metric].push({ metricName: `${metric}_count`, value: count, labels })
}

async function addReals(
  scrape: Scrape,
  service: ResolvedService,
  entries: Entries,
  labels: Labels,
): Promise<void> {
  const { families: to, sources, dump } = scrape
  const count = { up: 0, down: 0, unknown: 0, noVerdict: 0, overrides: 0 }
  const weight = { configured: 0, wanted: 0, kernel: 0 }
  const connections = { active: 0, inactive: 0 }
  for (const [i, real] of service.reals.entries()) {
    if (i % STEP === STEP - 1) await scrape.rest()
    const identity = identityOf(service, real)
    const reading = sources.real(service, real)
    const row = rowOf(scrape, entries, identity, reading)
    count[reading.state]++
    if (row.noVerdict) count.noVerdict++
    weight.configured += real.attributes.weight
    weight.wanted += row.wanted ?? 0
    weight.kernel += row.kernel ?? 0
    connections.active += row.counters?.active ?? 0
    connections.inactive += row.counters?.inactive ?? 0
    if (reading.override) {
      count.overrides++
      addOverride(scrape, reading.override, identity.labels)
    }
    if (scrape.left > 0) addReal(scrape, real, identity, reading, row)
    else scrape.leftOut++
    if (scrape.left > 0) scrape.left--
  }
  for (const state of STATES) to.lvsd_service_reals.push(sample(count[state], OF_STATE[state], labels))
  to.lvsd_service_reals_without_verdict.push(sample(count.noVerdict, labels))
  to.lvsd_service_overrides.push(sample(count.overrides, labels))
  to.lvsd_service_configured_weight.push(sample(weight.configured, labels))
  to.lvsd_service_wanted_weight.push(sample(weight.wanted, labels))
  if (!dump) return
  to.lvsd_service_kernel_weight.push(sample(weight.kernel, labels))
  to.lvsd_service_current_connections.push(sample(connections.active, ACTIVE, labels))
  to.lvsd_service_current_connections.push(sample(connections.inactive, INACTIVE, labels))
}

// ---------------------------------------------------------------- real servers

/** What stays the same for a real server of the configuration from scrape to scrape. */
interface Identity {
  /** A reload may give the server to a changed service. */
  readonly service: ResolvedService
  readonly labels: Labels
  /** The labels as text, for `Lines`. */
  readonly bytes: Uint8Array
  /** Key in the kernel; null without an address. */
  readonly key: string | null
  /** Key of its counters; null without an address. */
  readonly counterKey: string | null
  /** Of a service with several addresses, the keys of those that it serves; else null. */
  readonly at: readonly string[] | null
  readonly tallyKey: string
}

const identities = new WeakMap<ResolvedReal, Identity>()

function identityOf(service: ResolvedService, real: ResolvedReal): Identity {
  const known = identities.get(real)
  if (known?.service === service) return known
  const { address, port } = real
  const key = address && keyOfReal({ address, port })
  const labels = { service: service.name, real: hostPort(real) }
  const identity = {
    service,
    labels,
    bytes: bytesOf(textOf(labels)),
    key,
    counterKey: service.id && key !== null ? `${keyOfService(service.id)} ${key}` : null,
    at: service.also ? kernelServicesOf(service, real).flatMap(keysOfKernel) : null,
    tallyKey: keyOfMember(service, real),
  }
  identities.set(real, identity)
  return identity
}

interface Row {
  /** Weights in the tables; undefined: not there. */
  readonly wanted: number | undefined
  readonly kernel: number | undefined
  readonly counters: RealCounters | undefined
  readonly noVerdict: boolean
}

function rowOf(
  { dump }: Scrape,
  { wanted, held, all }: Entries,
  { key, counterKey, at }: Identity,
  { checks }: RealReading,
): Row {
  if (at && all && key !== null) {
    const rows = at.map(one => ({
      wanted: all.get(one)?.wanted?.reals.get(key)?.weight,
      kernel: all.get(one)?.held?.reals.get(key)?.weight,
    }))
    return {
      ...{ wanted: undefined, kernel: undefined },
      ...(rows.find(row => row.wanted !== row.kernel) ?? rows[0]),
      counters: sumOf(at.flatMap(one => dump?.reals.get(`${one} ${key}`) ?? [])) ?? undefined,
      noVerdict: checks.some(({ noVerdicts }) => isWithoutVerdict(noVerdicts)),
    }
  }
  return {
    wanted: key === null ? undefined : wanted?.reals.get(key)?.weight,
    kernel: key === null ? undefined : held?.reals.get(key)?.weight,
    counters: counterKey === null ? undefined : dump?.reals.get(counterKey),
    noVerdict: checks.some(({ noVerdicts }) => isWithoutVerdict(noVerdicts)),
  }
}

function addReal(
  { families: to, tallies, dates, sources }: Scrape,
  real: ResolvedReal,
  { bytes, tallyKey }: Identity,
  reading: RealReading,
  row: Row,
): void {
  const { state, since, checks } = reading
  const { wanted, kernel, counters } = row
  to.lvsd_real_up.lines.add(NO_BYTES, bytes, state === 'up' ? 1 : 0)
  to.lvsd_real_state.lines.add(BYTES[state], bytes, 1)
  const changedAt = dates.at(since ?? sources.startedAt) / 1000
  to.lvsd_real_last_change_timestamp_seconds.lines.add(NO_BYTES, bytes, changedAt)
  to.lvsd_real_transitions_total.lines.add(NO_BYTES, bytes, tallies.reals.get(tallyKey) ?? 0)
  to.lvsd_real_configured_weight.lines.add(NO_BYTES, bytes, real.attributes.weight)
  if (wanted !== undefined) to.lvsd_real_wanted_weight.lines.add(NO_BYTES, bytes, wanted)
  if (kernel !== undefined) to.lvsd_real_kernel_weight.lines.add(NO_BYTES, bytes, kernel)
  const longest = longestOf(checks)
  if (longest >= 0) to.lvsd_real_last_check_duration_seconds.lines.add(NO_BYTES, bytes, longest / 1000)
  for (const condition of conditionsOf(reading, row))
    to.lvsd_real_condition.lines.add(bytesOf(textOf({ condition })), bytes, 1)
  if (!counters) return
  to.lvsd_real_current_connections.lines.add(BYTES.active, bytes, counters.active)
  to.lvsd_real_current_connections.lines.add(BYTES.inactive, bytes, counters.inactive)
  to.lvsd_real_connections_total.lines.add(NO_BYTES, bytes, counters.connections)
  to.lvsd_real_incoming_bytes_total.lines.add(NO_BYTES, bytes, counters.inBytes)
  to.lvsd_real_outgoing_bytes_total.lines.add(NO_BYTES, bytes, counters.outBytes)
  to.lvsd_real_incoming_packets_total.lines.add(NO_BYTES, bytes, counters.inPackets)
  to.lvsd_real_outgoing_packets_total.lines.add(NO_BYTES, bytes, counters.outPackets)
}

/** Returns the milliseconds of the longest last run; -1 without any. */
function longestOf(checks: RealReading['checks']): number {
  let longest = -1
  for (const { health } of checks) if (health.last) longest = Math.max(longest, health.last.ms)
  return longest
}

const NO_CONDITIONS: readonly string[] = []

function conditionsOf({ rise, hold, down }: RealReading, { noVerdict }: Row): readonly string[] {
  if (!rise && !hold && !down && !noVerdict) return NO_CONDITIONS
  return [
    ...(rise ? ['rising'] : []),
    ...(hold ? [hold.isSpared ? 'spared' : 'damped'] : []),
    ...(down?.action === 'held' || down?.action === 'quiesced' ? [down.action] : []),
    ...(noVerdict ? ['no-verdict'] : []),
  ]
}

/** These are few, so that the limit of real servers does not count for them. */
function addOverride({ families: to, overrides }: Scrape, override: Override, shared: Labels): void {
  const { effect, source, since, until } = override
  const labels = { effect: effect.kind, source }
  const key = `${effect.kind} ${source}`
  overrides.set(key, (overrides.get(key) ?? 0) + 1)
  to.lvsd_real_override.push(sample(1, labels, shared))
  to.lvsd_real_override_start_timestamp_seconds.push(sample(since / 1000, labels, shared))
  if (until !== null) to.lvsd_real_override_end_timestamp_seconds.push(sample(until / 1000, labels, shared))
}

/** After the services: the totals of all. */
export function addTotals({ families: to, overrides, leftOut }: Scrape): void {
  to.lvsd_metrics_reals_left_out.push(sample(leftOut))
  for (const effect of EFFECTS)
    for (const source of SOURCES)
      to.lvsd_overrides.push(sample(overrides.get(`${effect} ${source}`) ?? 0, { effect, source }))
}
