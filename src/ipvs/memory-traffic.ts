/**
 * Simulated clients of a memory table, for the demo: without them all its counters stay 0. Each service gets new
 * connections at a rate that goes up and down; its real servers share them by weight, as with the scheduler wlc.
 */
import type { DestValues, ServiceValues } from './attributes.js'
import { keyOf, type MemoryTable } from './memory-table.js'

/** Seconds for which a connection is active, and then inactive, on average. */
const ACTIVE_FOR = 12
const INACTIVE_FOR = 30
/** Seconds of one rise and fall, and its share of the rate. */
const PERIOD = 90
const SWING = 0.35
/** Of one connection. */
const PACKETS = { in: 9, out: 12 } as const
const BYTES = { in: 1100, out: 14_000 } as const
/** Maximum seconds of a step: the numbers of connections approach their averages in steps. */
const STEP = 1

interface Traffic {
  connections: number
  rate: number
  active: number
  inactive: number
}

export interface Clients {
  /** New connections per second and service, on average. */
  readonly rate: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** Returns the table with the counters of these clients. */
export function withTraffic(
  table: MemoryTable,
  { rate, now = () => performance.now() }: Clients,
): MemoryTable {
  /** By `keyOf` the service, and of the real server. */
  const counted = new Map<string, Traffic>()
  /** Keys of real servers. The table replaces the values of one that changes. */
  const keys = new WeakMap<DestValues, string>()
  const began = now() / 1000
  let at = began

  function advance(): void {
    const end = now() / 1000
    for (; at < end; at = Math.min(at + STEP, end)) {
      const step = Math.min(STEP, end - at)
      table.services().forEach((service, i) => {
        advanceService(service, { rate: rateAt(rate, i, at - began), step })
      })
    }
  }

  function advanceService(service: ServiceValues, { rate, step }: { rate: number; step: number }): void {
    const reals = table.reals(service)
    const weight = reals.reduce((sum, { WEIGHT = 0 }) => sum + WEIGHT, 0)
    add(keyOf({ SERVICE: service }), weight === 0 ? 0 : rate, step)
    for (const real of reals)
      add(keyOfReal(service, real), weight === 0 ? 0 : (rate * (real.WEIGHT ?? 0)) / weight, step)
  }

  function keyOfReal(SERVICE: ServiceValues, real: DestValues): string {
    const known = keys.get(real)
    if (known !== undefined) return known
    const key = keyOf({ SERVICE, DEST: real })
    keys.set(real, key)
    return key
  }

  function add(key: string, rate: number, step: number): void {
    const { connections, active, inactive } = trafficOf(key)
    const ended = (active * step) / ACTIVE_FOR
    counted.set(key, {
      rate,
      connections: connections + rate * step,
      active: active + rate * step - ended,
      inactive: inactive + ended - (inactive * step) / INACTIVE_FOR,
    })
  }

  const trafficOf = (key: string) => counted.get(key) ?? { connections: 0, rate: 0, active: 0, inactive: 0 }

  return {
    ...table,
    services() {
      advance()
      return table
        .services()
        .map(service => ({ ...service, STATS64: statsOf(trafficOf(keyOf({ SERVICE: service }))) }))
    },
    reals(service) {
      advance()
      return table.reals(service).map(real => withCounters(real, trafficOf(keyOfReal(service, real))))
    },
  }
}

/** Each service has its own moment of the rise and fall, and a small one on top. */
function rateAt(average: number, index: number, seconds: number): number {
  const turn = (2 * Math.PI * seconds) / PERIOD + index * 2
  return (
    average * (1 + SWING * Math.sin(turn) + (SWING / 4) * Math.sin(turn * 7.3)) * (index % 3 === 0 ? 1 : 0.5)
  )
}

function withCounters(real: DestValues, traffic: Traffic): DestValues {
  return {
    ...real,
    ACTIVE_CONNS: Math.round(traffic.active),
    INACT_CONNS: Math.round(traffic.inactive),
    STATS64: statsOf(traffic),
  }
}

function statsOf({ connections, rate }: Traffic) {
  const of = (each: number) => Math.floor(connections * each)
  const perSecond = (each: number) => Math.round(rate * each)
  return {
    CONNS: of(1),
    INPKTS: of(PACKETS.in),
    OUTPKTS: of(PACKETS.out),
    INBYTES: of(BYTES.in),
    OUTBYTES: of(BYTES.out),
    CPS: perSecond(1),
    INPPS: perSecond(PACKETS.in),
    OUTPPS: perSecond(PACKETS.out),
    INBPS: perSecond(BYTES.in),
    OUTBPS: perSecond(BYTES.out),
  }
}
