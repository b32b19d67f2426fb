/** Builds the status document from what the daemon knows. Pure, but for the version. */
import { bracketed, endpoint } from './address.js'
import { type Board, type Cell, wantedTable } from './board.js'
import type { Problem } from './config/problem.js'
import {
  type Config,
  type Dump,
  keyOfReal,
  keyOfService,
  type Real,
  type Service,
  type Table,
} from './model.js'
import { memberWish, type Wish } from './names/wishes.js'
import type { ReconcileStats } from './reconcile.js'
import type { CheckStatus, RealStatus, ReloadOutcome, ServiceStatus, StatusDocument } from './status.js'
import { version } from './version.js'

export interface StatusParts {
  readonly board: Board
  readonly config: Config
  /** Why a name has no address, as a sentence. */
  readonly nameTroubleOf: (wish: Wish) => string
  readonly dump: Dump | null
  readonly kernel: StatusDocument['kernel']
  readonly startedAt: number
  readonly loadedAt: number
  readonly warnings: readonly Problem[]
  readonly lastReload: ReloadOutcome | null
  readonly reconcile: ReconcileStats
  readonly schedule: Omit<StatusDocument['schedule'], 'jobs'>
}

export function statusDocument(parts: StatusParts): StatusDocument {
  const { board, config, dump, reconcile } = parts
  const actual: Table = dump?.table ?? new Map()
  const wanted = wantedTable(board, config.services, actual)
  return {
    version: version(),
    pid: process.pid,
    startedAt: iso(parts.startedAt),
    kernel: parts.kernel,
    config: { file: config.file, loadedAt: iso(parts.loadedAt), warnings: parts.warnings },
    lastReload: parts.lastReload,
    reconcile: {
      lastResync: reconcile.lastResync === null ? null : iso(reconcile.lastResync),
      changesApplied: reconcile.changesApplied,
      driftRepaired: reconcile.driftRepaired,
      errors: reconcile.errors,
    },
    schedule: { jobs: board.jobs.size, ...parts.schedule },
    services: config.services.map(service => serviceStatus(service, { board, dump, wanted, parts })),
  }
}

interface Sources {
  readonly board: Board
  readonly dump: Dump | null
  readonly wanted: Table
  readonly parts: StatusParts
}

function serviceStatus(service: Service, sources: Sources): ServiceStatus {
  const { dump, wanted } = sources
  const key = service.id && keyOfService(service.id)
  const { fallback } = service
  const fallbackKey = fallback?.address ? keyOfReal({ address: fallback.address, port: fallback.port }) : null
  return {
    name: service.name,
    key,
    scheduler: service.attributes.scheduler,
    quiescent: service.quiescent,
    inKernel: key !== null && dump?.table.has(key) === true,
    counters: (key !== null && dump?.services.get(key)) || null,
    reals: service.reals.map(real => realStatus(service, real, sources)),
    fallback: fallback && {
      host: fallback.host,
      port: fallback.port,
      inUse: key !== null && fallbackKey !== null && isServing(wanted, key, fallbackKey),
    },
  }
}

function isServing(table: Table, service: string, real: string): boolean {
  return (table.get(service)?.reals.get(real)?.weight ?? 0) > 0
}

function realStatus(of: Service, real: Real, { board, dump, wanted, parts }: Sources): RealStatus {
  const cells = board.cellsOf(real)
  const service = of.id && keyOfService(of.id)
  const key = real.address && keyOfReal({ address: real.address, port: real.port })
  const weightIn = (table: Table | undefined) =>
    table?.get(service ?? '')?.reals.get(key ?? '')?.weight ?? null
  return {
    host: real.host,
    address: real.address && bracketed(real.address),
    port: real.port,
    forwarding: real.attributes.forwarding,
    state: board.stateOf(real),
    since: iso(Math.max(parts.startedAt, ...cells.map(cell => cell.health.since))),
    weight: {
      configured: real.attributes.weight,
      wanted: weightIn(wanted),
      kernel: weightIn(dump?.table),
    },
    reason: heldReason(board, real) ?? nameReason(of, real, parts) ?? reasonOf(real, cells),
    checks: cells.map(checkStatus),
    counters: dump?.reals.get(`${service} ${key}`) ?? null,
  }
}

function heldReason(board: Board, real: Real): string | null {
  const file = board.heldBy(real)
  return file === null ? null : `maintenance: held down by the file ${file}`
}

function nameReason(service: Service, real: Real, { nameTroubleOf }: StatusParts): string | null {
  return real.address === null ? `name: ${nameTroubleOf(memberWish(service, real))}` : null
}

function reasonOf(real: Real, cells: readonly Cell[]): string {
  if (real.checks.length === 0) return 'no check is configured: taken as up'
  const failing = cells.find(cell => cell.health.state === 'down') ?? cells.find(cell => cell.health.last)
  const last = failing?.health.last
  if (!last) return 'not checked yet'
  return last.reason ? reasonAndDetail(last.reason, last.detail) : last.detail
}

/** `timeout: no answer …`; the reason is not said twice where the detail begins with it: `status 500 …`. */
export function reasonAndDetail(reason: string, detail: string): string {
  return detail === reason || detail.startsWith(`${reason} `) ? detail : `${reason}: ${detail}`
}

function checkStatus({ subscriber, health, lastAt }: Cell): CheckStatus {
  const { use, target } = subscriber
  return {
    kind: use.kind,
    target: target.port === 0 ? bracketed(target.address) : endpoint(target.address, target.port),
    state: health.state,
    streak: health.streak,
    since: iso(health.since),
    policy: use.policy,
    last: health.last,
    lastAt: lastAt === null ? null : iso(lastAt),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
