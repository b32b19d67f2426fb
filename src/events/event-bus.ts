/** Who is told what happens and never stops it: files, commands, mails. What they throw is logged, and that is all. */

import type { Change, CheckResult, Config, DaemonPhase, Service } from '../core/model.js'
import type { Hold, Transition, VerdictChange, WeightChange } from '../health/health-changes.js'
import type { Subscriber } from '../health/jobs.js'
import type { Log } from '../system/log.js'

export type { DaemonPhase }

export interface EventListener {
  phase?(phase: DaemonPhase): void
  /** A configuration is in force, names resolved as far as they are. */
  config?(config: Config): void
  result?(subscriber: Subscriber, result: CheckResult): void
  transition?(transition: Transition): void
  /** The checks of a server that is up advise another weight. */
  weight?(change: WeightChange): void
  /** A check has given no verdict for long, or gives them again. */
  verdict?(change: VerdictChange): void
  /** An operator holds a server down, or lets it go. */
  held?(hold: Hold): void
  /** The first real server of a service gets traffic, or the last one no longer does. `before`: null at a start. */
  traffic?(service: Service, hasTraffic: boolean, before: boolean | null): void
  /** What the kernel has taken. */
  applied?(changes: readonly Change[]): void
  /** Ends what is under way, within seconds. */
  close?(): unknown
}

type Told = { [K in Exclude<keyof EventListener, 'close'>]-?: Parameters<NonNullable<EventListener[K]>> }

export interface EventBus {
  emit<K extends keyof Told>(what: K, ...details: Told[K]): void
  /** Is anybody interested? Spares the work of telling each result where nobody is. */
  hears(what: keyof Told): boolean
  close(): Promise<void>
}

export function openEventBus(observers: readonly EventListener[], log: Log): EventBus {
  const guarded = async (what: string, work: () => unknown) => {
    try {
      await work()
    } catch (error) {
      log.error('observer.failed', { error: (error as Error).message }, `an observer failed at: ${what}`)
    }
  }
  return {
    emit(what, ...details) {
      for (const observer of observers) {
        const listen = observer[what] as ((...args: unknown[]) => unknown) | undefined
        if (listen) void guarded(what, () => listen.apply(observer, details))
      }
    },
    hears: what => observers.some(observer => observer[what] !== undefined),
    async close() {
      await Promise.all(observers.map(observer => guarded('close', () => observer.close?.())))
    },
  }
}
