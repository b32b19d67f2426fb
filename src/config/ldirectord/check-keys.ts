/** The kind and the policy of a virtual's check, as they follow from its directives. */
import { NO_SERVICE, rowOf, serviceOfPort } from './kinds.js'
import type { Located } from './text-span.js'
import type { Value } from './tree.js'
import type { GlobalPart, Virtual } from './virtual.js'
import type { CheckType } from './vocabulary.js'

type Found = Located<Value> | null
type Facts = Pick<Virtual, 'own' | 'protocol' | 'port' | 'at'>

/** What ldirectord runs: the checktype, or for negotiate and numbers the service. */
export function chooseKind(facts: Facts): Pick<Virtual, 'service' | 'kind' | 'checkAt'> {
  const { own, protocol, port, at } = facts
  const service = own.service?.value ?? (protocol === 'fwm' ? NO_SERVICE : serviceOfPort(port))
  const type = own.checktype?.value ?? 'negotiate'
  const named = type === 'negotiate' || typeof type === 'number' ? service : type
  return { service, kind: kindFor(named, type, facts), checkAt: own.checktype?.at ?? own.service?.at ?? at }
}

function kindFor(named: string, type: CheckType, facts: Facts): string {
  const { combined, overUdp } = rowOf(named)
  if (combined && isConnecting(type, facts)) return combined
  return (facts.protocol === 'udp' && overUdp) || named
}

/** Whether a checktype asks for connects that prove something: to a port that is known, and not over UDP. */
function isConnecting(type: CheckType, { own, protocol }: Facts): boolean {
  return (
    typeof type === 'number' && type > 0 && (protocol === 'tcp' || (protocol === 'fwm' && !!own.checkport))
  )
}

export function kind({ kind, checkAt }: Virtual): Found {
  return { value: kind, at: checkAt }
}

/** ldirectord takes turns through all virtuals, unless each has a process of its own. */
export function interval(
  { value, at }: Located<number>,
  { scope, globals, report }: GlobalPart | Virtual,
): Value {
  if (scope === 'global' || globals.fork?.value) return `${value}s`
  report.warn(
    'INTERVAL_IGNORED',
    at,
    'counts only with fork = yes, as with ldirectord; the global checkinterval is used',
  )
  return null
}

/**
 * Of the two directives the nearer one counts, then the other, then the default. ldirectord gives each of its tries the
 * whole time.
 */
export function timeout({ kind, own, globals, at }: Virtual): Found {
  const { timeout, isIdle, isCounted } = rowOf(kind)
  if (isIdle) return null
  const [first, second, seconds] =
    timeout === 'checktimeout'
      ? (['checktimeout', 'negotiatetimeout', 5] as const)
      : (['negotiatetimeout', 'checktimeout', 30] as const)
  const found = own[first] ?? own[second] ?? globals[first] ?? globals[second] ?? { value: seconds, at }
  const tries = isCounted ? (own.checkcount ?? globals.checkcount)?.value : undefined
  return { value: `${found.value * (tries ?? 1)}s`, at: found.at }
}

export function count({ kind, own, globals, at }: Virtual): Found {
  return rowOf(kind).isCounted ? (own.checkcount ?? globals.checkcount ?? { value: 1, at }) : null
}

export function checkPort({ kind, own: { checkport }, report }: Virtual): Found {
  if (!checkport || !rowOf(kind).isCommand) return checkport ?? null
  report.note(
    'UNUSED',
    checkport.at,
    'checkport has no effect: external commands are told the port of the real server, with ldirectord too',
  )
  return null
}

/** Plain connects between two runs, which a checktype of a number asks for; what they cannot do is told. */
export function connects({ kind, own: { checktype }, protocol, checkAt, report }: Virtual): Found {
  if (typeof checktype?.value !== 'number' || checktype.value === 0) return null
  const { connects } = rowOf(kind)
  if (protocol !== 'udp' && connects === 'between')
    return { value: Math.min(checktype.value, 1_000_000), at: checkAt }
  if (connects === 'alone')
    report.note(
      'CONNECTS',
      checktype.at,
      'every check is a connect; with ldirectord each time after so many connects nothing is checked, and a server that is down comes up for a while',
    )
  else if (connects !== 'never')
    report.note(
      'CONNECTS',
      checktype.at,
      'the negotiate check runs every time: a connect to a udp service proves nothing, and with ldirectord always succeeds',
    )
  return null
}
