/**
 * Delivers the events of the director to listeners: log, mails, commands, files. An exception in a listener is logged
 * and has no other effect.
 */

import type { ConnectivityChange } from '../cluster/connectivity/monitor.js'
import type { Change, DaemonPhase, ResolvedConfig } from '../core/model.js'
import type { HealthEvents } from '../health/health-changes.js'
import type { Log } from '../system/log.js'
import type { Emitter } from '../util/emitter.js'

export type { DaemonPhase }

export interface Events extends HealthEvents {
  readonly phase: [phase: DaemonPhase]
  /** A configuration is active. Its names have the known addresses. */
  readonly config: [config: ResolvedConfig]
  /** This director has lost its network, or has it again. */
  readonly connectivity: [change: ConnectivityChange]
  /** The kernel has accepted these changes. */
  readonly applied: [changes: readonly Change[]]
}

/** Has a method for each event that it handles. */
export type EventListener = {
  -readonly [Name in keyof Events]?: ((...details: Events[Name]) => void) | undefined
} & {
  /** Ends running work within seconds. */
  close?(): unknown
}

export interface EventBus extends Emitter<Events> {
  close(): Promise<void>
}

/** Creates an event bus. Listeners are called in this order. */
export function openEventBus(listeners: readonly EventListener[], log: Log): EventBus {
  const failed = (what: string, error: unknown) =>
    log.error('observer.failed', { error: (error as Error).message }, `an event listener failed: ${what}`)
  const guarded = async (what: string, work: () => unknown) => {
    try {
      await work()
    } catch (error) {
      failed(what, error)
    }
  }
  return {
    emit(event, ...details) {
      // A loop by index: before V8 has optimized it, one over the list makes garbage at each step.
      for (let i = 0; i < listeners.length; i++) {
        const listener = listeners[i] as EventListener
        const listen = listener[event] as ((...args: unknown[]) => unknown) | undefined
        if (!listen) continue
        try {
          // There are thousands of results a second, and nearly all listeners return nothing.
          const returned = listen.apply(listener, details)
          if (returned instanceof Promise) returned.catch(error => failed(event, error))
        } catch (error) {
          failed(event, error)
        }
      }
    },
    hears: event => listeners.some(listener => listener[event] !== undefined),
    async close() {
      await Promise.all(listeners.map(listener => guarded('close', () => listener.close?.())))
    },
  }
}
