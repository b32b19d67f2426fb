/** Reports notes on checks: those that prove more than ldirectord's, ask for something else, or lack something. */

import type { Report } from '../problems/report.js'
import { type NoteName, rowOf } from './kinds.js'
import type { Virtual } from './virtual.js'

/** URL that every proxy accepts, used if the virtual has none. */
export const PROXY_URL = 'http://localhost/'

/** True if the request names the page that a proxy has to fetch. */
export function isProxyUrl(request: string): boolean {
  return /^\/*http:\/\/[^/]/.test(request)
}

/** Reports the notes on the check of this virtual. */
export function reportKind(virtual: Virtual): void {
  for (const note of rowOf(virtual.kind).notes ?? []) REPORTERS[note](virtual, virtual.report)
}

type Reporter = (virtual: Virtual, report: Report) => void

const REPORTERS: Readonly<Record<NoteName, Reporter>> = {
  arguments: reportArguments,
  command: reportCommand,
  driver: reportDriver,
  'fixed port': reportFixedPort,
  greeting: reportGreeting,
  'greeting and login': reportGreetingAndLogin,
  implied: reportImplied,
  'in place of a connect': reportPing,
  'login and request': reportLoginAndRequest,
  'no STARTTLS': reportNoStartTls,
  'out of the table': reportOutOfTable,
  question: reportQuestion,
  redirects: reportRedirects,
  script: reportScript,
  'shared secret': reportSharedSecret,
  unverified: reportUnverified,
  'whole URL': reportWholeUrl,
}

function reportUnverified({ checkAt }: Virtual, report: Report): void {
  report.note(
    'TLS_UNVERIFIED',
    checkAt,
    'the certificate is not verified, as with older ldirectord; verify: true does',
  )
}

function reportOutOfTable({ checkAt }: Virtual, report: Report): void {
  report.warn(
    'OFF',
    checkAt,
    'the servers are down, and leave the table if they are in it; ldirectord only adds none, and keeps those with a weight that it finds there: checktype = on does that',
  )
}

/** Port that ldirectord always checks with TLS, whatever the service is. */
const IMAP_TLS_PORT = 993

function reportFixedPort({ kind, own, port, at }: Virtual, report: Report): void {
  const usual = port === IMAP_TLS_PORT ? IMAP_TLS_PORT : rowOf(kind).port
  const asked = own.checkport?.value ?? port
  if (asked !== 0 && asked !== usual)
    report.note(
      'IMAP_PORT',
      own.checkport?.at ?? at,
      `the port that is configured is asked; ldirectord asks port ${usual} of every IPv4 server`,
    )
}

function reportGreeting({ own, checkAt }: Virtual, report: Report): void {
  if (!own.login)
    report.note(
      'PROOF',
      checkAt,
      'the server must greet; without a login ldirectord has it up even where the connection is refused',
    )
}

function reportGreetingAndLogin({ own, checkAt }: Virtual, report: Report): void {
  if (!own.receive)
    report.note(
      'PROOF',
      checkAt,
      'the server must greet, and take the login where one is written; without receive ldirectord has it up even where the connection is refused',
    )
}

function reportNoStartTls({ checkAt }: Virtual, report: Report): void {
  report.note(
    'NO_STARTTLS',
    checkAt,
    'the server is greeted and no more, as ldirectord does; starttls: true asks for TLS, and login and passwd log in',
  )
}

function reportWholeUrl({ own: { request }, checkAt }: Virtual, report: Report): void {
  if (!request || !isProxyUrl(request.value))
    report.warn(
      'PROXY_REQUEST',
      request?.at ?? checkAt,
      `no request says which page the proxy is to fetch, http://…: ${PROXY_URL} is asked for; with ldirectord such servers are always down`,
    )
}

function reportRedirects({ checkAt }: Virtual, report: Report): void {
  report.note(
    'REDIRECTS',
    checkAt,
    'redirects are followed, to other hosts too, as ldirectord does; redirects: 0 judges them by their status',
  )
}

function reportQuestion({ own, checkAt }: Virtual, report: Report): void {
  if (!own.request)
    report.warn(
      'DNS_QUESTION',
      checkAt,
      'no request says what to ask: the name servers of the root; with ldirectord such servers are always down',
    )
  else if (!own.receive)
    report.note(
      'DNS_QUESTION',
      checkAt,
      'any answer of the requested type is accepted; with ldirectord the servers are always down without receive',
    )
}

function reportPing({ kind, own, checkAt }: Virtual, report: Report): void {
  if (own.checktype?.value !== kind)
    report.note('PING', checkAt, 'a connect check of a udp service is a ping, as with ldirectord')
}

function reportImplied({ own, protocol, checkAt }: Virtual, report: Report): void {
  if (!own.service)
    report.warn(
      'IMPLIED_NONE',
      checkAt,
      `no service is named, and ${protocol === 'fwm' ? 'a firewall mark' : 'the port'} implies none: the servers are not checked and count as up, as with ldirectord`,
    )
}

function reportLoginAndRequest({ own, checkAt }: Virtual, report: Report): void {
  const missing = [own.login ? [] : 'login', own.request ? [] : 'request'].flat()
  if (missing.length > 0)
    report.warn(
      'INCOMPLETE',
      checkAt,
      `no ${missing.join(' and no ')}: ${own.request ? '' : 'where a real server has none of its own, logging in is enough; '}${own.login ? '' : 'the user lvsd logs in; '}with ldirectord such servers are always down`,
    )
}

function reportDriver({ checkAt }: Virtual, report: Report): void {
  report.note(
    'DRIVER',
    checkAt,
    "the package oracledb must be installed beside lvsd; without it nothing is said of the servers' health",
  )
}

function reportSharedSecret({ own, checkAt }: Virtual, report: Report): void {
  if (!own.secret)
    report.warn(
      'INCOMPLETE',
      checkAt,
      'no secret: no server answers without it, and the servers are down, as with ldirectord',
    )
  else if (!own.login)
    report.note(
      'INCOMPLETE',
      checkAt,
      'without a login the server is asked for its status; with ldirectord such servers are always down',
    )
}

function reportScript({ own, checkAt }: Virtual, report: Report): void {
  report.note(
    'PERL',
    own.checkcommand?.at ?? checkAt,
    'the script runs in a process of perl, read anew each time; inside ldirectord it is read once and could call functions of ldirectord',
  )
  if (!own.checkcommand)
    report.warn(
      'INCOMPLETE',
      checkAt,
      'no checkcommand names a script: the servers are down, as with ldirectord',
    )
}

function reportCommand({ own: { checkcommand } }: Virtual, report: Report): void {
  if (checkcommand)
    report.note(
      'EXTERNAL',
      checkcommand.at,
      'the command gets PATH, LC_ALL and LVSD_* as its environment; ldirectord passes all of its own (after an import, environment: [NAME] passes more). A command that cannot be run says nothing about its servers; with ldirectord they are down',
    )
}

function reportArguments({ own: { checkcommand } }: Virtual, report: Report): void {
  if (checkcommand && /\s/.test(checkcommand.value))
    report.warn(
      'COMMAND_ARGUMENTS',
      checkcommand.at,
      'the whole value is the name of the file, as with ldirectord; arguments belong into the script, or after import under arguments',
    )
}
