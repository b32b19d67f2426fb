/** Compares what happened to real servers with what would have happened. Pure. */
import type { Subscriber } from '../health/jobs.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import { TOLERANCE } from './recorded-series.js'
import type { RecordedResult, RecordedState, Recording } from './recording.js'
import type { Outage, ReplayedServer, ReplaySide } from './replay-report.js'

/** What a replay has given, by the names of servers. */
export interface Replayed {
  readonly states: ReadonlyMap<string, readonly RecordedState[]>
  /** Times at which a check passed that had not passed before. */
  readonly passes: ReadonlyMap<string, readonly number[]>
}

export interface ReplayComparison {
  /** With the other configuration. */
  readonly would: Replayed
  /** With the recorded policies; null: there is no such replay. */
  readonly was: Replayed | null
  /** The end, in milliseconds of the wall clock. */
  readonly to: number
  /** Of the other configuration. */
  readonly subscribers: readonly Subscriber[]
  /** True if results of this check are recorded, or of one that asks the same. */
  readonly isRecorded: (subscriber: Subscriber) => boolean
  /** True if the server has several checks of this name: their results are recorded as those of one. */
  readonly isOneOfSeveral: (subscriber: Subscriber) => boolean
  /** True if the policy of this check is recorded. */
  readonly hasPolicy: (subscriber: Subscriber) => boolean
}

/** The checks of a server in the other configuration. */
interface Configured {
  interval: number
  hasPolicies: boolean
  readonly withoutRecording: Set<string>
}

/** Intervals by which a replay of the recorded policy may be off: one by its own times, one by the phase after a restart or a reload. */
const MOST_OFF = 2

export function nameOfServer({ service, real }: Pick<Subscriber, 'service' | 'real'>): string {
  return `${service.name}/${nameOfReal(real)}`
}

export function compareServers(
  { checks, reals }: Recording,
  comparison: ReplayComparison,
): readonly ReplayedServer[] {
  const { to, would: replayed, was: replayedAsWas } = comparison
  const resultsOf = new Map<string, RecordedResult[]>()
  for (const [name, results] of checks) {
    const server = name.slice(0, name.lastIndexOf('/'))
    resultsOf.set(server, [...(resultsOf.get(server) ?? []), ...results])
  }
  const configured = configuredServers(comparison)
  const names = new Set([...configured.keys(), ...resultsOf.keys(), ...reals.keys()])
  return [...names].map(name => {
    const own = configured.get(name)
    const withoutRecording = [...(own?.withoutRecording ?? [])]
    const results = resultsOf.get(name) ?? []
    const next = own?.interval ?? 0
    const before = Math.max(0, ...results.map(({ policy }) => policy?.interval ?? 0)) || next
    const states = (reals.get(name) ?? []).filter(({ t }) => t <= to)
    const passes = results.flatMap(({ t, ok }) => (ok === true ? [t] : []))
    const isKnown = resultsOf.has(name) || reals.has(name)
    const events = isKnown ? sideOf(states, passes, { interval: before, to }) : null
    const canReplay = own !== undefined && withoutRecording.length === 0
    const would = canReplay ? sideOfReplay(name, replayed, { interval: next, to }) : null
    const asWas =
      would && own?.hasPolicies && replayedAsWas
        ? sideOfReplay(name, replayedAsWas, { interval: before, to })
        : null
    const isReplayed = asWas !== null && events !== null && isSame(events, asWas, MOST_OFF * before)
    const was = isReplayed ? asWas : events
    const tolerance = Math.max(before, next) + (isReplayed ? distance(events, asWas) : 0)
    return {
      name,
      was,
      wasBy: isReplayed ? ('replay' as const) : ('events' as const),
      events,
      would,
      withoutRecording,
      isSame: was !== null && would !== null && isSame(was, would, tolerance),
      tolerance,
    }
  })
}

function configuredServers({
  subscribers,
  isRecorded,
  isOneOfSeveral,
  hasPolicy,
}: ReplayComparison): ReadonlyMap<string, Configured> {
  const servers = new Map<string, Configured>()
  for (const subscriber of subscribers) {
    const name = nameOfServer(subscriber)
    const server = servers.get(name) ?? {
      interval: 0,
      hasPolicies: true,
      withoutRecording: new Set<string>(),
    }
    servers.set(name, server)
    const { kind, policy } = subscriber.use
    server.interval = Math.max(server.interval, policy.interval)
    server.hasPolicies &&= hasPolicy(subscriber)
    if (!isRecorded(subscriber)) server.withoutRecording.add(kind)
    else if (isOneOfSeveral(subscriber)) server.withoutRecording.add(`each of several ${kind}`)
  }
  return servers
}

interface Span {
  readonly interval: number
  readonly to: number
}

function sideOfReplay(name: string, { states, passes }: Replayed, span: Span): ReplaySide {
  return sideOf(states.get(name) ?? [], passes.get(name) ?? [], span)
}

/** Returns the outages that follow from the states. `passes`: when checks passed, at least the first time after each failure. */
function sideOf(
  states: readonly RecordedState[],
  passes: readonly number[],
  { interval, to }: Span,
): ReplaySide {
  const outages: Outage[] = []
  let outMs = 0
  let downSince: number | null = null
  let wasUp = false
  // The next run may be late, and its answer may take longer than the failure did.
  const soon = interval * (1 + TOLERANCE)
  const end = (at: number | null) => {
    if (downSince === null) return
    const since = downSince
    outMs += Math.max(0, (at ?? to) - since)
    const isFalse = passes.some(t => t > since && t <= since + soon)
    if (wasUp) outages.push({ from: since, to: at, isFalse })
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

/** Returns the milliseconds by which the outages of both, which are as many, differ most. */
function distance({ outages }: ReplaySide, other: ReplaySide): number {
  return outages.reduce(
    (most, { from }, i) => Math.max(most, Math.abs(from - (other.outages[i]?.from ?? from))),
    0,
  )
}

/** `tolerance`: milliseconds, because the runs are not at the same times. */
function isSame(was: ReplaySide, would: ReplaySide, tolerance: number): boolean {
  if (was.outages.length !== would.outages.length) return false
  if (Math.abs(was.outMs - would.outMs) > tolerance * Math.max(1, was.outages.length)) return false
  return was.outages.every((outage, i) => Math.abs(outage.from - (would.outages[i]?.from ?? 0)) <= tolerance)
}
