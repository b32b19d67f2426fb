/** What is told of checks that prove more than ldirectord's, or ask for something else. */
import type { VirtualFacts } from './effective-value.js'
import type { Report } from './report.js'

/** A URL that every proxy can read, where ldirectord has none. */
export const PROXY_URL = 'http://localhost/'

/** Whether a request names what a proxy is to fetch. */
export function isProxyUrl(request: string): boolean {
  return /^\/*http:\/\/[^/]/.test(request)
}

/** Whether ldirectord's check of this kind never logs in, whatever login is written. */
export function isWithoutLogin(kind: string): boolean {
  return ['http', 'https', 'http_proxy', 'smtp', 'submission'].includes(kind)
}

type Teller = (facts: VirtualFacts, report: Report) => void

const TELLERS: Readonly<Record<string, readonly Teller[]>> = {
  https: [tellUnverified],
  ldaps: [tellUnverified],
  imaps: [tellUnverified, tellImapPort],
  imap: [tellImapPort],
  pop: [tellGreeting],
  pops: [tellUnverified, tellGreeting],
  ftp: [tellFtp],
  submission: [tellNoStartTls],
  http_proxy: [tellProxy],
  off: [tellOff],
}

/** What there is to say of a check of this kind. */
export function tellKind(kind: string, facts: VirtualFacts, report: Report): void {
  for (const tell of TELLERS[kind] ?? []) tell(facts, report)
}

function placeOf({ own, at }: VirtualFacts) {
  return own.checktype?.at ?? own.service?.at ?? at
}

function tellUnverified(facts: VirtualFacts, report: Report): void {
  report.note(
    'TLS_UNVERIFIED',
    placeOf(facts),
    'the certificate is not verified, as with older ldirectord; verify: true does',
  )
}

function tellOff(facts: VirtualFacts, report: Report): void {
  report.warn(
    'OFF',
    placeOf(facts),
    'the servers are down, and leave the table if they are in it; ldirectord only adds none, and keeps those with a weight that it finds there: checktype = on does that',
  )
}

function tellImapPort(facts: VirtualFacts, report: Report): void {
  const { own, port, at } = facts
  const usual = own.service?.value === 'imaps' || port === 993 ? 993 : 143
  const asked = own.checkport?.value ?? port
  if (asked !== 0 && asked !== usual)
    report.note(
      'IMAP_PORT',
      own.checkport?.at ?? at,
      `the port that is configured is asked; ldirectord asks port ${usual} of every IPv4 server`,
    )
}

function tellGreeting(facts: VirtualFacts, report: Report): void {
  if (!facts.own.login)
    report.note(
      'PROOF',
      placeOf(facts),
      'the server must greet; without a login ldirectord has it up even where the connection is refused',
    )
}

function tellFtp(facts: VirtualFacts, report: Report): void {
  if (!facts.own.receive)
    report.note(
      'PROOF',
      placeOf(facts),
      'the server must greet, and take the login where one is written; without receive ldirectord has it up even where the connection is refused',
    )
}

function tellNoStartTls(facts: VirtualFacts, report: Report): void {
  report.note(
    'NO_STARTTLS',
    placeOf(facts),
    'the server is greeted and no more, as ldirectord does; starttls: true asks for TLS, and login and passwd log in',
  )
}

function tellProxy(facts: VirtualFacts, report: Report): void {
  const { request } = facts.own
  if (!request || !isProxyUrl(request.value))
    report.warn(
      'PROXY_REQUEST',
      request?.at ?? placeOf(facts),
      `no request says which page the proxy is to fetch, http://…: ${PROXY_URL} is asked for; with ldirectord such servers are always down`,
    )
}
