/** Directories, databases, RADIUS and Perl scripts: their options where ldirectord's are others, and what is told of them. */
import type { VirtualFacts } from './effective-value.js'
import type { Report } from './report.js'
import { type Entry, entry } from './tree.js'
import type { CheckType } from './vocabulary.js'

const SQL: ReadonlySet<string> = new Set(['mysql', 'pgsql', 'oracle'])
const LDAP: ReadonlySet<string> = new Set(['ldap', 'ldaps'])

/** Stands for a secret that is missing; no server knows it, so its servers are down, as with ldirectord. */
const NO_SECRET = 'there is none'

/** The options of a kind that ldirectord's check of this kind does not look at in this virtual. */
export function ignoredOptions(kind: string, { own }: VirtualFacts): readonly string[] {
  if (SQL.has(kind)) return ['receive']
  // It binds as nobody unless it has both.
  return LDAP.has(kind) && !(own.login && own.passwd) ? ['login', 'passwd'] : []
}

/** What has to be written although no line of the file says it. */
export function impliedOptions(kind: string, { own, at }: VirtualFacts): Entry[] {
  if (kind === 'oracle') return [entry('sid', true, own.database?.at ?? at)]
  if (kind === 'radius' && !own.secret) return [entry('secret', NO_SECRET, own.service?.at ?? at)]
  return kind === 'external-perl' && !own.checkcommand ? [entry('checkcommand', '/bin/true', at)] : []
}

/** What there is to say of a check of these kinds. */
export function tellLibraryCheck(kind: string, { own, at }: VirtualFacts, report: Report): void {
  const where = own.checktype?.at ?? own.service?.at ?? at
  if (SQL.has(kind)) tellSql()
  if (kind === 'radius') tellRadius()
  if (kind === 'external-perl') tellPerl()
  if (kind === 'external' || kind === 'external-perl') tellCommand()

  function tellSql(): void {
    const missing = [own.login ? [] : 'login', own.request ? [] : 'request'].flat()
    if (missing.length > 0)
      report.warn(
        'INCOMPLETE',
        where,
        `no ${missing.join(' and no ')}: ${own.request ? '' : 'where a real server has none of its own, logging in is enough; '}${own.login ? '' : 'the user lvsd logs in; '}with ldirectord such servers are always down`,
      )
    if (kind === 'oracle')
      report.note(
        'DRIVER',
        where,
        "the package oracledb must be installed beside lvsd; without it nothing is said of the servers' health",
      )
  }

  function tellRadius(): void {
    if (!own.secret)
      report.warn(
        'INCOMPLETE',
        where,
        'no secret: no server answers without it, and the servers are down, as with ldirectord',
      )
    else if (!own.login)
      report.note(
        'INCOMPLETE',
        where,
        'without a login the server is asked for its status; with ldirectord such servers are always down',
      )
  }

  function tellCommand(): void {
    if (own.checkcommand)
      report.note(
        'EXTERNAL',
        own.checkcommand.at,
        'the command gets PATH, LC_ALL and LVSD_* as its environment; ldirectord passes all of its own (after an import, environment: [NAME] passes more). A command that cannot be run says nothing about its servers; with ldirectord they are down',
      )
  }

  function tellPerl(): void {
    report.note(
      'PERL',
      own.checkcommand?.at ?? where,
      'the script runs in a process of perl, read anew each time; inside ldirectord it is read once and could call functions of ldirectord',
    )
    if (!own.checkcommand)
      report.warn(
        'INCOMPLETE',
        where,
        'no checkcommand names a script: the servers are down, as with ldirectord',
      )
  }
}

/** Kinds for which a TCP connect stands between two runs, where checktype is a number. */
const CONNECTED: ReadonlySet<string> = new Set([
  'dns',
  'ftp',
  'http',
  'http_proxy',
  'https',
  'imap',
  'imaps',
  'ldap',
  'ldaps',
  'mysql',
  'nntp',
  'oracle',
  'pgsql',
  'pop',
  'pops',
  'simpletcp',
  'sip',
  'smtp',
  'submission',
])

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
  if (protocol !== 'udp' && CONNECTED.has(kind)) return Math.min(type.value, 1_000_000)
  if (kind === 'connect')
    report.note(
      'CONNECTS',
      type.at,
      'every check is a connect; with ldirectord each time after so many connects nothing is checked, and a server that is down comes up for a while',
    )
  else if (kind !== 'none')
    report.note(
      'CONNECTS',
      type.at,
      'the negotiate check runs every time: a connect to a udp service proves nothing, and with ldirectord always succeeds',
    )
  return 0
}
