/** Compares what happened to real servers with what would have happened. Pure. */
import type { Subscriber } from '../health/jobs.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import type { RecordedResult, RecordedState, Recording } from './recording.js'
import type { Outage, ReplayedServer, ReplaySide } from './replay-report.js'

export interface Replayed {
  /** The states that would have been, by the name of the server. */
  readonly states: ReadonlyMap<string, readonly RecordedState[]>
  /** The end, in milliseconds of the wall clock. */
  readonly to: number
  readonly subscribers: readonly Subscriber[]
}

export function compareServers(
  { checks, reals }: Recording,
  { states, to, subscribers }: Replayed,
): readonly ReplayedServer[] {
  const resultsOf = new Map<string, RecordedResult[]>()
  for (const [name, results] of checks) {
    const server = name.slice(0, name.lastIndexOf('/'))
    resultsOf.set(server, [...(resultsOf.get(server) ?? []), ...results])
  }
  const intervals = new Map<string, number>()
  for (const { service, real, use } of subscribers) {
    const name = `${service.name}/${nameOfReal(real)}`
    intervals.set(name, Math.max(intervals.get(name) ?? 0, use.policy.interval))
  }
  const names = new Set([...intervals.keys(), ...resultsOf.keys(), ...reals.keys()])
  return [...names].map(name => {
    const results = resultsOf.get(name) ?? []
    const next = intervals.get(name) ?? null
    const before = Math.max(0, ...results.map(({ policy }) => policy?.interval ?? 0)) || (next ?? 0)
    const until = (reals.get(name) ?? []).filter(({ t }) => t <= to)
    const was = sideOf(until, results, { interval: before, to })
    const would = next === null ? null : sideOf(states.get(name) ?? [], results, { interval: next, to })
    return { name, was, would, isSame: would !== null && isSame(was, would, Math.max(before, next ?? 0)) }
  })
}

/** Returns the outages that follow from the states. */
function sideOf(
  states: readonly RecordedState[],
  results: readonly RecordedResult[],
  { interval, to }: { readonly interval: number; readonly to: number },
): ReplaySide {
  const outages: Outage[] = []
  let outMs = 0
  let downSince: number | null = null
  let wasUp = false
  const end = (at: number | null) => {
    if (downSince === null) return
    outMs += Math.max(0, (at ?? to) - downSince)
    const isFalse = results.some(
      ({ t, ok }) => ok === true && t > Number(downSince) && t <= Number(downSince) + interval,
    )
    if (wasUp) outages.push({ from: downSince, to: at, isFalse })
    downSince = null
  }
  for (const { t, state } of states) {
    if (state === 'up') {
      end(t)
      wasUp = true
    }
    if (state === 'down') downSince ??= t
  }
  end(null)
  return { outages, outMs }
}

/** `tolerance`: milliseconds, because the runs are not at the same times. */
function isSame(was: ReplaySide, would: ReplaySide, tolerance: number): boolean {
  if (was.outages.length !== would.outages.length) return false
  if (Math.abs(was.outMs - would.outMs) > tolerance * Math.max(1, was.outages.length)) return false
  return was.outages.every((outage, i) => Math.abs(outage.from - (would.outages[i]?.from ?? 0)) <= tolerance)
}
