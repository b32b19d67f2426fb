/** Describes changes of the kernel's table in ldirectord's words. Pure. */
import { kernelServices } from '../../core/kernel-services.js'
import {
  type Change,
  type DaemonPhase,
  keyOfReal,
  keyOfService,
  type ResolvedMember,
  type ResolvedReal,
  type ResolvedService,
  type ServiceId,
  type TableReal,
  type TableService,
} from '../../core/model.js'

export type EventKind = 'Added' | 'Restored' | 'Quiescent' | 'Deleted' | 'Purged' | 'Inaccessible'

export type Tag = 'real' | 'fallback'

/** An event about one server of one service. */
export interface ServerEvent {
  readonly service: ResolvedService
  /** Key of the server, from `keyOfMember` below. */
  readonly member: string
  readonly word: EventKind
  /** `Deleted real server`, `Purged real server (stop)`: the category in summaries. */
  readonly kind: string
  /** `Deleted real server: [2001:db8::11]:80 ([2001:db8::1]:80)`, as in ldirectord. */
  readonly sentence: string
  readonly tag: Tag
}

/** A service of the kernel with the keys of its entries. */
export interface Known {
  readonly service: ResolvedService
  readonly id: ServiceId
  readonly reals: ReadonlyMap<string, ResolvedReal>
  readonly fallback: string | null
}

/** Returns the services by `keyOfService`. A service whose name does not resolve is not in the table and has no events. */
export function knownServices({
  services,
}: {
  readonly services: readonly ResolvedService[]
}): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>()
  for (const service of services)
    for (const { id, reals, fallback } of kernelServices(service)) {
      if (!id) continue
      const entries = reals.flatMap(real =>
        keyOf(real) === null ? [] : [[keyOf(real) ?? '', real] as const],
      )
      known.set(keyOfService(id), {
        service,
        id,
        reals: new Map(entries),
        fallback: fallback && keyOf(fallback),
      })
    }
  return known
}

function keyOf({ address, port }: Pick<ResolvedMember, 'address' | 'port'>): string | null {
  return address && keyOfReal({ address, port })
}

/** Returns the key of a server within a service. */
export function keyOfMember(id: ServiceId, server: string): string {
  return `${keyOfService(id)} ${server}`
}

/**
 * Returns the events of a change. The word depends on the change and on the role of the server.
 *
 *   in the configuration   before    after             word
 *   real, fallback         out       in                Added
 *   real                   out       in, weight 0 *    Quiescent
 *   real                   weight    weight 0 *        Quiescent
 *   real, fallback         weight 0  weight            Restored
 *   real, fallback         in        other attributes  Restored, if a start or reload changes them
 *   real, fallback         in        out               Deleted
 *   neither                in        out               Purged (start)
 *   real                   weight    service removed   Purged (stop), if lvsd stops
 *
 *   * if it differs from the configured weight
 */
export function eventsOf(
  change: Change,
  { service, reals, fallback }: Known,
  phase: DaemonPhase,
): readonly ServerEvent[] {
  const tell = (word: EventKind, server: TableReal, weight: number | null, suffix = '') =>
    describeEvent(service, change.id, {
      word,
      server: keyOfReal(server),
      tag: !reals.has(keyOfReal(server)) && keyOfReal(server) === fallback ? 'fallback' : 'real',
      weight,
      suffix,
    })
  switch (change.op) {
    case 'add-real':
      return [tell(isQuiescent(change.real, reals) ? 'Quiescent' : 'Added', change.real, change.real.weight)]
    case 'set-real': {
      const word = wordForSet(change, reals, phase)
      return word ? [tell(word, change.real, change.real.weight)] : []
    }
    case 'delete-real': {
      const server = keyOfReal(change.was)
      const isOurs = reals.has(server) || server === fallback
      return [isOurs ? tell('Deleted', change.was, null) : tell('Purged', change.was, null, ' (start)')]
    }
    case 'delete-service':
      return phase === 'stopping'
        ? servingReals(change.was, reals).map(was => tell('Purged', was, null, ' (stop)'))
        : []
    default:
      return []
  }
}

/** Returns the word for a changed server, or null. A changed weight advice is not an event. */
function wordForSet(
  { real, was }: Extract<Change, { op: 'set-real' }>,
  reals: Known['reals'],
  phase: DaemonPhase,
): EventKind | null {
  if (real.weight > 0 && was.weight === 0) return 'Restored'
  if (isQuiescent(real, reals)) return was.weight > 0 ? 'Quiescent' : null
  return phase === 'starting' || phase === 'reloading' ? 'Restored' : null
}

function isQuiescent(real: TableReal, reals: Known['reals']): boolean {
  const configured = reals.get(keyOfReal(real))?.attributes.weight
  return real.weight === 0 && configured !== undefined && configured > 0
}

function servingReals({ reals }: TableService, known: Known['reals']): readonly TableReal[] {
  return [...reals.values()].filter(real => real.weight > 0 && known.has(keyOfReal(real)))
}

interface Told {
  readonly word: EventKind
  /** `keyOfReal`. */
  readonly server: string
  readonly tag: Tag
  readonly weight: number | null
  /** ` (stop)`. */
  readonly suffix?: string
}

/** Composes the event in ldirectord's words. */
export function describeEvent(
  service: ResolvedService,
  id: ServiceId,
  { word, server, tag, weight, suffix = '' }: Told,
): ServerEvent {
  const kind = `${word} ${tag} server${suffix}`
  const weightSet = weight === null ? '' : ` (Weight set to ${weight})`
  return {
    service,
    member: keyOfMember(id, server),
    word,
    kind,
    sentence: `${kind}: ${server} (${virtualOf(id)})${weightSet}`,
    tag,
  }
}

/** Returns `[2001:db8::1]:80`, or the firewall mark. */
function virtualOf(id: ServiceId): string {
  return id.kind === 'fwmark' ? String(id.fwmark) : keyOfReal(id)
}
