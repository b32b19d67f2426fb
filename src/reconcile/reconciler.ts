/**
 * Keeps the kernel's table equal to the wanted one: reads it back, takes the difference, applies it, one round at a
 * time. It knows neither health nor configuration: what is wanted is asked of `want` anew in every round.
 */

import { applied, diff, pick } from '../core/diff.js'
import { type Dispute, Disputes } from '../core/disputes.js'
import { type Change, type Dump, keyOfReal, keyOfService, type ServiceId, type Table } from '../core/model.js'
import { type Expected, type Kernel, KernelError } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { steadyNow } from '../util/clock.js'

export interface Reconciler {
  /** These services (names) may want another table: compute and apply, soon. Several calls make one round. */
  markDirty(names: Iterable<string>): void
  /** Reads the kernel and repairs what differs. Resolves when that is done; never rejects. */
  resync(): Promise<void>
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>
  /** The last reading with everything applied since; null before the first. */
  table(): Table | null
  /** A reading at most `maxAge` ms old, for its counters. Null when the kernel cannot be read. */
  counters(maxAge: number): Promise<Dump | null>
  readonly stats: ReconcileStats
  /** No further rounds; waits for the one under way. */
  stop(): Promise<void>
}

export interface ReconcileStats {
  /** Of the last whole reading, milliseconds of the steady clock, or null. */
  lastResync: number | null
  changesApplied: number
  driftRepaired: number
  /** Services that another program keeps changing. */
  disputes: readonly Dispute[]
  /** Refusals that still stand. */
  errors: readonly string[]
}

export interface Wanted {
  readonly table: Table
  /** The services asked about, wanted or not: the difference is taken over these alone. */
  readonly ids: readonly ServiceId[]
  /** Keys of services that stay as they are although nobody wants them: they may be wanted ones. */
  readonly untouched?: ReadonlySet<string>
}

export interface ReconcilerParts {
  readonly kernel: Kernel
  readonly journal: Journal
  readonly log: Log
  /** What these services (names; null: all) want, given what the kernel holds. Pure. */
  want(actual: Table, names: ReadonlySet<string> | null): Wanted
  /** Is told what the kernel has taken. */
  onApplied?(changes: readonly Change[]): void
}

/** A round over a service of thousands is long. The checks get three times as long, and their results make fewer rounds. */
const REST_SHARE = 3
/** Milliseconds: shorter rests are not worth a timer, longer ones would be felt. */
const REST_FROM = 10
const REST_UP_TO = 200

function restAfter(took: number): Promise<unknown> {
  const ms = Math.min(REST_SHARE * took, REST_UP_TO)
  return ms < REST_FROM ? Promise.resolve() : new Promise(resolve => setTimeout(resolve, ms))
}

/** Waits between readings after a refusal, milliseconds; the last one repeats. The first is at once. */
const RETRY_AFTER = [0, 200, 1000, 5000, 15_000]

export function createReconciler({ kernel, journal, log, want, onApplied }: ReconcilerParts): Reconciler {
  const stats: ReconcileStats = {
    lastResync: null,
    changesApplied: 0,
    driftRepaired: 0,
    disputes: [],
    errors: [],
  }
  const disputes = new Disputes()
  const dirty = new Set<string>()
  let image: Table | null = null
  let lastDump: { dump: Dump; at: number } | null = null
  let counting: Promise<Dump | null> | null = null
  let isResyncWanted = false
  let isImageSure = true
  let isStopped = false
  let isForgetful = false
  let failures = 0
  let retry: NodeJS.Timeout | undefined
  let running: Promise<void> | null = null
  let rested: Promise<unknown> = Promise.resolve()

  const run = (): Promise<void> => {
    running ??= loop().finally(() => {
      running = null
    })
    return running
  }

  async function loop(): Promise<void> {
    await new Promise(setImmediate)
    while (isResyncWanted || dirty.size > 0) {
      if (!isResyncWanted) await rested
      if (isStopped) return
      const began = performance.now()
      const names = new Set(dirty)
      const isWhole = isResyncWanted || image === null
      dirty.clear()
      isResyncWanted = false
      await round(isWhole ? null : names)
      rested = isWhole ? Promise.resolve() : restAfter(performance.now() - began)
    }
  }

  async function round(names: ReadonlySet<string> | null): Promise<void> {
    try {
      if (names === null) await read()
      await write(names)
    } catch (error) {
      refused([error instanceof KernelError ? error.message : String(error)], names === null, error)
    }
  }

  async function read(): Promise<void> {
    const dump = await kernel.dump(expected())
    if (image !== null && isImageSure) tellDrift(image, dump.table)
    image = dump.table
    isImageSure = true
    lastDump = { dump, at: performance.now() }
    stats.lastResync = steadyNow()
  }

  /** What is ours, by the last reading and by the journal: its absence means something. */
  function expected(): Expected {
    const ours = [...journal.services].map(id => {
      const key = keyOfService(id)
      return [key, { id, reals: image?.get(key)?.reals ?? new Map<string, never>() }] as const
    })
    return new Map(ours)
  }

  /** What differs from the last reading and was not done here was done by somebody else. */
  function tellDrift(expected: Table, found: Table): void {
    const ours = (table: Table) => new Map([...table].filter(([key]) => journal.owned.has(key)))
    const drift = diff(ours(expected), ours(found), journal.owned)
    for (const change of drift) {
      const isKnown = disputes.has(keyOfService(change.id))
      log[isKnown ? 'debug' : 'warn'](
        changeFields(change),
        `drift: ${DRIFT[change.op]}; it is put right${advice(change)}`,
      )
    }
    stats.driftRepaired += drift.length
    tellDisputes(drift)
  }

  /** Two directors on one service undo each other without end: that is said once, and then counted. */
  function tellDisputes(drift: readonly Change[]): void {
    const counts = new Map<string, number>()
    for (const { id } of drift) counts.set(keyOfService(id), (counts.get(keyOfService(id)) ?? 0) + 1)
    const { begun, over } = disputes.read(counts, steadyNow())
    for (const { service, since, changes } of begun)
      log.error(
        { service, changes, seconds: Math.round((steadyNow() - since) / 1000) },
        'another program keeps changing this service, and lvsd puts it right each time: stop the other director, or leave the service to it',
      )
    for (const { service, changes } of over)
      log.info({ service, changes }, 'no other program changes this service any more')
    stats.disputes = disputes.current
  }

  async function write(names: ReadonlySet<string> | null): Promise<void> {
    const held: Table = image ?? new Map()
    const wanted = want(held, names)
    const actual = names === null ? held : pick(held, wanted.ids)
    remember({ add: wanted.ids.filter(id => wanted.table.has(keyOfService(id))) })
    if (names === null) remember({ remove: strays(wanted.table, held) })
    const { untouched } = wanted
    const owned = untouched?.size ? without(journal.owned, untouched) : journal.owned
    const changes = diff(wanted.table, actual, owned)
    if (changes.length === 0) return names === null ? accepted() : undefined
    const outcomes = await kernel.apply(changes)
    const done = changes.filter((_, i) => !outcomes[i])
    image = applied(held, done)
    lastDump = null
    stats.changesApplied += done.length
    for (const change of done) log.debug(changeFields(change), change.op)
    onApplied?.(done)
    remember({ remove: done.filter(change => change.op === 'delete-service').map(change => change.id) })
    const errors = outcomes.filter(outcome => outcome !== null)
    if (errors.length > 0)
      refused(
        errors.map(error => error.message),
        names === null,
      )
    else if (names === null) accepted()
  }

  /**
   * Ours by the journal, not wanted any more, and gone without us: forgotten, so that whoever makes such a service later
   * keeps it.
   */
  function strays(wanted: Table, held: Table): ServiceId[] {
    return journal.services.filter(id => {
      const key = keyOfService(id)
      return !wanted.has(key) && !held.has(key)
    })
  }

  /** The journal must never stop the table: a full disk is told, and the work goes on. */
  function remember(change: Parameters<Journal['record']>[0]): void {
    try {
      journal.record(change)
      if (isForgetful) log.info('the ownership journal can be written again')
      isForgetful = false
    } catch (error) {
      const fields = { error: (error as Error).message }
      if (!isForgetful) log.error(fields, 'the ownership journal cannot be written; lvsd goes on without')
      isForgetful = true
    }
  }

  /** A round over some services says nothing of the refusals of others. */
  function refused(sentences: readonly string[], isWhole: boolean, cause?: unknown): void {
    isImageSure = false
    const news = [...new Set(sentences)].filter(sentence => !stats.errors.includes(sentence))
    for (const sentence of news) log.error({ kernel: sentence }, 'the kernel refused a change')
    if (cause !== undefined && !(cause instanceof KernelError))
      log.error({ err: cause }, 'reconciling failed')
    stats.errors = [...new Set(isWhole ? sentences : [...stats.errors, ...sentences])]
    // What is refused for the first time is tried again at once, whatever has been refused for long.
    if (news.length > 0) failures = 0
    clearTimeout(retry)
    if (isStopped) return
    retry = setTimeout(() => void resync(), RETRY_AFTER[Math.min(failures++, RETRY_AFTER.length - 1)])
  }

  function accepted(): void {
    if (stats.errors.length > 0) log.info('the kernel accepts all changes again')
    stats.errors = []
    failures = 0
  }

  /** One reading serves all who ask meanwhile. */
  async function count(): Promise<Dump | null> {
    const at = performance.now()
    const dump = await kernel.dump(expected()).catch(() => null)
    if (dump) lastDump = { dump, at }
    return dump
  }

  async function resync(): Promise<void> {
    if (isStopped) return
    isResyncWanted = true
    await run()
  }

  return {
    stats,
    resync,
    markDirty(names) {
      for (const name of names) dirty.add(name)
      if (!isStopped) void run()
    },
    idle: async () => {
      while (running) await running
    },
    table: () => image,
    async counters(maxAge) {
      if (lastDump && performance.now() - lastDump.at <= maxAge) return lastDump.dump
      counting ??= count().finally(() => {
        counting = null
      })
      return counting
    },
    async stop() {
      isStopped = true
      clearTimeout(retry)
      await running
    },
  }
}

function without(keys: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...keys].filter(key => !others.has(key)))
}

const DRIFT: Readonly<Record<Change['op'], string>> = {
  'add-service': 'the virtual service was deleted by somebody else',
  'set-service': 'the virtual service was changed by somebody else',
  'delete-service': 'the virtual service was added by somebody else',
  'add-real': 'the real server was deleted by somebody else',
  'set-real': 'the real server was changed by somebody else',
  'delete-real': 'the real server was added by somebody else',
}

/** Who drains a server by hand, as with other directors, has to be told how it is done here. */
function advice(change: Change): string {
  const isDrained = change.op === 'set-real' && change.was.weight === 0 && change.real.weight > 0
  return isDrained ? ' (to drain it: weight: 0 and a reload, or a file in maintenancedir)' : ''
}

/** A change as fields of a log line. */
export function changeFields(change: Change): Record<string, unknown> {
  const fields: Record<string, unknown> = { service: keyOfService(change.id) }
  if ('real' in change) fields.real = keyOfReal(change.real)
  else if (change.op === 'delete-real') fields.real = keyOfReal(change.was)
  if (change.op === 'set-real') fields.weight = `${change.was.weight} -> ${change.real.weight}`
  else if (change.op === 'add-real') fields.weight = change.real.weight
  return fields
}
