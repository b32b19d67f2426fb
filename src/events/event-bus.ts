/** Events of the director, and who listens: log, mails, commands, files. An exception in a listener is logged and goes no further. */

import type { Change, DaemonPhase, ResolvedConfig } from '../core/model.js'
import type { HealthEvents } from '../health/health-changes.js'
import type { Log } from '../system/log.js'
import type { Emitter } from '../util/emitter.js'

export type { DaemonPhase }

export interface Events extends HealthEvents {
  readonly phase: [phase: DaemonPhase]
  /** A configuration is in force, names resolved as far as they are. */
  readonly config: [config: ResolvedConfig]
  /** What the kernel has taken. */
  readonly applied: [changes: readonly Change[]]
}

/** A method for each event that it wants. */
export type EventListener = {
  -readonly [Name in keyof Events]?: ((...details: Events[Name]) => void) | undefined
} & {
  /** Ends what is under way, within seconds. */
  close?(): unknown
}

export interface EventBus extends Emitter<Events> {
  close(): Promise<void>
}

/** Listeners are told in this order. */
export function openEventBus(listeners: readonly EventListener[], log: Log): EventBus {
  const guarded = async (what: string, work: () => unknown) => {
    try {
      await work()
    } catch (error) {
      log.error('observer.failed', { error: (error as Error).message }, `an event listener failed: ${what}`)
    }
  }
  return {
    emit(event, ...details) {
      for (const listener of listeners) {
        const listen = listener[event] as ((...args: unknown[]) => unknown) | undefined
        if (listen) void guarded(event, () => listen.apply(listener, details))
      }
    },
    hears: event => listeners.some(listener => listener[event] !== undefined),
    async close() {
      await Promise.all(listeners.map(listener => guarded('close', () => listener.close?.())))
    },
  }
}
