/** Logs changes of the table with the same messages as ldirectord, because scripts search for them. */

import {
  type Change,
  type DaemonPhase,
  keyOfReal,
  keyOfService,
  type ResolvedConfig,
  type ServiceId,
} from '../core/model.js'
import type { EventListener } from '../events/event-bus.js'
import { eventsOf, knownServices } from '../notify/mail/server-event.js'
import type { Log } from '../system/log.js'

export function tableSentences(log: Log): EventListener {
  let known: ReturnType<typeof knownServices> = new Map()
  let phase: DaemonPhase = 'starting'
  return {
    config(config: ResolvedConfig) {
      known = knownServices(config)
    },
    phase(next) {
      phase = next
    },
    applied(changes) {
      for (const change of changes)
        for (const sentence of sentencesOf(change)) log.info('ldirectord.table', {}, sentence)
    },
  }

  function sentencesOf(change: Change): readonly string[] {
    const place = known.get(keyOfService(change.id))
    const news = place ? eventsOf(change, place, phase).map(({ sentence }) => sentence) : []
    const virtual = virtualSentence(change, phase)
    return virtual ? [...news, virtual] : news
  }
}

function virtualSentence({ op, id }: Change, phase: DaemonPhase): string | null {
  if (op === 'add-service') return `Added virtual server: ${virtualOf(id)}`
  if (op === 'set-service') return `Changed virtual server: ${virtualOf(id)}`
  if (op !== 'delete-service') return null
  return `Purged virtual server (${phase === 'stopping' ? 'stop' : 'start'}): ${virtualOf(id)}`
}

function virtualOf(id: ServiceId): string {
  return id.kind === 'fwmark' ? String(id.fwmark) : keyOfReal(id)
}
