/** Compares the results of lvsd and the real parser for an ldirectord.cf: equal, better with a reason, or different. */
import type { Loaded } from '../../../src/config/load.js'
import type { Problem } from '../../../src/config/problems/problem.js'
import { compare, type Fact, type Model } from './ldirectord-model.js'
import type { Verdict } from './ldirectord-parser.js'

export interface Tally {
  equal: number
  readonly better: Map<string, number>
  readonly different: string[]
}

export function newTally(): Tally {
  return { equal: 0, better: new Map(), different: [] }
}

/** Errors of lvsd in files that ldirectord accepts, but misinterprets or cannot apply because the kernel refuses. */
const REFUSED_ON_PURPOSE: readonly [code: string, message: RegExp, reason: string][] = [
  [
    'BAD_ADDRESS',
    /firewall mark|neither an address|no virtual service|brackets/,
    'ldirectord guesses an address',
  ],
  ['BAD_ADDRESS', /no fallback/, 'ldirectord guesses a fallback'],
  ['BAD_VALUE', /number of connects/, 'ldirectord guesses a number of connects from digits in a checktype'],
  ['BAD_VALUE', /ldirectord would take it for/, 'ldirectord guesses a scheduler'],
  ['BAD_VALUE', /netmask/, 'a netmask that ipvsadm refuses'],
  ['BAD_VALUE', /firewall mark is a number/, 'a firewall mark that the kernel refuses'],
  ['BAD_VALUE', /schedflags/, 'flags that ipvsadm refuses'],
  ['BAD_VALUE', /smtp takes/, 'a name that no mail server has'],
  ['BAD_VALUE', /at least \d|from \d to/, 'a number beyond all that a program counts in'],
  ['BAD_VALUE', /the pattern .* is invalid/, 'a pattern that kills ldirectord at the first answer'],
  ['BAD_VALUE', /must not be empty/, 'an empty name of a file'],
  ['BAD_VALUE', /needs a value/, 'an empty name of a file'],
  ['BAD_NETMASK', /netmask/, 'a netmask that the kernel refuses'],
  ['LINK_LOCAL_REAL', /kernel refuses/, 'an address that the kernel refuses'],
  ['NOT_UNICAST', /address/, 'an address that nobody can have'],
  ['OUT_OF_RANGE', /the most is/, 'a number beyond what the kernel takes'],
  ['BAD_REAL', /no real server at all/, 'ldirectord reads no server at all from a range with two ports'],
  ['BAD_REAL', /no real server: expected/, 'ldirectord guesses an address'],
  ['BAD_REAL', /a weight is at most/, 'a weight that ipvsadm refuses'],
  ['BAD_FORWARDING', /fallback|gate/, 'ldirectord guesses'],
  ['BAD_RANGE', /one IPv4 address to another|needs a number/, 'a range between a name and an address'],
  ['BAD_RANGE', /more than 65536/, 'more servers than anybody has'],
  ['BAD_RANGE', /ends before/, 'a range that ends before it begins'],
  [
    'CHECK_OPTIONS',
    /^(dns|http|https|http_proxy|sip|oracle|ldap|ldaps|mysql|pgsql|radius|imap|imaps|pop|pops|ftp)[: ]/,
    'a check that no server passes, with ldirectord either',
  ],
  ['MISSING_KEY', /^dns needs/, 'a check that no server passes, with ldirectord either'],
  ['CHECK_NEEDS_PORT', /port/, 'a check without a port, whose servers are always down with ldirectord'],
  ['UNKNOWN_SCHEDULER', /scheduler/, 'a scheduler that the kernel does not have'],
  ['PORT_ZERO', /port 0/, 'a service that the kernel refuses'],
  ['EMPTY', /empty|comments/, 'an empty file is more likely an accident than a wish'],
  ['NOT_UTF8', /UTF-8/, 'the file is not UTF-8'],
]

/** Allowed differences of a fact, with the problem code that must be reported in the section or the global part. */
const DIFFERENCES: readonly [code: string, facts: RegExp, reason: string][] = [
  ['FALLBACK_FWMARK', /^fallback$/, 'the global fallback works for firewall marks'],
  ['PORT_MAPPED', /^(fallback|port)$/, 'direct routing has the port of the virtual, as in the kernel'],
  ['DNS_QUESTION', /^(request|receive)$/, 'a question where ldirectord asks nothing and has the server down'],
  ['PROXY_REQUEST', /^request$/, 'a proxy is asked for a page where ldirectord has the server down'],
  ['DOUBLE_COLON', /./, 'two colons are one'],
  ['THRESHOLD_QUOTES', /^(lower|upper|request|receive|kind)$/, 'thresholds count as the man page has them'],
  ['THRESHOLD_ORDER', /^(lower|upper)$/, 'thresholds count in either order'],
  ['LOWER_THRESHOLD', /^lower$/, 'the kernel refuses a lower threshold without an upper one'],
  ['RANGE', /^(address|target|request|reals)$/, 'a range counts in numbers, and names stay names'],
  [
    'ODD_ADDRESS',
    /^(flags|address|target|reals|fallback|request)$/,
    'an address or a name that ldirectord cannot read',
  ],
  ['NO_PERSISTENCE', /^flags$/, 'ipvsadm refuses a persistence of 0'],
  [
    'ODD_NUMBER',
    /^(kind|timeout|request|receive|target|virtualhost|httpmethod)$/,
    'a port with a zero before it is that port',
  ],
  ['PAIR', /^(target|request)$/, 'a URL that names no server'],
  ['IGNORED_TEXT', /^(smtp)$/, 'the port of a mail server'],
  ['CONNECTS', /^(kind|timeout|target)$/, 'connects between checks of nothing are the check'],
  ['INCOMPLETE', /^target$/, 'a check goes to the port of the virtual where ldirectord has none'],
  ['REPEATED', /^(login|passwd)$/, 'a login that the first of two services makes up is not for the second'],
  [
    'CARRIAGE_RETURNS',
    /^(from|mail|maintenancedir|fallbackcommand|virtualhost)$/,
    'the CR is no part of a value',
  ],
  ['NEEDLESS_QUOTES', /^maintenancedir$/, 'quotes are no part of a path'],
  ['TRAILING_COMMENT', /^(from|mail|maintenancedir|fallbackcommand)$/, 'a comment is no part of a value'],
  ['TRAILING_BLANKS', /^(virtualhost|checkcommand|maintenancedir)$/, 'blanks at the end belong to no name'],
  ['BAD_MAIL_ADDRESS', /^(mail|from|during|repeat|smtp)$/, 'what is no mail address gets no mail'],
]

/** Codes that are reported for the whole file, or at a different line that defines a name. */
const WHOLE_FILE: ReadonlySet<string> = new Set([
  'CARRIAGE_RETURNS',
  'BYTE_ORDER_MARK',
  'PORT_NAME',
  'INDENT',
])

/** Returns a predicate for the lines of the nth virtual and of the global part, which may be in several places. */
function linesAbout(text: string, index: number): (line: number) => boolean {
  const lines = text.split('\n')
  const heads = lines.flatMap((line, i) => (/^\s*virtual6?\s*=/.test(line) ? [i + 1] : []))
  const [from = 0, to = Number.POSITIVE_INFINITY] = heads.slice(index)
  const first = heads[0] ?? 0
  return line =>
    (line >= from && line < to) ||
    line < first ||
    (/^[a-z]/.test(lines[line - 1] ?? '') && !heads.includes(line))
}

/** Returns why lvsd's value is better than ldirectord's; null if it is not, or if no problem was reported. */
function reasonFor({ where, what, theirs, ours, index }: Fact, { text, problems }: Loaded): string | null {
  const isNear = linesAbout(text, index)
  const told = new Set(problems.filter(({ at }) => isNear(at.line)).map(({ code }) => code))
  if (/[^\x20-\x7e]/.test(theirs) && Buffer.from(theirs, 'latin1').toString() === ours)
    return 'text is UTF-8, not bytes'
  if (/^\w+:\[:/.test(where) && told.has('ODD_ADDRESS'))
    return 'ldirectord cannot read IPv4 addresses in the form of IPv6'
  return DIFFERENCES.find(([code, facts]) => told.has(code) && facts.test(what))?.[2] ?? null
}

/** Returns why lvsd may accept a file that ldirectord refuses: lvsd reports a problem at the same line. Else null. */
function reasonForAccepting({ problems, config }: Loaded, messages: readonly string[]): string | null {
  const error = messages.at(-1) ?? ''
  const line = Number(/^Error at line (\d+)/.exec(error)?.[1])
  const warnings = problems.filter(({ severity, code }) => severity === 'warning' && isOnSpelling(code))
  const isTold = (problem: Problem) =>
    problem.at.line === line || WHOLE_FILE.has(problem.code) || problem.code === 'SECTION_INTERRUPTED'
  if (warnings.some(isTold)) return 'accepted with a warning that names the line'
  if (
    /could not resolve|invalid address for virtual service/.test(error) &&
    problems.some(({ code, at }) => code === 'NAME' && at.line === line)
  )
    return 'names are resolved while lvsd runs'
  if (/monitorfile/.test(error) && config?.services.some(({ monitorfile }) => monitorfile !== null))
    return 'a monitorfile that cannot be written is told in the log and stops nothing'
  return null
}

/** True for codes about the spelling of a line. */
function isOnSpelling(code: string): boolean {
  return ![
    'TIMEOUT_OVER_INTERVAL',
    'NO_REALS',
    'MAIL_TO_NOBODY',
    'IMPLIED_NONE',
    'REPEATED',
    'DEPRECATED',
    'COMMAND_ONLY',
    'UNUSED',
  ].includes(code)
}

/** Counts one file in the tally. `loaded` is the result of lvsd. */
export function weigh(name: string, { rc, messages, model }: Verdict, loaded: Loaded, tally: Tally): void {
  if (rc === 0 && model) weighModel(name, model, loaded, tally)
  else if (!loaded.config) tally.equal++
  else
    count(name, reasonForAccepting(loaded, messages), tally, `accepted without a word: ${messages.join(' ')}`)
}

function weighModel(name: string, model: Model, loaded: Loaded, tally: Tally): void {
  if (!loaded.config) {
    const errors = loaded.problems.filter(({ severity }) => severity === 'error')
    // At least one error of each line must be intended.
    const lines = [...new Set(errors.map(({ at }) => at.line))]
    const reasons = lines.map(line => reasonForRefusing(errors.filter(({ at }) => at.line === line)))
    count(name, reasons.includes(null) ? null : `refused: ${reasons[0]}`, tally, JSON.stringify(errors))
    return
  }
  for (const fact of compare(model, loaded.config)) {
    if (fact.theirs === fact.ours) tally.equal++
    else count(name, reasonFor(fact, loaded), tally, JSON.stringify(fact))
  }
}

function reasonForRefusing(errors: readonly Problem[]): string | null {
  const isThere = (code: string, words: RegExp) =>
    errors.some(error => error.code === code && words.test(error.message))
  return REFUSED_ON_PURPOSE.find(([code, words]) => isThere(code, words))?.[2] ?? null
}

function count(name: string, reason: string | null, tally: Tally, detail: string): void {
  if (reason === null) tally.different.push(`${name}: ${detail}`)
  else tally.better.set(reason, (tally.better.get(reason) ?? 0) + 1)
}

export function tableOf({ equal, better, different }: Tally): string {
  const rows = [...better].map(([reason, times]) => `    better    ${String(times).padStart(5)}  ${reason}`)
  return [
    `    equal     ${String(equal).padStart(5)}`,
    ...rows.sort(),
    `    different ${String(different.length).padStart(5)}`,
  ].join('\n')
}
