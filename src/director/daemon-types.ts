/** What the daemon is made of, and what it offers. */
import type { Kept, Runnable } from '../accepted/accepted.js'
import type { ReloadOutcome, StatusDocument } from '../api/status-types.js'
import type { ClusterParts } from '../cluster/cluster.js'
import type { Loaded } from '../config/load.js'
import type { Address } from '../core/address.js'
import type { EventListener } from '../events/event-bus.js'
import type { EventMemory } from '../history/event-memory.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Metrics } from '../metrics/metrics.js'
import type { Resolver } from '../names/lookup.js'
import type { Paths } from '../netlink/paths.js'
import type { Alerts } from '../notify/alerts/alerts.js'
import type { CommandQueue } from '../notify/command-queue.js'
import type { FirstChecks, openExecutors } from '../schedule/executors.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { Notify } from '../system/sd-notify.js'
import type { Sysctls } from '../system/sysctl.js'
import type { Clock } from '../util/clock.js'
import type { ConnectionCounts } from './connection-counts.js'
import type { Explainer } from './explainer.js'
import type { OverrideControl } from './override-control.js'
import type { Rechecker } from './rechecker.js'

export interface DaemonParts {
  readonly loaded: Runnable
  /** Set if `loaded` is the kept configuration, because the file cannot run; null if it comes from the file. */
  readonly kept?: Kept | null
  /** Stores an accepted configuration for the next start. `firstChecks`: what that can begin at once, now. */
  readonly keep?: (loaded: Runnable, firstChecks: () => FirstChecks | null) => Promise<void>
  readonly kernel: Kernel
  readonly kernelName: StatusDocument['kernel']
  readonly journal: Journal
  /** Routes and interfaces of this machine; closed with the daemon. Null or absent: isolation is not noticed. */
  readonly paths?: Paths | null
  /** Returns the source address for pings of this target; null or absent: the kernel chooses. */
  readonly sourceOf?: ((target: Address) => Address | null) | undefined
  /** Get this director's cluster, to agree with other directors who sends alerts. */
  readonly claims?: ClusterParts['claims']
  readonly log: Log
  /** Its log is `log`; absent: the events end with the process. */
  readonly eventMemory?: EventMemory
  readonly notify: Notify
  /** Resolver of names; closed with the daemon. */
  readonly resolver?: Resolver
  /** Queue of the operator's commands; closed with the daemon. */
  readonly commands?: CommandQueue
  /** File of the overrides that operators give; null or absent: they end with the process. */
  readonly overridesPath?: string | null
  /** File with the health for the next start; null or absent: nothing is stored. */
  readonly memoryPath?: string | null
  /** File of the identity in the site; null or absent: it ends with the process. */
  readonly clusterPath?: string | null
  /** File of the tokens of the API; null or absent: they end with the process. */
  readonly tokensPath?: string | null
  /** File with what VRRP has said last; null or absent: it is forgotten. */
  readonly rolePath?: string | null
  /** Null or absent: those of the configuration are not set. */
  readonly sysctls?: Sysctls | null
  /** File of the former values of sysctls. */
  readonly sysctlsPath?: string | null
  /** Reads the configuration again, for a reload. See `ReloaderParts`. */
  readonly load: (running: Runnable) => Promise<Loaded>
  /** Event listeners. An exception in a listener is logged and stops nothing. */
  readonly listeners?: readonly EventListener[]
  /** One of the listeners; absent: no alerts are sent. */
  readonly alerts?: Pick<Alerts, 'status'>
  readonly executors?: typeof openExecutors
  /** Clock for the name resolver; replaced in tests. */
  readonly namesClock?: Pick<Clock, 'now' | 'alarm'>
  /** Wall clock for overrides; replaced in tests. */
  readonly overridesClock?: Pick<Clock, 'now' | 'alarm'>
}

export interface Daemon {
  readonly overrides: OverrideControl
  readonly connections: ConnectionCounts
  readonly why: Explainer
  readonly recheck: Rechecker
  readonly metrics: Metrics
  reload(isForced: boolean): Promise<ReloadOutcome>
  status(): Promise<StatusDocument>
  /** Resolves when the kernel's table reflects all results, answers for names and reloads that have arrived. */
  idle(): Promise<void>
  /** Stops the daemon. Removes the services with `cleanstop`; the rest of the table stays unchanged. */
  stop(): Promise<void>
}
