/** What the API asks of the daemon, by resource. Each file of `routes/` takes only its part. */
import type { Named } from '../overrides/targets.js'
import type { ConnectionsAnswer, ConnectionsRequest } from './connection-types.js'
import type { EventsAnswer, EventsRequest } from './event-types.js'
import type {
  EndRequest,
  EndWindowsRequest,
  GiveRequest,
  OverrideOutcome,
  TargetName,
} from './override-types.js'
import type { RecheckedReal, RecheckOutcome, RecheckRequest, RecheckResultsRequest } from './recheck-types.js'
import type { ReloadOutcome, StatusDocument } from './status-types.js'
import type { WhyAnswer } from './why-types.js'
import type { WindowsDocument } from './windows-document.js'

export interface Control {
  status(): Promise<StatusDocument>
  /** True from the first correction of the table until lvsd begins to stop. */
  isReady(): boolean
  /** `isForced` allows more removals than the settings do. */
  reload(isForced: boolean): Promise<ReloadOutcome>
  readonly overrides: {
    give(request: GiveRequest, who: string): Promise<OverrideOutcome>
    end(request: EndRequest): Promise<OverrideOutcome>
    endWindows(request: EndWindowsRequest, who: string): Promise<OverrideOutcome>
  }
  /** The maintenance windows of the active configuration. */
  windows(): WindowsDocument
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
  readonly recheck: {
    /** Runs the checks of the targets now. */
    now(request: RecheckRequest): Promise<RecheckOutcome>
    results(request: RecheckResultsRequest): Promise<readonly RecheckedReal[]>
  }
  readonly metrics: {
    /** Returns all metrics in the text format that the header `Accept` prefers. */
    text(accept: string | undefined): Promise<{ readonly contentType: string; readonly text: string }>
  }
  readonly connections: {
    /** Reads only the services of the targets. */
    read(request: ConnectionsRequest): Promise<ConnectionsAnswer>
  }
}
