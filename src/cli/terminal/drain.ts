/** The progress of a drain: the state of each server by the kernel's counters, and how it is shown. Pure. */
import type { ConnectionsAnswer, RealConnections, ServiceConnections } from '../../api/connection-types.js'
import { painter, type Style } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { duration, formatUptime } from '../../util/time-text.js'
import { clip, columns } from './columns.js'
import type { Screen } from './screen.js'

/**
 *   weight in the kernel  override that keeps clients away  active  inactive  templates  state
 *   none                  any                               -       -         -          absent
 *   over 0                yes                               any     any       any        stepping
 *   over 0                no                                any     any       any        undrained
 *   0                     any                               some    any       any        draining
 *   0                     any                               none    some      any        closing
 *   0                     any                               none    none      some       returning
 *   0                     any                               none    none      none       empty
 *
 * The states absent, undrained and empty are final.
 */
export type DrainState = 'stepping' | 'draining' | 'closing' | 'returning' | 'empty' | 'absent' | 'undrained'

export interface Draining extends Pick<RealConnections, 'weight' | 'active' | 'inactive' | 'persistent'> {
  readonly service: string
  readonly real: string
  readonly state: DrainState
  /** Milliseconds after which the kernel has removed all of its connections; null: not known. */
  readonly atMost: number | null
}

/** Effects of overrides that keep new clients away. */
const KEEP_AWAY: ReadonlySet<string> = new Set(['drain', 'disable', 'force-down'])
/** Seconds for which the kernel keeps a closed TCP connection (IP_VS_TCP_S_TIME_WAIT). */
const TIME_WAIT = 120

export function drainState({ weight, override, active, inactive, persistent }: RealConnections): DrainState {
  if (weight === null) return 'absent'
  if (weight > 0) return KEEP_AWAY.has(override?.effect ?? '') ? 'stepping' : 'undrained'
  if (active > 0) return 'draining'
  if (inactive > 0) return 'closing'
  return persistent > 0 ? 'returning' : 'empty'
}

export function isOver({ state }: Draining): boolean {
  return state === 'empty' || state === 'absent' || state === 'undrained'
}

/** True if the drain has reached its goal: the server has no connections. */
export function isEmpty({ state }: Draining): boolean {
  return state === 'empty' || state === 'absent'
}

/** Follows the servers from one answer of the daemon to the next. */
export class DrainProgress {
  /** Since when a server has no active connection, by its name, in the caller's milliseconds. */
  readonly #quietSince = new Map<string, number>()

  read(services: readonly ServiceConnections[], timeouts: ConnectionsAnswer['timeouts'], now: number) {
    return services.flatMap(service =>
      service.reals.map(real => this.#drainingOf(service, real, timeouts.tcpFin, now)),
    )
  }

  #drainingOf(service: ServiceConnections, real: RealConnections, tcpFin: number, now: number): Draining {
    const { weight, active, inactive, persistent } = real
    const state = drainState(real)
    const key = nameOf({ service: service.name, real: real.name })
    const quietSince = state === 'closing' ? (this.#quietSince.get(key) ?? now) : null
    if (quietSince === null) this.#quietSince.delete(key)
    else this.#quietSince.set(key, quietSince)
    const left = quietSince === null ? 0 : Math.max(TIME_WAIT, tcpFin) * 1000 - (now - quietSince)
    const isKnown = service.protocol === 'tcp' && persistent === 0 && left > 0
    return {
      service: service.name,
      real: real.name,
      state,
      weight,
      active,
      inactive,
      persistent,
      atMost: isKnown ? left : null,
    }
  }
}

export function nameOf({ service, real }: Pick<Draining, 'service' | 'real'>): string {
  return `${service}/${real}`
}

/** What the kernel's counters do not show about these services, one or two sentences for each. */
export function drainNotes({
  services,
  timeouts,
  expiresQuiescentTemplates,
}: ConnectionsAnswer): readonly string[] {
  return services.flatMap(({ name, protocol, onePacket, persistence }) => {
    const notes: string[] = []
    if (onePacket)
      notes.push(
        `${name} is one-packet: the kernel keeps no connections, so a server that is shown as empty may still answer requests.`,
      )
    else if (protocol === 'udp' || protocol === null)
      notes.push(
        `${name} ${protocol === null ? 'may have UDP clients' : 'is UDP'}: the kernel keeps a flow for ${timeouts.udp} s after its last packet, and a client that continues to send stays on this server.`,
      )
    if (persistence !== null) notes.push(`${name} is persistent: ${persistent(persistence)}`)
    return notes
  })

  function persistent(seconds: number): string {
    if (expiresQuiescentTemplates)
      return `its clients now go to other servers, but the kernel counts each of them for up to ${seconds} s after its last connection.`
    const remedy =
      expiresQuiescentTemplates === null
        ? ''
        : ' "sysctl -w net.ipv4.vs.expire_quiescent_template=1" sends them to other servers.'
    return `clients that used this server within ${seconds} s return to it, also at weight 0.${remedy}`
  }
}

/** `12 active, 40 inactive, 3 persistent`; `no connections`. */
export function connectionsText(
  drainings: readonly Pick<Draining, 'active' | 'inactive' | 'persistent'>[],
): string {
  const counts = (['active', 'inactive', 'persistent'] as const).flatMap(kind => {
    const sum = drainings.reduce((total, one) => total + one[kind], 0)
    return sum > 0 ? [`${sum} ${kind}`] : []
  })
  return counts.join(', ') || 'no connections'
}

/** One line: the state of the only server, or the number of empty servers. */
export function summaryLine(drainings: readonly Draining[]): string {
  const [one] = drainings
  if (one && drainings.length === 1) return printable(`${nameOf(one)}: ${leftOf(one)}`)
  const empty = drainings.filter(isEmpty).length
  return `${empty} of ${counted(drainings.length, 'server')} empty: ${connectionsText(drainings)}`
}

/** What is left on a server: `12 active, 40 inactive`, `weight 3, 12 active`, `not in the table`. */
export function leftOf(draining: Draining): string {
  const { state, weight } = draining
  if (state === 'absent') return "not in the kernel's table"
  const count = connectionsText([draining])
  return weight !== null && weight > 0 ? `weight ${weight}, ${count}` : count
}

export interface Waiting {
  /** Milliseconds. */
  readonly waited: number
  readonly wait: number
  /** Why the counters are not current; null if they are. */
  readonly trouble: string | null
}

const STYLES: Readonly<Partial<Record<DrainState, Style>>> = {
  empty: 'green',
  absent: 'green',
  undrained: 'red',
}

/** Columns of the longest state, so that the columns of the table do not move. */
const STATE_WIDTH = 'returning'.length
/** Number of lines besides the servers: head, count, clock, error, and the line of the cursor. */
const OTHER_LINES = 5

/** Returns the lines that are drawn again and again on a terminal. None is wider than the screen. */
export function progressLines(
  drainings: readonly Draining[],
  waiting: Waiting,
  { width, height, colour }: Screen,
): string[] {
  const paint = painter(colour)
  const room = Math.max(1, (height ?? 24) - OTHER_LINES)
  const shown = [...drainings].sort(byUrgency).slice(0, room)
  const rows = shown.map(one => [
    one.state.padEnd(STATE_WIDTH),
    one.weight === null ? '-' : String(one.weight),
    ...(one.state === 'absent' ? ['-', '-', '-'] : [one.active, one.inactive, one.persistent].map(String)),
    printable(nameOf(one)),
  ])
  const [head = '', ...body] = columns(
    [['STATE', 'WEIGHT', 'ACTIVE', 'INACT', 'PERSIST', 'SERVER'], ...rows],
    { right: [1, 2, 3, 4] },
  ).split('\n')
  const painted = body.map((line, i) => paintState(line, shown[i]?.state))
  const hidden = drainings.length - shown.length
  const more = hidden > 0 ? `, ${hidden} not shown` : ''
  const count = drainings.length > 1 ? [`${summaryLine(drainings)}${more}`] : []
  const trouble = waiting.trouble === null ? [] : [paint('red', `! ${printable(waiting.trouble)}`)]
  const lines = [paint('bold', head), ...painted, ...count, clockLine(drainings, waiting), ...trouble]
  return lines.map(line => clip(line, width))

  function paintState(line: string, state: DrainState | undefined): string {
    const style = state && STYLES[state]
    return state && style ? paint(style, state) + line.slice(state.length) : line
  }
}

/** Servers that still have connections come first, those with most connections before the others. */
function byUrgency(a: Draining, b: Draining): number {
  const size = ({ active, inactive, persistent }: Draining) => active + inactive + persistent
  return Number(isOver(a)) - Number(isOver(b)) || size(b) - size(a)
}

function clockLine(drainings: readonly Draining[], { waited, wait }: Waiting): string {
  const pending = drainings.filter(one => !isOver(one))
  const isKnown = pending.length > 0 && pending.every(({ atMost }) => atMost !== null)
  const longest = Math.max(...pending.map(({ atMost }) => atMost ?? 0))
  const estimate = isKnown ? `empty in at most ${formatUptime(longest)}; ` : ''
  const hint = pending.length > 0 ? `; ${estimate}Ctrl-C leaves the drain in force` : ''
  return `waited ${formatUptime(waited)} of ${duration(wait)}${hint}`
}
