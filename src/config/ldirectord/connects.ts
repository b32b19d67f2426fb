/** Plain connects between two runs, which a checktype of a number asks for. */
import type { VirtualFacts } from './effective-value.js'
import { rowOf } from './kinds.js'
import type { Report } from './report.js'
import type { CheckType } from './vocabulary.js'

/** Whether a checktype asks for connects that prove something: to a port that is known, and not over UDP. */
export function isConnecting(type: CheckType, { own, protocol }: VirtualFacts): boolean {
  return (
    typeof type === 'number' && type > 0 && (protocol === 'tcp' || (protocol === 'fwm' && !!own.checkport))
  )
}

/** The connects between two runs that a checktype of a number asks for; what they cannot do is told. */
export function connectsOf(kind: string, { own, protocol }: VirtualFacts, report: Report): number {
  const type = own.checktype
  if (typeof type?.value !== 'number' || type.value === 0) return 0
  const { connects } = rowOf(kind)
  if (protocol !== 'udp' && connects === 'between') return Math.min(type.value, 1_000_000)
  if (connects === 'alone')
    report.note(
      'CONNECTS',
      type.at,
      'every check is a connect; with ldirectord each time after so many connects nothing is checked, and a server that is down comes up for a while',
    )
  else if (connects !== 'never')
    report.note(
      'CONNECTS',
      type.at,
      'the negotiate check runs every time: a connect to a udp service proves nothing, and with ldirectord always succeeds',
    )
  return 0
}
