/** What changes of the kernel's table mean to people, in ldirectord's words. Pure. */
import {
  type Change,
  type Config,
  type DaemonPhase,
  keyOfReal,
  keyOfService,
  type Real,
  type Service,
  type ServiceId,
  type TableReal,
  type TableService,
} from '../../core/model.js'

export type EventKind = 'Added' | 'Restored' | 'Quiescent' | 'Deleted' | 'Purged' | 'Inaccessible'

export type Tag = 'real' | 'fallback'

/** One thing to tell about one server of one service. */
export interface ServerEvent {
  readonly service: Service
  /** Which server: `keyOfMember`, below. */
  readonly member: string
  readonly word: EventKind
  /** `Deleted real server`, `Purged real server (stop)`: what the news of several servers are counted by. */
  readonly kind: string
  /** `Deleted real server: [2001:db8::11]:80 ([2001:db8::1]:80)`, as ldirectord says it. */
  readonly sentence: string
  readonly tag: Tag
}

/** A service by what its table entries are called. */
export interface Known {
  readonly service: Service
  readonly reals: ReadonlyMap<string, Real>
  readonly fallback: string | null
}

/** The services by `keyOfService`; those whose names do not resolve have no table, and no news. */
export function knownServices({ services }: Config): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>()
  for (const service of services) {
    if (!service.id) continue
    const reals = service.reals.flatMap(real =>
      keyOf(real) === null ? [] : [[keyOf(real) ?? '', real] as const],
    )
    known.set(keyOfService(service.id), {
      service,
      reals: new Map(reals),
      fallback: service.fallback && keyOf(service.fallback),
    })
  }
  return known
}

function keyOf({ address, port }: Pick<Real, 'address' | 'port'>): string | null {
  return address && keyOfReal({ address, port })
}

/** One server of one service. */
export function keyOfMember(id: ServiceId, server: string): string {
  return `${keyOfService(id)} ${server}`
}

/**
 * What a change is to people. The word goes by the change and by what the server is.
 *
 *   in the table    before    after             word
 *   real, fallback  out       in                Added
 *   real            out       in, weight 0 *    Quiescent
 *   real            weight    weight 0 *        Quiescent
 *   real, fallback  weight 0  weight            Restored
 *   real, fallback  in        other attributes  Restored, where a start or a reload changes them
 *   real, fallback  in        out               Deleted
 *   neither         in        out               Purged (start): not of the configuration
 *   real            weight    service gone      Purged (stop), where lvsd stops
 *
 *   * not the weight that is configured
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

/** A weight that wobbles between others on the advice of a check is no news. */
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

/** The news in words; a server that is inaccessible, or whose table has changed. */
export function describeEvent(
  service: Service,
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

/** `[2001:db8::1]:80`, or the firewall mark alone. */
function virtualOf(id: ServiceId): string {
  return id.kind === 'fwmark' ? String(id.fwmark) : keyOfReal(id)
}
