/** One site, written in the language of each daemon. */

export interface Site {
  readonly services: readonly SiteService[]
  /** Seconds. */
  readonly interval: number
  /** Seconds. */
  readonly timeout: number
  /** Address of lvsd's API over TCP. */
  readonly listen?: string
  /** lvsd keeps idle connections to the servers. */
  readonly sentinels?: boolean
  /** What runs lvsd's probes. */
  readonly engine?: 'portable' | 'native'
  /** Absent: `http`. */
  readonly check?: SiteCheck
  /** How often lvsd reads the table back; absent: never in a benchmark. */
  readonly resync?: 'auto'
  /** Absent: TCP. Of lvsd alone. */
  readonly protocol?: 'udp'
}

/** Web servers with TLS or without, a command with one argument, or none: lvsd takes all servers to be up. */
export type SiteCheck =
  | { readonly kind: 'none' }
  | { readonly kind: 'http' | 'https' }
  | { readonly kind: 'external'; readonly command: string; readonly argument: string }

export interface SiteService {
  readonly address: string
  readonly reals: readonly SiteReal[]
  /** Seconds; absent: that of the site. Of lvsd and ldirectord. */
  readonly interval?: number
}

export interface SiteReal {
  readonly address: string
  readonly port: number
  readonly weight: number
}

/** The network of the real servers in a lab. */
export const REALS = 'fd00:1'

/** `count` real servers in equal services; with `ports` on ::1, else on addresses of their own. */
export function siteOf(
  count: number,
  { services = 1, interval = 1, timeout = 1, ports }: SiteOptions = {},
): Site {
  const size = Math.ceil(count / services)
  const reals = Array.from({ length: count }, (_, i) => ({
    address: ports ? '::1' : `${REALS}::${(i + 1).toString(16)}`,
    port: ports?.[i] ?? 80,
    weight: 1,
  }))
  return {
    interval,
    timeout,
    services: Array.from({ length: services }, (_, i) => ({
      address: `fd00:f::${(i + 1).toString(16)}`,
      reals: reals.slice(i * size, (i + 1) * size),
    })),
  }
}

export interface SiteOptions {
  readonly services?: number
  readonly interval?: number
  readonly timeout?: number
  readonly ports?: readonly number[]
}

/** The site with another weight for one real server. */
export function withWeight(site: Site, address: string, weight: number): Site {
  const services = site.services.map(service => ({
    ...service,
    reals: service.reals.map(real => (real.address === address ? { ...real, weight } : real)),
  }))
  return { ...site, services }
}

/** As keepalived and ldirectord are set below: the first failure takes a server out, the first success brings it back. */
export function lvsdConfig(site: Site): string {
  const { services, listen, engine, resync = '10m', protocol } = site
  return [
    'settings:',
    `  resync: ${resync}`,
    ...(engine === undefined ? [] : [`  engine: ${engine}`]),
    ...(listen === undefined ? [] : [`api: { listen: ['${listen}'] }`]),
    'defaults:',
    '  scheduler: rr',
    '  forwarding: masq',
    `  check: ${lvsdCheck(site)}`,
    'services:',
    ...services.flatMap((service, i) => [
      `  web${i + 1}:`,
      `    virtual: '[${service.address}]:80'`,
      ...(protocol === undefined ? [] : [`    protocol: ${protocol}`]),
      ...(service.interval === undefined
        ? []
        : [`    check: ${lvsdCheck({ ...site, interval: service.interval })}`]),
      '    reals:',
      ...service.reals.map(({ address, port, weight }) => `      - '[${address}]:${port} masq ${weight}'`),
    ]),
    '',
  ].join('\n')
}

function lvsdCheck({ check = HTTP, interval, timeout, sentinels = false }: Site): string {
  if (check.kind === 'none') return `{ kind: on, interval: ${interval}s }`
  const what =
    check.kind === 'external'
      ? `kind: external, checkcommand: ${check.command}, arguments: ['${check.argument}']`
      : `kind: ${check.kind}, receive: OK`
  const early = sentinels ? ', sentinel: true, early-timeout: true' : ''
  return `{ ${what}, interval: ${interval}s, timeout: ${timeout}s, fall: 1, rise: 1${early} }`
}

const HTTP: SiteCheck = { kind: 'http' }

export function keepalivedConfig(site: Site): string {
  const { services, interval } = site
  const check = keepalivedCheck(site)
  return ['global_defs {', '  script_user root', '}', '']
    .concat(
      services.flatMap(service => [
        `virtual_server ${service.address} 80 {`,
        `  delay_loop ${interval}`,
        '  lb_algo rr',
        '  lb_kind NAT',
        '  protocol TCP',
        ...service.reals.map(
          ({ address, port, weight }) =>
            `  real_server ${address} ${port} {\n    weight ${weight}\n    ${check}\n  }`,
        ),
        '}',
        '',
      ]),
    )
    .join('\n')
}

function keepalivedCheck({ check = HTTP, interval, timeout }: Site): string {
  if (check.kind === 'external')
    return `MISC_CHECK {
      misc_path "${check.command} ${check.argument}"
      misc_timeout ${timeout}
    }`
  return `${check.kind === 'https' ? 'SSL_GET' : 'HTTP_GET'} {
      url {
        path /
        status_code 200
        regex OK
      }
      connect_timeout ${timeout}
      retry 0
      delay_before_retry ${interval}
    }`
}

export function ldirectordConfig({ services, interval, timeout }: Site): string {
  return [
    `checkinterval=${interval}`,
    `checktimeout=${timeout}`,
    `negotiatetimeout=${timeout}`,
    'autoreload=no',
    'quiescent=no',
    ...services.flatMap(service => [
      '',
      `virtual6=[${service.address}]:80`,
      ...(service.interval === undefined ? [] : [`\tcheckinterval=${service.interval}`]),
      ...service.reals.map(({ address, port, weight }) => `\treal6=[${address}]:${port} masq ${weight}`),
      '\tservice=http',
      '\tscheduler=rr',
      '\tprotocol=tcp',
      '\tchecktype=negotiate',
      '\trequest="/"',
      '\treceive="OK"',
    ]),
    '',
  ].join('\n')
}
