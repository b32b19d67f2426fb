/** Services of negotiate checks. Each server is up, then answers wrong, then is up again. */
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import type { Difference, Scenario, Step } from '../scenario.js'
import { type Directives, type LittleServer, site } from '../site.js'

interface Case {
  readonly name: string
  /** Kind of the real server, and the port that is checked. */
  readonly server: LittleServer
  /** Port of the virtual, if it differs from the checked port. */
  readonly virtualPort?: number
  /** Text after the address of the real server; `masq 5` by default. */
  readonly real?: string
  readonly directives: Directives
  readonly protocol?: 'tcp' | 'udp'
  readonly families?: Scenario['families']
  /** ldirectord always considers the server down. */
  readonly alwaysDown?: Omit<Difference, 'table'>
  /** ldirectord always considers the server up. */
  readonly alwaysUp?: Omit<Difference, 'table'>
  /** Reason why ldirectord ends with this service. */
  readonly deadly?: string
  /** Behaviour of the failed server; wrong answers by default. */
  readonly failure?: 'down' | 'silent'
}

/** Makes ldirectord trust the certificate of the tests. */
export const trusted = { PERL_LWP_SSL_CA_FILE: join(packageRoot, 'test/support/localhost.crt') }

const VERIFIED = {
  because:
    'ldirectord of Debian 12 verifies certificates although it tries not to; lvsd does not, and says so',
}

const RADIUS = {
  server: 'radius 1812',
  protocol: 'udp',
  directives: {
    service: 'radius',
    protocol: 'udp',
    login: '"check"',
    passwd: '"secret"',
    secret: '"parity"',
  },
} as const

const CASES: readonly Case[] = [
  {
    name: 'http: receive',
    server: 'http 80',
    directives: {
      service: 'http',
      request: '"/health"',
      receive: '"all.is ok$|is o+k"',
      virtualhost: 'www.example',
    },
  },
  {
    name: 'http: HEAD',
    server: 'http 80',
    directives: { service: 'http', httpmethod: 'HEAD' },
    failure: 'silent',
  },
  { name: 'http: redirects', server: 'http 80', directives: { request: '"moved"', receive: '"is ok"' } },
  { name: 'https', server: 'https 443', directives: { receive: '"is ok"' } },
  {
    name: 'https: a certificate that nobody vouches for',
    server: 'https 443',
    directives: { receive: '"is ok"' },
    alwaysDown: VERIFIED,
  },
  {
    name: 'https: virtualhost, at another port',
    server: 'https 8443',
    directives: { service: 'https', virtualhost: 'localhost', receive: '"is ok"' },
  },
  {
    name: 'http: checkport, and a pair of the real server',
    server: 'http 8080',
    virtualPort: 80,
    real: 'gate 5 "health", "is ok"',
    directives: { service: 'http', checkport: '8080', receive: '"nobody says this"' },
  },
  {
    name: 'http_proxy',
    server: 'http 3128',
    directives: { request: '"http://www.example/"', receive: '"is ok"' },
  },
  { name: 'smtp', server: 'smtp 25', directives: { service: 'smtp' } },
  { name: 'submission', server: 'smtp 587', directives: { service: 'submission' } },
  { name: 'pop', server: 'pop 110', directives: { login: '"check"', passwd: '"secret"' } },
  {
    name: 'pop without a login',
    server: 'pop 110',
    directives: { service: 'pop' },
    failure: 'down',
    alwaysUp: { because: 'without a login ldirectord has pop up, whatever happens' },
  },
  // Over IPv6 ldirectord's pop and imap checks send no packet before an http check over IPv6 has loaded the Perl
  // modules.
  { name: 'imap', server: 'imap 143', directives: { login: '"check"', passwd: '"secret"' } },
  {
    name: 'pops',
    server: 'pops 995',
    directives: { login: '"check"', passwd: '"secret"' },
    alwaysDown: VERIFIED,
  },
  {
    name: 'imaps',
    server: 'imaps 993',
    directives: { login: '"check"', passwd: '"secret"' },
    alwaysDown: VERIFIED,
  },
  { name: 'ldaps', server: 'ldaps 636', directives: { request: '"dc=lab"', receive: '"dc=lab"' } },
  { name: 'nntp', server: 'nntp 119', directives: { service: 'nntp' } },
  { name: 'ldap', server: 'ldap 389', directives: { request: '"dc=lab"', receive: '"dc=lab"' } },
  {
    name: 'simpletcp',
    server: 'simpletcp 7000',
    directives: { service: 'simpletcp', request: '"PING\\n"', receive: '"PONG"' },
  },
  {
    name: 'simpletcp over udp',
    server: 'simpletcp 7000',
    protocol: 'udp',
    directives: { service: 'simpletcp', protocol: 'udp', request: '"PING\\n"', receive: '"PONG"' },
  },
  {
    name: 'sip over udp',
    server: 'sip 5060',
    protocol: 'udp',
    directives: { service: 'sip', protocol: 'udp', login: '"check@lab"' },
  },
  { name: 'sip over tcp', server: 'sip 5060', directives: { service: 'sip', login: '"check@lab"' } },
  {
    name: 'dns over udp',
    server: 'dns 53',
    protocol: 'udp',
    directives: { service: 'dns', request: '"www.lab.example"', receive: '"192.0.2.53"' },
  },
  {
    name: 'dns over tcp',
    server: 'dns 53',
    directives: { service: 'dns', protocol: 'tcp', request: '"www.lab.example"', receive: '"192.0.2.53"' },
  },
  {
    name: 'dns without receive',
    server: 'dns 53',
    protocol: 'udp',
    directives: { request: '"www.lab.example"' },
    alwaysDown: { because: 'without receive ldirectord has name servers down for ever' },
  },
  {
    name: 'ftp',
    server: 'ftp 21',
    directives: { service: 'ftp', request: '"health.txt"', receive: '"is ok"' },
  },
  {
    name: 'ftp without receive',
    server: 'ftp 21',
    directives: { service: 'ftp' },
    failure: 'down',
    alwaysUp: { because: 'without receive ldirectord has ftp up, even where the connection is refused' },
  },
  {
    name: 'radius over IPv4',
    ...RADIUS,
    families: ['ipv4'],
  },
  {
    name: 'radius over IPv6',
    ...RADIUS,
    families: ['ipv6'],
    deadly: 'radius over IPv6 is the end of ldirectord',
  },
  {
    name: 'mysql',
    server: 'mysql 3306',
    directives: { login: '"check"', passwd: '"secret"', database: '"lab"', request: '"SELECT 1"' },
  },
  {
    name: 'pgsql',
    server: 'pgsql 5432',
    directives: { login: '"check"', passwd: '"secret"', database: '"lab"', request: '"SELECT 1"' },
    alwaysDown: { families: ['ipv6'], because: 'ldirectord gives the driver the address in brackets' },
  },
]

const isSlow = ({ name }: Case) =>
  [
    'imap',
    'imaps',
    'pop',
    'pops',
    'dns without receive',
    'https: a certificate that nobody vouches for',
    'http: HEAD',
  ].includes(name)
const isDeadly = ({ deadly }: Case) => deadly !== undefined

export const services = CASES.filter(one => !isSlow(one) && !isDeadly(one)).map(toScenario)
/** Services that block ldirectord for some time, or that need no trusted certificate. */
export const slowServices = CASES.filter(isSlow).map(toScenario)
/** Services with which ldirectord ends. */
export const deadlyServices = CASES.filter(isDeadly).map(toScenario)

function toScenario(one: Case): Scenario {
  const { name, server, directives, protocol = 'tcp', failure = 'wrong', real = 'masq 5' } = one
  const port = one.virtualPort ?? server.split(' ')[1]
  const [forwarding, weight] = real.split(' ')
  const up = `${protocol} V1:${port} -> R1 ${forwarding} ${weight}`
  const down = `${protocol} V1:${port}`
  const listed = (isUp: boolean): Pick<Step, 'ldirectord'> => {
    const { alwaysDown, alwaysUp, deadly } = one
    if (deadly) return { ldirectord: { because: deadly, table: null } }
    if (alwaysDown && isUp) return { ldirectord: { ...alwaysDown, table: down } }
    if (alwaysUp && !isUp) return { ldirectord: { ...alwaysUp, table: up } }
    return {}
  }
  return {
    name: `service: ${name}`,
    site: site({ [`V1:${port}`]: { real: `R1:${port} ${real}`, ...directives } }, server),
    ...(one.families ? { families: one.families } : {}),
    steps: [
      { what: 'both start', table: up, ...listed(true) },
      {
        what: { wrong: 'R1 answers wrong', down: 'R1 dies', silent: 'R1 falls silent' }[failure],
        servers: { R1: failure },
        table: down,
        ...listed(false),
      },
      { what: 'R1 is back', servers: { R1: 'up' }, table: up, ...listed(true) },
    ],
  }
}
