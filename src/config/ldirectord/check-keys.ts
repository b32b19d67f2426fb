/** Determines the kind and the policy of a virtual's check from its directives. */
import { NO_SERVICE, rowOf, serviceOfPort } from './kinds.js'
import type { Located } from './text-span.js'
import type { Value } from './tree.js'
import type { GlobalPart, Virtual } from './virtual.js'
import type { CheckType } from './vocabulary.js'

type Found = Located<Value> | null
type Facts = Pick<Virtual, 'own' | 'protocol' | 'port' | 'at'>

/** Returns what ldirectord runs: the checktype, or the service if the checktype is negotiate or a number. */
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

/** True if the checktype asks for connects that prove something: to a known port, and not over UDP. */
function isConnecting(type: CheckType, { own, protocol }: Facts): boolean {
  return (
    typeof type === 'number' && type > 0 && (protocol === 'tcp' || (protocol === 'fwm' && !!own.checkport))
  )
}

export function kind({ kind, checkAt }: Virtual): Found {
  return { value: kind, at: checkAt }
}

/**
 * The checkinterval of a virtual is effective only with `fork`. Without it, ldirectord checks all virtuals in one loop,
 * with the global checkinterval.
 */
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
 * Returns the time limit of a run. It comes from the directive for this kind, else from the other one; those of the
 * virtual precede the global ones. ldirectord applies the limit to each try, so a kind with several tries gets the
 * product.
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

/**
 * Returns the number of plain connects between two runs, for a numeric checktype. Reports connects that have no use.
 */
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
