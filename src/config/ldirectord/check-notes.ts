/** What is told of checks: those that prove more than ldirectord's, ask for something else, or lack something. */
import type { Position } from '../problems/problem.js'
import type { VirtualFacts } from './effective-value.js'
import { type NoteName, rowOf } from './kinds.js'
import type { Report } from './report.js'

/** A URL that every proxy can read, where ldirectord has none. */
export const PROXY_URL = 'http://localhost/'

/** Whether a request names what a proxy is to fetch. */
export function isProxyUrl(request: string): boolean {
  return /^\/*http:\/\/[^/]/.test(request)
}

/** What there is to say of a check of this kind. */
export function tellKind(kind: string, facts: VirtualFacts, report: Report): void {
  const { own, at } = facts
  const where = own.checktype?.at ?? own.service?.at ?? at
  for (const note of rowOf(kind).notes ?? []) TELLERS[note]({ ...facts, kind, where }, report)
}

interface Check extends VirtualFacts {
  readonly kind: string
  /** Where the check is chosen. */
  readonly where: Position
}

type Teller = (check: Check, report: Report) => void

const TELLERS: Readonly<Record<NoteName, Teller>> = {
  arguments: tellArguments,
  command: tellCommand,
  driver: tellDriver,
  'fixed port': tellFixedPort,
  greeting: tellGreeting,
  'greeting and login': tellGreetingAndLogin,
  implied: tellImplied,
  'in place of a connect': tellPing,
  'login and request': tellLoginAndRequest,
  'no STARTTLS': tellNoStartTls,
  'out of the table': tellOutOfTable,
  question: tellQuestion,
  redirects: tellRedirects,
  script: tellScript,
  'shared secret': tellSharedSecret,
  unverified: tellUnverified,
  'whole URL': tellWholeUrl,
}

function tellUnverified({ where }: Check, report: Report): void {
  report.note(
    'TLS_UNVERIFIED',
    where,
    'the certificate is not verified, as with older ldirectord; verify: true does',
  )
}

function tellOutOfTable({ where }: Check, report: Report): void {
  report.warn(
    'OFF',
    where,
    'the servers are down, and leave the table if they are in it; ldirectord only adds none, and keeps those with a weight that it finds there: checktype = on does that',
  )
}

/** Whatever service is written for this port, ldirectord takes it for one over TLS. */
const IMAP_TLS_PORT = 993

function tellFixedPort({ kind, own, port, at }: Check, report: Report): void {
  const usual = port === IMAP_TLS_PORT ? IMAP_TLS_PORT : rowOf(kind).port
  const asked = own.checkport?.value ?? port
  if (asked !== 0 && asked !== usual)
    report.note(
      'IMAP_PORT',
      own.checkport?.at ?? at,
      `the port that is configured is asked; ldirectord asks port ${usual} of every IPv4 server`,
    )
}

function tellGreeting({ own, where }: Check, report: Report): void {
  if (!own.login)
    report.note(
      'PROOF',
      where,
      'the server must greet; without a login ldirectord has it up even where the connection is refused',
    )
}

function tellGreetingAndLogin({ own, where }: Check, report: Report): void {
  if (!own.receive)
    report.note(
      'PROOF',
      where,
      'the server must greet, and take the login where one is written; without receive ldirectord has it up even where the connection is refused',
    )
}

function tellNoStartTls({ where }: Check, report: Report): void {
  report.note(
    'NO_STARTTLS',
    where,
    'the server is greeted and no more, as ldirectord does; starttls: true asks for TLS, and login and passwd log in',
  )
}

function tellWholeUrl({ own: { request }, where }: Check, report: Report): void {
  if (!request || !isProxyUrl(request.value))
    report.warn(
      'PROXY_REQUEST',
      request?.at ?? where,
      `no request says which page the proxy is to fetch, http://…: ${PROXY_URL} is asked for; with ldirectord such servers are always down`,
    )
}

function tellRedirects({ where }: Check, report: Report): void {
  report.note(
    'REDIRECTS',
    where,
    'redirects are followed, to other hosts too, as ldirectord does; redirects: 0 judges them by their status',
  )
}

function tellQuestion({ own, where }: Check, report: Report): void {
  if (!own.request)
    report.warn(
      'DNS_QUESTION',
      where,
      'no request says what to ask: the name servers of the root; with ldirectord such servers are always down',
    )
  else if (!own.receive)
    report.note(
      'DNS_QUESTION',
      where,
      'any answer of the type asked for will do; without receive ldirectord has the servers down for ever',
    )
}

function tellPing({ kind, own, where }: Check, report: Report): void {
  if (own.checktype?.value !== kind)
    report.note('PING', where, 'a connect check of a udp service is a ping, as with ldirectord')
}

function tellImplied({ own, protocol, where }: Check, report: Report): void {
  if (!own.service)
    report.warn(
      'IMPLIED_NONE',
      where,
      `no service is named, and ${protocol === 'fwm' ? 'a firewall mark' : 'the port'} implies none: the servers are not checked and count as up, as with ldirectord`,
    )
}

function tellLoginAndRequest({ own, where }: Check, report: Report): void {
  const missing = [own.login ? [] : 'login', own.request ? [] : 'request'].flat()
  if (missing.length > 0)
    report.warn(
      'INCOMPLETE',
      where,
      `no ${missing.join(' and no ')}: ${own.request ? '' : 'where a real server has none of its own, logging in is enough; '}${own.login ? '' : 'the user lvsd logs in; '}with ldirectord such servers are always down`,
    )
}

function tellDriver({ where }: Check, report: Report): void {
  report.note(
    'DRIVER',
    where,
    "the package oracledb must be installed beside lvsd; without it nothing is said of the servers' health",
  )
}

function tellSharedSecret({ own, where }: Check, report: Report): void {
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

function tellScript({ own, where }: Check, report: Report): void {
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

function tellCommand({ own: { checkcommand } }: Check, report: Report): void {
  if (checkcommand)
    report.note(
      'EXTERNAL',
      checkcommand.at,
      'the command gets PATH, LC_ALL and LVSD_* as its environment; ldirectord passes all of its own (after an import, environment: [NAME] passes more). A command that cannot be run says nothing about its servers; with ldirectord they are down',
    )
}

function tellArguments({ own: { checkcommand } }: Check, report: Report): void {
  if (checkcommand && /\s/.test(checkcommand.value))
    report.warn(
      'COMMAND_ARGUMENTS',
      checkcommand.at,
      'the whole value is the name of the file, as with ldirectord; arguments belong into the script, or after import under arguments',
    )
}
