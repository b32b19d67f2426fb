/**
 * The check of a virtual: its kind, policy and options. Which kinds exist and which options they have is asked of the
 * loaded checks, so a kind that appears there is used here at once.
 */
import type { Check } from '../../check/check.js'
import { optionKit } from '../../check/option-kit.js'
import type { Position } from '../problems/problem.js'
import { tellKind } from './check-notes.js'
import { ignoredOptions, optionsOf, pairOptions } from './check-options.js'
import { connectsOf, isConnecting } from './connects.js'
import { isSecretDirective } from './directives.js'
import { timeoutOf, type VirtualFacts } from './effective-value.js'
import { NO_SERVICE, rowOf, type ServiceName, serviceOfPort } from './kinds.js'
import type { Placed, Report } from './report.js'
import type { Entry } from './tree.js'
import type { CheckType } from './vocabulary.js'

export interface CheckContext {
  readonly checks: ReadonlyMap<string, Check>
  /** For the login that ldirectord makes up for ftp and sip. */
  readonly hostname: string
  readonly report: Report
}

export interface CheckChoice {
  /** What ldirectord runs, and the name of a check here. */
  readonly kind: string
  readonly service: ServiceName
  /** Seconds. */
  readonly timeout: Placed<number>
  /** Plain connects between two runs. */
  readonly connects: number
  /** The options that the kind has. */
  readonly options: readonly Entry[]
  /** Where the check is chosen. */
  readonly at: Position
  /** Options of one real server, `host:port`, that has a request and an answer of its own. */
  ownOptions(
    pair: { readonly request: string; readonly receive: string },
    at: Position,
    server: string,
  ): readonly Entry[]
}

export function chooseCheck(facts: VirtualFacts, context: CheckContext): CheckChoice {
  const { own, globals, protocol, at } = facts
  const service = own.service?.value ?? (protocol === 'fwm' ? NO_SERVICE : serviceOfPort(facts.port))
  const type = own.checktype ?? { value: 'negotiate' as const, at: own.service?.at ?? at }
  const kind = kindOf(type.value, service, facts)
  const choice = { kind, service, at: type.at }
  tellKind(kind, facts, context.report)
  const known = usedOptions(kind, facts, context)
  const options = optionsOf(kind, facts, context)
  tellUnused(known, choice, facts, context.report)
  return {
    ...choice,
    connects: connectsOf(kind, facts, context.report),
    timeout: wholeTimeout(kind, timeoutOf(kind, own, globals, at), facts),
    options: options.filter(option => known.has(option.key)),
    ownOptions: (pair, at, server) =>
      pairOptions(kind, pair, facts, { at, server, report: context.report }).filter(option =>
        known.has(option.key),
      ),
  }
}

/** What ldirectord runs: the checktype, or for negotiate and numbers the service. */
function kindOf(type: CheckType, service: ServiceName, facts: VirtualFacts): string {
  const named = type === 'negotiate' || typeof type === 'number' ? service : type
  const { combined, overUdp } = rowOf(named)
  if (combined && isConnecting(type, facts)) return combined
  return (facts.protocol === 'udp' && overUdp) || named
}

/** The options that ldirectord's check of this kind has too. */
function usedOptions(kind: string, facts: VirtualFacts, { checks }: CheckContext): ReadonlySet<string> {
  const known = optionNames(checks.get(kind))
  const ignored = ignoredOptions(kind, facts)
  return ignored.length === 0 ? known : new Set([...known].filter(name => !ignored.includes(name)))
}

/** The options of each check; a file with a thousand virtuals asks a thousand times. */
const names = new WeakMap<Check, ReadonlySet<string>>()

function optionNames(check: Check | undefined): ReadonlySet<string> {
  if (!check) return new Set()
  const known = names.get(check) ?? new Set(Object.keys(check.options(optionKit)))
  names.set(check, known)
  return known
}

/** ldirectord gives each of its tries the whole time. */
function wholeTimeout(kind: string, timeout: Placed<number>, { own, globals }: VirtualFacts): Placed<number> {
  const count = own.checkcount?.value ?? globals.checkcount?.value ?? 1
  return rowOf(kind).isCounted ? { ...timeout, value: timeout.value * count } : timeout
}

type Choice = Pick<CheckChoice, 'kind' | 'service' | 'at'>

// ---------------------------------------------------------------- what is told

const SETTINGS = [
  'request',
  'receive',
  'virtualhost',
  'httpmethod',
  'checkcommand',
  'login',
  'passwd',
  'database',
  'secret',
] as const

/** A setting that the kind of check has no use for. */
function tellUnused(
  known: ReadonlySet<string>,
  { kind }: Choice,
  { own }: VirtualFacts,
  report: Report,
): void {
  for (const name of SETTINGS) {
    const set = own[name]
    if (set && !known.has(name))
      report.note(
        'UNUSED',
        set.at,
        `${name} has no effect: a check by ${kind} does not use it, with ldirectord either`,
      )
    else if (set && isSecretDirective(name))
      report.note(
        'SECRET',
        set.at,
        `whoever may read this file reads the password; in YAML ${name}: { file: PATH } or { env: NAME } keeps it elsewhere`,
      )
  }
}
