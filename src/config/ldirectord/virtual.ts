/** What the keys of lvsd's configuration are made from: the directives of a part of the file, and what follows from them. */
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

/** The last value of each directive. Those are named on which others depend; of all others their row is enough. */
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

/** What all parts have. */
interface Part {
  /** The directives of this part. */
  readonly own: Values
  readonly globals: Values
  /** Where that stands which no line of the part says. */
  readonly at: Position
  readonly report: Report
}

export interface GlobalPart extends Part {
  readonly scope: 'global'
}

/** One virtual, with what its directives and its place among all others make of it. */
export interface Virtual extends Part {
  readonly scope: 'virtual'
  readonly head: Directive
  readonly directives: readonly Directive[]
  readonly address: VirtualAddress
  /** tcp, udp or fwm. */
  readonly protocol: string
  /** 0 for a firewall mark. */
  readonly port: number
  readonly family: Family
  /** ldirectord's name for it: `tcp:192.0.2.1:80`, `fwm6:5`. */
  readonly id: string
  /** The servicename in one word, else the id. */
  readonly name: string
  readonly service: ServiceName
  /** What ldirectord runs, and the name of a check here. */
  readonly kind: string
  /** Where the check is chosen. */
  readonly checkAt: Position
  /** The options of the kind that ldirectord's check has too. */
  readonly options: ReadonlySet<string>
  readonly reals: readonly RealLine[]
  /** The global fallbacks. */
  readonly fallbacks: Readonly<Record<Family, FallbackLine | null>>
  readonly ports: PortLookup
  /** For the login that ldirectord makes up for ftp and sip. */
  readonly hostname: string
}
