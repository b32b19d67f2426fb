/**
 * The check of a virtual: its kind, policy and options. Which kinds exist and which options they have is asked of the
 * loaded checks, so a kind that appears there is used here at once.
 */
import type { Check } from '../../check/check.js'
import { optionKit } from '../../check/option-kit.js'
import type { Position } from '../problems/problem.js'
import { isWithoutLogin, tellKind } from './check-notes.js'
import { isFetch, optionsOf, pairOptions } from './check-options.js'
import { isSecretDirective } from './directives.js'
import { kindOf, timeoutOf, type VirtualFacts } from './effective-value.js'
import {
  connectsOf,
  ignoredOptions,
  impliedOptions,
  isConnecting,
  tellLibraryCheck,
} from './library-checks.js'
import type { Placed, Report } from './report.js'
import type { Entry } from './tree.js'
import { type ServiceName, serviceOfPort } from './vocabulary.js'

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
  const service = own.service?.value ?? (protocol === 'fwm' ? 'none' : serviceOfPort(facts.port))
  const type = own.checktype ?? { value: 'negotiate' as const, at: own.service?.at ?? at }
  const isOnlyConnects = service === 'none' && isConnecting(type.value, facts)
  const kind = isOnlyConnects ? 'connect' : kindOf(type.value, service, protocol)
  const choice = { kind, service, at: type.at }
  tellChoice(choice, facts, context)
  const known = usedOptions(kind, facts, context)
  const options = [...optionsOf(kind, facts, context), ...impliedOptions(kind, facts)]
  tellUnused(known, choice, facts, context.report)
  return {
    ...choice,
    connects: connectsOf(kind, facts, context.report),
    timeout: pingTimeout(kind, timeoutOf(kind, own, globals, at), facts),
    options: options.filter(option => known.has(option.key)),
    ownOptions: (pair, at, server) =>
      pairOptions(kind, pair, facts, { at, server, report: context.report }).filter(option =>
        known.has(option.key),
      ),
  }
}

/** The options that ldirectord's check of this kind has too; its http and smtp know no login. */
function usedOptions(kind: string, facts: VirtualFacts, { checks }: CheckContext): ReadonlySet<string> {
  const known = optionNames(checks.get(kind))
  const ignored = isWithoutLogin(kind) ? ['login', 'passwd'] : ignoredOptions(kind, facts)
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

/** ldirectord gives each of its pings the whole time. */
function pingTimeout(kind: string, timeout: Placed<number>, { own, globals }: VirtualFacts): Placed<number> {
  const count = own.checkcount?.value ?? globals.checkcount?.value ?? 1
  return kind === 'ping' ? { ...timeout, value: timeout.value * count } : timeout
}

type Choice = Pick<CheckChoice, 'kind' | 'service' | 'at'>

// ---------------------------------------------------------------- what is told

function tellChoice(choice: Choice, facts: VirtualFacts, { report }: CheckContext): void {
  const { own, protocol, at } = facts
  const { kind } = choice
  const where = own.checktype?.at ?? own.service?.at ?? at
  if (own.checktype?.value === 'connect' && protocol === 'udp')
    report.note('PING', where, 'a connect check of a udp service is a ping, as with ldirectord')
  if (kind === 'none' && own.service?.value !== 'none')
    report.warn(
      'IMPLIED_NONE',
      where,
      `no service is named, and ${protocol === 'fwm' ? 'a firewall mark' : 'the port'} implies none: the servers are not checked and count as up, as with ldirectord`,
    )
  tellKind(kind, facts, report)
  tellLibraryCheck(kind, facts, report)
  if (isFetch(kind))
    report.note(
      'REDIRECTS',
      where,
      'redirects are followed, to other hosts too, as ldirectord does; redirects: 0 judges them by their status',
    )
  if (kind === 'dns' && !own.request)
    report.warn(
      'DNS_QUESTION',
      where,
      'no request says what to ask: the name servers of the root; with ldirectord such servers are always down',
    )
  else if (kind === 'dns' && !own.receive)
    report.note(
      'DNS_QUESTION',
      where,
      'any answer of the type asked for will do; without receive ldirectord has the servers down for ever',
    )
  if (/\s/.test(own.checkcommand?.value ?? '') && kind === 'external')
    report.warn(
      'COMMAND_ARGUMENTS',
      own.checkcommand?.at ?? at,
      'the whole value is the name of the file, as with ldirectord; arguments belong into the script, or after import under arguments',
    )
}

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
