/** Compares the real servers of a virtual and their checks: ldirectord's and lvsd's. */

import { portOfService, type ServiceName } from '../../../src/config/ldirectord/kinds.js'
import { perlPattern } from '../../../src/config/ldirectord/perl-pattern.js'
import type { CheckUse, Real, Service } from '../../../src/core/model.js'
import type { RealModel, VirtualModel } from './ldirectord-model.js'
import { bare, type Fact, type Facts, factsOf, literal, type Names, text } from './ldirectord-words.js'

export function compareReals(virtual: VirtualModel, index: number, service: Service, names: Names): Fact[] {
  const theirs = distinctReals(virtual)
  const count = { reals: text(theirs.length) }
  return [
    ...factsOf(virtual._id, index, count, { reals: text(service.reals.length) }),
    ...theirs.flatMap((real, i) => {
      const our = service.reals[i]
      const mine = our ? ourReal(our, names) : {}
      const facts = factsOf(`${virtual._id} ${real.server}`, index, theirReal(real, virtual), mine)
      // A check without the option is equal to one with an empty value.
      return facts.map(fact => (fact.theirs === '' && fact.ours === '-' ? { ...fact, ours: '' } : fact))
    }),
  ]
}

/** The kernel has a real server only once, and the last line for it applies. lvsd reports the other lines. */
function distinctReals(virtual: VirtualModel): readonly RealModel[] {
  const byKey = new Map(virtual.real.map(real => [`${real.server} ${portInTable(real, virtual)}`, real]))
  return [...byKey.values()]
}

/** With gate and ipip the kernel uses the port of the virtual, whatever is written. lvsd reports a different one. */
function portInTable({ forward, port }: RealModel, virtual: VirtualModel): string {
  return text(Number(virtual.protocol === 'fwm' || forward === 'masq' ? port : virtual.port))
}

function theirReal(real: RealModel, virtual: VirtualModel): Facts {
  const attributes = {
    address: bare(real.server),
    port: portInTable(real, virtual),
    forward: real.forward,
    weight: text(Number(real.weight)),
    lower: text(Number(real['l-threshold'] ?? 0)),
    upper: text(Number(real['u-threshold'] ?? 0)),
  }
  return { ...attributes, ...theirCheck(real, virtual) }
}

// ---------------------------------------------------------------- ldirectord's checks

/** Kinds whose time limit is checktimeout. */
const BY_CHECK_TIMEOUT = ['connect', 'ping', 'external', 'external-perl', 'ldap', 'ldaps', 'radius']

function theirCheck(real: RealModel, virtual: VirtualModel): Facts {
  const kind = kindOf(virtual)
  const timeout = BY_CHECK_TIMEOUT.includes(kind) ? virtual.checktimeout : virtual.negotiatetimeout
  const facts = {
    kind,
    timeout: text(kind === 'ping' ? Number(timeout) * Number(virtual.checkcount) : Number(timeout)),
  }
  if (kind === 'none' || kind === 'on' || kind === 'off') return { kind }
  if (kind === 'external' || kind === 'external-perl')
    return { ...facts, checkcommand: text(virtual.checkcommand) }
  if (kind === 'ping') return { ...facts, count: text(Number(virtual.checkcount)) }
  const [, host = '', port = '', path = ''] = URL_PARTS.exec(real.url) ?? []
  const isHttp = kind === 'http' || kind === 'https'
  const usual = isHttp ? text(portOfService(kind)) : ''
  const target = `${bare(host)}:${port === '' ? usual : Number(port)}`
  if (kind === 'connect') return { ...facts, target: `${bare(real.server)}:${portToConnect(real, virtual)}` }
  return {
    ...facts,
    // The request to a proxy has the complete URL, which does not determine the proxy.
    ...(kind === 'http_proxy' ? {} : { target }),
    ...(isAsking(kind) ? { request: requestOf(kind, path, real.url) } : {}),
    ...(isReading(kind) ? { receive: receiveOf(kind, text(real.receive)) } : {}),
    ...(isHttp ? { virtualhost: text(virtual.virtualhost), httpmethod: text(virtual.httpmethod) } : {}),
    ...(virtual.checktype === 'combined' && isConnecting(kind, virtual)
      ? { connects: text(Number(virtual.num_connects)) }
      : {}),
    ...theirLogin(kind, virtual),
  }
}

function portToConnect({ port }: RealModel, { checkport, service }: VirtualModel): string {
  if (checkport !== undefined) return text(Number(checkport))
  return Number(port) > 0 ? text(Number(port)) : text(portOfService(service as ServiceName))
}

const URL_PARTS = /^\w+:\/\/(\[[^\]]*\]|[^:/]*):?(\d*)(\/?.*)$/s

function kindOf({ checktype, service, protocol }: VirtualModel): string {
  if (checktype === 'negotiate' || checktype === 'combined')
    return service === 'simpletcp' && protocol === 'udp' ? 'udp' : service
  return checktype === 'connect' && protocol === 'udp' ? 'ping' : checktype
}

/** False for UDP services, including radius: they have no connect check. */
function isConnecting(kind: string, { protocol }: VirtualModel): boolean {
  return protocol !== 'udp' && kind !== 'radius'
}

const ASKING = ['http', 'https', 'http_proxy', 'ftp', 'ldap', 'ldaps', 'dns', 'mysql', 'pgsql', 'oracle']

function isAsking(kind: string): boolean {
  return [...ASKING, 'simpletcp', 'udp'].includes(kind)
}

function isReading(kind: string): boolean {
  return isAsking(kind) && !['mysql', 'pgsql', 'oracle'].includes(kind)
}

function requestOf(kind: string, path: string, url: string): string {
  if (kind === 'http_proxy') return url
  const isPath = kind === 'http' || kind === 'https' || kind === 'ftp'
  if (isPath) return path === '' ? '/' : path
  // The only escape of ldirectord is \n.
  return kind === 'simpletcp' || kind === 'udp'
    ? path.replace(/^\//, '').replace(/\\(?!n)/g, '\\\\')
    : path.replace(/^\//, '')
}

function receiveOf(kind: string, receive: string): string {
  return kind === 'dns' && bare(receive).includes('.')
    ? receive
    : perlPattern(receive, { multiline: kind === 'simpletcp' })
}

const LOGGING_IN = ['pop', 'pops', 'imap', 'imaps', 'mysql', 'pgsql', 'oracle', 'radius', 'sip']

/** ldap needs login and password. Other kinds use the password only with a login. */
function theirLogin(kind: string, { login, passwd, database, secret }: VirtualModel): Facts {
  const isLdap = kind === 'ldap' || kind === 'ldaps'
  const isGiven = isLdap ? login !== '' && passwd !== '' : LOGGING_IN.includes(kind) && login !== ''
  return {
    ...(isGiven ? { login: text(login).replace('@testhost', '@HOST') } : {}),
    ...(isGiven && kind !== 'sip' ? { passwd: text(passwd) } : {}),
    ...(kind === 'mysql' || kind === 'pgsql' || kind === 'oracle' ? { database: text(database) } : {}),
    ...(kind === 'radius' && secret !== '' ? { secret: text(secret) } : {}),
  }
}

// ---------------------------------------------------------------- lvsd's

function ourReal(real: Real, names: Names): Facts {
  const { forwarding, weight, upper, lower } = real.attributes
  const use = real.checks[0]
  return {
    address: literal(real.host, names),
    port: text(real.port),
    forward: forwarding,
    weight: text(weight),
    upper: text(upper),
    lower: text(lower),
    ...(use ? ourCheck(use, real, names) : {}),
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, dns: 53 }

function ourCheck(
  { kind, options, policy, port, host, connects }: CheckUse,
  real: Real,
  names: Names,
): Facts {
  const used = port ?? (real.port > 0 ? real.port : (DEFAULT_PORTS[kind] ?? ''))
  const plain = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, text(value ?? '')]))
  return {
    ...plain,
    ...(plain.login ? { login: plain.login.replace(/^ldirectord@.*/, 'ldirectord@HOST') } : {}),
    kind,
    connects: text(connects ?? 0),
    timeout: text(policy.timeout / 1000),
    target: `${host ?? literal(real.host, names)}:${used}`,
  }
}
