/**
 * A part of an ldirectord.cf, from which keys of lvsd's configuration are made: its directives and what follows from
 * them.
 */
import type { Family } from '../../core/address.js'
import type { PortLookup } from '../ports.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import type { FallbackLine, RealLine } from './address-lines.js'
import type { VirtualAddress } from './addresses.js'
import type { ServiceName } from './kinds.js'
import type { Directive } from './lines.js'
import type { Located } from './text-span.js'
import type { CheckType } from './vocabulary.js'

/** The last value of each directive. Directives that others depend on are listed by name. */
export interface Values {
  readonly [directive: string]: Located<unknown> | undefined
  readonly checkcommand?: Located<string>
  readonly checkcount?: Located<number>
  readonly checkport?: Located<number>
  readonly checktimeout?: Located<number>
  readonly checktype?: Located<CheckType>
  readonly database?: Located<string>
  readonly fork?: Located<boolean>
  readonly logfile?: Located<string>
  readonly login?: Located<string>
  readonly negotiatetimeout?: Located<number>
  readonly netmask?: Located<string>
  readonly ops?: Located<boolean>
  readonly passwd?: Located<string>
  readonly persistent?: Located<number>
  readonly protocol?: Located<string>
  readonly receive?: Located<string>
  readonly request?: Located<string>
  readonly schedflags?: Located<readonly string[]>
  readonly scheduler?: Located<string>
  readonly secret?: Located<string>
  readonly service?: Located<ServiceName>
  readonly servicename?: Located<string>
  readonly supervised?: Located<boolean>
}

/** Common properties of all parts. */
interface Part {
  /** Directives of this part. */
  readonly own: Values
  readonly globals: Values
  /** Position of values that no line of the part contains. */
  readonly at: Position
  readonly report: Report
}

export interface GlobalPart extends Part {
  readonly scope: 'global'
}

/** A virtual, with the properties that follow from its directives and from the global part. */
export interface Virtual extends Part {
  readonly scope: 'virtual'
  readonly head: Directive
  readonly directives: readonly Directive[]
  readonly address: VirtualAddress
  /** `tcp`, `udp` or `fwm`. */
  readonly protocol: string
  /** 0 for a firewall mark. */
  readonly port: number
  readonly family: Family
  /** ldirectord's name of the virtual: `tcp:192.0.2.1:80`, `fwm6:5`. */
  readonly id: string
  /** The servicename with `-` in place of blanks, or else the id. */
  readonly name: string
  readonly service: ServiceName
  /** Kind of check, by the name that both ldirectord and lvsd use. */
  readonly kind: string
  /** Position of the directive that selects the check. */
  readonly checkAt: Position
  /** Options of the kind that ldirectord's check also has. */
  readonly options: ReadonlySet<string>
  readonly reals: readonly RealLine[]
  /** The global fallbacks. */
  readonly fallbacks: Readonly<Record<Family, FallbackLine | null>>
  readonly ports: PortLookup
  /** Host name for the default logins of ftp and sip. */
  readonly hostname: string
}
