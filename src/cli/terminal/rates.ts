/** Rates of services and real servers, from the counters of successive status documents. Has no I/O. */
import type { StatusDocument } from '../../api/status-types.js'
import type { Counters } from '../../core/model.js'

/** All per second. */
export interface Rates {
  readonly connections: number
  readonly inPackets: number
  readonly outPackets: number
  readonly inBytes: number
  readonly outBytes: number
}

const NAMES = ['connections', 'inPackets', 'outPackets', 'inBytes', 'outBytes'] as const

export const NO_RATES: Rates = { connections: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 }

interface Track {
  readonly at: number
  readonly counters: Counters
  readonly rates: Rates
  /** Connections per second, the newest last. */
  readonly history: readonly number[]
}

/** Number of values that a history keeps. */
const LONGEST = 60

/** Keeps the last counters of each service and server, with the rates that follow. */
export class RateHistory {
  #tracks = new Map<string, Track>()

  /** Takes a document. One with the same counters as the last changes nothing. */
  take({ reconcile, services }: StatusDocument): void {
    const at = reconcile.countersAt === null ? Number.NaN : Date.parse(reconcile.countersAt)
    if (Number.isNaN(at)) return
    const next = new Map<string, Track>()
    const add = (id: string, counters: Counters | null) => {
      if (counters) next.set(id, nextTrack(this.#tracks.get(id), counters, at))
    }
    for (const { name, counters, reals } of services) {
      add(name, counters)
      for (const real of reals) add(`${name} ${real.name}`, real.counters)
    }
    this.#tracks = next
  }

  /** `id`: the name of a service, or `SERVICE REAL`. */
  of(id: string): Rates {
    return this.#tracks.get(id)?.rates ?? NO_RATES
  }

  historyOf(id: string): readonly number[] {
    return this.#tracks.get(id)?.history ?? []
  }
}

/**
 * The rates of the first counters are those of the kernel's own estimator. Counters that have become lower belong to a
 * new entry of the table, and count from 0.
 */
function nextTrack(before: Track | undefined, counters: Counters, at: number): Track {
  if (!before) return { at, counters, rates: estimated(counters), history: [counters.connectionRate] }
  if (at <= before.at) return before
  const seconds = (at - before.at) / 1000
  const isNew =
    counters.connections < before.counters.connections || counters.inBytes < before.counters.inBytes
  const rates = Object.fromEntries(
    NAMES.map(name => [name, (counters[name] - (isNew ? 0 : before.counters[name])) / seconds]),
  ) as unknown as Rates
  return { at, counters, rates, history: [...before.history, rates.connections].slice(-LONGEST) }
}

function estimated(counters: Counters): Rates {
  return {
    connections: counters.connectionRate,
    inPackets: counters.inPacketRate,
    outPackets: counters.outPacketRate,
    inBytes: counters.inByteRate,
    outBytes: counters.outByteRate,
  }
}
