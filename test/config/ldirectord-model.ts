/** Compares a Config with the model that the real ldirectord makes of the same file. */
import { parseAddress } from '../../src/address.js'
import type { CheckUse, Config, Real, Service } from '../../src/model.js'

/** What ldirectord's parser holds after reading a file, as dumped from the running program. */
export interface Model {
  readonly global: Readonly<Record<string, unknown>>
  readonly virtual: readonly VirtualModel[]
  readonly faked_names?: Readonly<Record<string, string>>
}

export interface VirtualModel extends Readonly<Record<string, unknown>> {
  readonly _id: string
  readonly flags: string
  readonly service: string
  readonly checktype: string
  readonly real: readonly RealModel[]
}

interface RealModel extends Readonly<Record<string, unknown>> {
  readonly server: string
  readonly port: number | string
  readonly forward: string
  readonly weight: number | string
  readonly url: string
}

/** One fact, in ldirectord's words and as lvsd has it. */
export interface Fact {
  readonly where: string
  readonly what: string
  readonly theirs: string
  readonly ours: string
}

/** Every fact of the model beside ours; ours is '-' where it is missing. */
export function compare(model: Model, config: Config): readonly Fact[] {
  const names = new Map(Object.entries(model.faked_names ?? {}))
  const facts: Fact[] = [
    {
      where: '',
      what: 'services',
      theirs: String(model.virtual.length),
      ours: String(config.services.length),
    },
  ]
  for (const [i, virtual] of model.virtual.entries()) {
    const service = config.services[i]
    const ours = service ? ourService(service, names) : {}
    const theirs = theirService(virtual, model.global)
    for (const [what, value] of Object.entries(theirs))
      facts.push({ where: virtual._id, what, theirs: value, ours: ours[what] ?? '-' })
    facts.push(...compareReals(virtual, service, names))
  }
  return facts
}

type Facts = Readonly<Record<string, string>>

// ---------------------------------------------------------------- services

function theirService(virtual: VirtualModel, global: Model['global']): Facts {
  const interval =
    global.fork === 'yes' ? (virtual.checkinterval ?? global.checkinterval) : global.checkinterval
  return {
    flags: normalFlags(virtual.flags),
    quiescent: text(virtual.quiescent ?? global.quiescent),
    cleanstop: text(virtual.cleanstop ?? global.cleanstop),
    fallback: theirFallback(virtual._effective_fallback as Readonly<Record<string, unknown>> | null),
    interval: text(interval),
    failurecount: text(virtual.failurecount),
  }
}

function ourService(service: Service, names: ReadonlyMap<string, string>): Facts {
  const { quiescent, cleanstop, fallback } = service
  const use = service.reals[0]?.checks[0]
  return {
    flags: ourFlags(service, names),
    quiescent: quiescent ? 'yes' : 'no',
    cleanstop: cleanstop ? 'yes' : 'no',
    fallback: fallback
      ? `${literal(fallback.host, names)}:${fallback.port} ${fallback.attributes.forwarding} ${fallback.attributes.weight}`
      : 'none',
    ...(use ? { interval: text(use.policy.interval / 1000), failurecount: text(use.policy.fall) } : {}),
  }
}

function theirFallback(fallback: Readonly<Record<string, unknown>> | null): string {
  if (!fallback) return 'none'
  const { server, port, forward, weight } = fallback
  return `${bare(text(server))}:${port} ${forward} ${weight}`
}

/** The arguments for ipvsadm, with the prefix length in place of the mask, and only where it is not all bits. */
function normalFlags(flags: string): string {
  const six = flags.includes('[')
  return flags
    .trim()
    .replace(/ -M (\S+)/, (_, mask: string) => {
      const prefix = mask.includes('.') ? prefixOf(mask) : Number(mask)
      return prefix === (six ? 128 : 32) ? '' : ` -M ${prefix}`
    })
    .replace(/ -6(?= )/, '')
    .replace(/-b (\S+)/, (_, words: string) => `-b ${words.split(',').map(bitOf).sort().join(',')}`)
}

function prefixOf(mask: string): number {
  return mask.split('.').reduce((sum, part) => sum + Number(part).toString(2).replaceAll('0', '').length, 0)
}

function bitOf(word: string): string {
  return word.endsWith('-fallback') ? 'flag-1' : word.endsWith('-port') ? 'flag-2' : word
}

function ourFlags({ id, unresolved, host, attributes }: Service, names: ReadonlyMap<string, string>): string {
  const { scheduler, schedulerFlags, persistence, onePacket } = attributes
  const udp = (id?.kind === 'address' ? id.protocol : unresolved?.protocol) === 'udp'
  const port = id?.kind === 'address' ? id.port : unresolved?.port
  const where =
    id?.kind === 'fwmark'
      ? `-f ${id.fwmark}`
      : `${udp ? '-u' : '-t'} ${bracketed(literal(host, names))}:${port}`
  const all =
    id?.kind === 'address' && id.address.family === 'ipv6'
      ? 128
      : id?.kind === 'fwmark' && id.family === 'ipv6'
        ? 128
        : 32
  const persistent = persistence
    ? ` -p ${persistence.timeout}${persistence.prefix === all ? '' : ` -M ${persistence.prefix}`}`
    : ''
  const flags = schedulerFlags.length > 0 ? ` -b ${schedulerFlags.join(',')}` : ''
  return `${where}${onePacket ? ' -o' : ''} -s ${scheduler}${persistent}${flags}`
}

// ---------------------------------------------------------------- real servers

function compareReals(
  virtual: VirtualModel,
  service: Service | undefined,
  names: ReadonlyMap<string, string>,
): Fact[] {
  const ours = service?.reals ?? []
  const count = {
    where: virtual._id,
    what: 'reals',
    theirs: String(virtual.real.length),
    ours: String(ours.length),
  }
  const facts = virtual.real.flatMap((real, i) => {
    const our = ours[i]
    const mine = our ? ourReal(our, names) : {}
    const where = `${virtual._id} ${real.server}`
    return Object.entries(theirReal(real, virtual)).map(([what, value]) => ({
      where,
      what,
      theirs: value,
      // A check without such an option asks for nothing, either.
      ours: mine[what] ?? (value === '' ? '' : '-'),
    }))
  })
  return [count, ...facts]
}

function theirReal(real: RealModel, virtual: VirtualModel): Facts {
  const attributes = {
    address: bare(real.server),
    port: text(real.port),
    forward: real.forward,
    weight: text(Number(real.weight)),
    lower: text(real['l-threshold'] ?? 0),
    upper: text(real['u-threshold'] ?? 0),
  }
  return { ...attributes, ...theirCheck(real, virtual) }
}

/** Kinds whose time limit is checktimeout. */
const BY_CHECK_TIMEOUT = ['connect', 'ping', 'external', 'external-perl', 'ldap', 'ldaps', 'radius']

function theirCheck(real: RealModel, virtual: VirtualModel): Facts {
  const { checktype, service } = virtual
  const isNegotiate = checktype === 'negotiate' || checktype === 'combined'
  const kind = isNegotiate
    ? service === 'simpletcp' && virtual.protocol === 'udp'
      ? 'udp'
      : service
    : checktype === 'connect' && virtual.protocol === 'udp'
      ? 'ping'
      : checktype
  const timeout = BY_CHECK_TIMEOUT.includes(kind) ? virtual.checktimeout : virtual.negotiatetimeout
  const facts = {
    kind,
    timeout: text(kind === 'ping' ? Number(timeout) * Number(virtual.checkcount) : timeout),
  }
  if (kind === 'none' || kind === 'on' || kind === 'off') return { kind }
  if (kind === 'external') return { ...facts, checkcommand: text(virtual.checkcommand) }
  if (kind === 'ping') return { ...facts, count: text(virtual.checkcount) }
  const [, host = '', port = '', path = ''] =
    /^\w+:\/\/(\[[^\]]*\]|[^:/]*):?(\d*)(\/?.*)$/s.exec(real.url) ?? []
  if (kind === 'connect') return { ...facts, target: `${bare(host)}:${port}` }
  // A proxy is asked for the whole URL, and the URL does not say which proxy.
  const isProxy = kind === 'http_proxy'
  const isPath = kind === 'http' || kind === 'https' || kind === 'ftp'
  return {
    ...facts,
    ...(isProxy ? {} : { target: `${bare(host)}:${port}` }),
    request: isProxy ? real.url : isPath ? path : path.replace(/^\//, ''),
    receive: text(real.receive),
    ...(kind === 'http' || kind === 'https'
      ? { virtualhost: text(virtual.virtualhost ?? ''), httpmethod: text(virtual.httpmethod) }
      : {}),
  }
}

function ourReal(real: Real, names: ReadonlyMap<string, string>): Facts {
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
  { kind, options, policy, port, address }: CheckUse,
  real: Real,
  names: ReadonlyMap<string, string>,
): Facts {
  const used = port ?? (real.port > 0 ? real.port : (DEFAULT_PORTS[kind] ?? ''))
  const plain = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, text(value ?? '')]))
  return {
    ...plain,
    kind,
    timeout: text(policy.timeout / 1000),
    target: `${address?.text ?? literal(real.host, names)}:${used}`,
  }
}

// ---------------------------------------------------------------- words

function literal(host: string, names: ReadonlyMap<string, string>): string {
  return names.get(host) ?? host
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function bare(host: string): string {
  return parseAddress(host)?.text ?? host
}

function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}
