/** What the API asks of the daemon, by resource. Each file of `routes/` takes only its part. */
import type { Readable } from 'node:stream'
import type { SiteEvent } from '../cluster/site-events.js'
import type { Problem } from '../config/problems/problem.js'
import type { Named } from '../overrides/targets.js'
import type { DirectorsDocument } from './cluster-status-types.js'
import type { ConnectionsAnswer, ConnectionsRequest } from './connection-types.js'
import type { EventsAnswer, EventsRequest, SiteEventsRequest } from './event-types.js'
import type {
  EndRequest,
  EndWindowsRequest,
  GiveRequest,
  OverrideOutcome,
  OverridesDocument,
  TargetName,
} from './override-types.js'
import type { OverviewDocument } from './overview-types.js'
import type { RecheckedReal, RecheckOutcome, RecheckRequest, RecheckResultsRequest } from './recheck-types.js'
import type { ResultsDocument } from './result-types.js'
import type { HealthDocument, NotifyAnswer, NotifyRequest, RoleDocument } from './role-types.js'
import type { ReloadOutcome, ServiceListing, ServiceStatus, StatusDocument } from './status-types.js'
import type { Assumed, DriftDocument, PlanDocument, TableDocument } from './table-types.js'
import type { AddTokenRequest, TokenAdded, TokenList, TokenRevoked } from './token-types.js'
import type { DoctorDocument, Posted, ValidateDocument } from './validate-types.js'
import type { WhyAnswer } from './why-types.js'
import type { WindowsDocument } from './windows-types.js'

export interface Control {
  status(): Promise<StatusDocument>
  /** The director at a glance. */
  overview(): Promise<OverviewDocument>
  /** The directors of the site. */
  directors(): Promise<DirectorsDocument>
  /** True from the first correction of the table until lvsd begins to stop. */
  isReady(): boolean
  /** `isForced` allows more removals than the settings do. */
  reload(isForced: boolean): Promise<ReloadOutcome>
  /** The services with their real servers; one of them if `name` is given. */
  services(name: string | null): Promise<readonly ServiceStatus[]>
  /** The first of the targets that does not exist; null if all exist. */
  missing(targets: readonly TargetName[]): Missing | null
  /** The last results of checks: of a service, of a real server, or of all. The targets exist. */
  /** A service with its real servers, without their checks, or what is new since a version. Null: no such service. */
  listing(name: string, after: string | null): Promise<ServiceListing | null>
  results(service: string | null, real: string | null): Promise<ResultsDocument>
  /** The kernel's table; `isAll`: with the services of checks with `path: service`. Null if it cannot be read. */
  table(isAll: boolean): Promise<TableDocument | null>
  /** What lvsd would change now. Null if the kernel's table cannot be read. */
  drift(): Promise<DriftDocument | null>
  /** What a configuration would change: that of the file if `posted` is null. */
  plan(posted: Posted | null, assume: Assumed): Promise<PlanDocument | Unusable>
  validate(posted: Posted): Promise<ValidateDocument>
  doctor(): Promise<DoctorDocument>
  readonly overrides: {
    list(): OverridesDocument
    give(request: GiveRequest, who: string): Promise<OverrideOutcome>
    end(request: EndRequest, who: string): Promise<OverrideOutcome>
    endWindows(request: EndWindowsRequest, who: string): Promise<OverrideOutcome>
  }
  /** The maintenance windows of the active configuration, and the next times of them. */
  windows(count: number): WindowsDocument
  readonly why: {
    /** Names of all services and real servers. */
    targets(): Promise<readonly Named[]>
    /** Why a real server is as it is; of the service as a whole if `real` is null. A sentence if there is none. */
    explain(target: TargetName): Promise<WhyAnswer | string>
  }
  readonly events: {
    /** Waits up to `ms` milliseconds for an event that matches. Throws TooManyWaiters at once if too many clients wait. */
    wait(query: EventsRequest, ms: number, gone: AbortSignal): Promise<Omit<EventsAnswer, 'schema'>>
  }
  /** Returns the events from now on, or after `query.after`, as server-sent events. `gone` ends them. */
  streamEvents(query: EventsRequest, gone: AbortSignal): Promise<Readable>
  /** Returns the last events of all directors of the site; why not as a sentence. */
  siteEvents(query: SiteEventsRequest): Promise<readonly SiteEvent[] | string>
  readonly recheck: {
    /** Runs the checks of the targets now. */
    now(request: RecheckRequest): Promise<RecheckOutcome>
    results(request: RecheckResultsRequest): Promise<readonly RecheckedReal[]>
  }
  readonly role: {
    read(): RoleDocument
    notify(request: NotifyRequest, who: string): NotifyAnswer
    /** Whether this director can serve these services. A sentence if there is no such service. */
    health(services: readonly string[]): HealthDocument | string
  }
  readonly metrics: {
    /** Returns all metrics in the text format that the header `Accept` prefers. */
    text(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: Buffer }>
  }
  /** Tokens of the API over TCP. */
  readonly tokens: {
    list(): TokenList['tokens']
    /** Null: the name is taken, or there are too many. */
    add(request: AddTokenRequest, who: string): Promise<Omit<TokenAdded, 'schema'> | null>
    /** Null: there is none. */
    revoke(name: string, who: string): Promise<Omit<TokenRevoked, 'schema'> | null>
  }
  readonly connections: {
    /** Reads only the services of the targets. */
    read(request: ConnectionsRequest): Promise<ConnectionsAnswer>
  }
}

/** A target that does not exist. */
export interface Missing {
  /** Position among the targets. */
  readonly index: number
  readonly part: 'service' | 'real'
  readonly message: string
  readonly nearest: string | null
}

/** A configuration that cannot run. */
export interface Unusable {
  readonly problems: readonly Problem[]
}

/** Too many requests of this sort wait already. */
export class Busy extends Error {
  override readonly name = 'Busy'
}
