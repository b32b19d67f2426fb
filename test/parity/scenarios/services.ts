/** The services that negotiate asks, each up, answering wrong, and back. */
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import type { Difference, Scenario, Step } from '../scenario.js'
import type { Kind } from '../servers.js'

interface Case {
  readonly name: string
  readonly kind: Kind
  readonly port: number
  /** Of the virtual, where it is another one than the server is asked on. */
  readonly virtualPort?: number
  /** Behind the address of the real server; `masq 5` by default. */
  readonly real?: string
  /** Lines of the section. */
  readonly lines: string
  readonly protocol?: 'tcp' | 'udp'
  readonly families?: Scenario['families']
  /** ldirectord has the server down for ever. */
  readonly alwaysDown?: Omit<Difference, 'table'>
  /** ldirectord has the server up for ever. */
  readonly alwaysUp?: Omit<Difference, 'table'>
  /** ldirectord does not survive it. */
  readonly deadly?: string
  /** What fails: answers wrong, unless it is told otherwise. */
  readonly failure?: 'down' | 'silent'
}

/** The tests' own certificate is trusted, so that ldirectord takes it too. */
export const trusted = { PERL_LWP_SSL_CA_FILE: join(packageRoot, 'test/support/localhost.crt') }

const VERIFIED = {
  because:
    'ldirectord of Debian 12 verifies certificates although it tries not to; lvsd does not, and says so',
}

const CASES: readonly Case[] = [
  {
    name: 'http: receive',
    kind: 'http',
    port: 80,
    lines: `
      service=http
      request="/health"
      receive="all.is ok$|is o+k"
      virtualhost=www.example`,
  },
  { name: 'http: HEAD', kind: 'http', port: 80, lines: 'service=http\nhttpmethod=HEAD', failure: 'silent' },
  { name: 'http: redirects', kind: 'http', port: 80, lines: 'request="moved"\nreceive="is ok"' },
  { name: 'https', kind: 'https', port: 443, lines: 'receive="is ok"' },
  {
    name: 'https: a certificate that nobody vouches for',
    kind: 'https',
    port: 443,
    lines: 'receive="is ok"',
    alwaysDown: VERIFIED,
  },
  {
    name: 'https: virtualhost, at another port',
    kind: 'https',
    port: 8443,
    lines: 'service=https\nvirtualhost=localhost\nreceive="is ok"',
  },
  {
    name: 'http: checkport, and a pair of the real server',
    kind: 'http',
    port: 8080,
    virtualPort: 80,
    real: 'gate 5 "health", "is ok"',
    lines: 'service=http\ncheckport=8080\nreceive="nobody says this"',
  },
  {
    name: 'http_proxy',
    kind: 'http',
    port: 3128,
    lines: 'request="http://www.example/"\nreceive="is ok"',
  },
  { name: 'smtp', kind: 'smtp', port: 25, lines: 'service=smtp' },
  { name: 'submission', kind: 'smtp', port: 587, lines: 'service=submission' },
  {
    name: 'pop',
    kind: 'pop',
    port: 110,
    lines: 'login="check"\npasswd="secret"',
  },
  {
    name: 'pop without a login',
    kind: 'pop',
    port: 110,
    lines: 'service=pop',
    failure: 'down',
    alwaysUp: { because: 'without a login ldirectord has pop up, whatever happens' },
  },
  // Over IPv6 ldirectord's pop and imap send no packet before an http check over IPv6 has loaded what they need.
  {
    name: 'imap',
    kind: 'imap',
    port: 143,
    lines: 'login="check"\npasswd="secret"',
  },
  {
    name: 'pops',
    kind: 'pops',
    port: 995,
    lines: 'login="check"\npasswd="secret"',
    alwaysDown: VERIFIED,
  },
  {
    name: 'imaps',
    kind: 'imaps',
    port: 993,
    lines: 'login="check"\npasswd="secret"',
    alwaysDown: VERIFIED,
  },
  { name: 'ldaps', kind: 'ldaps', port: 636, lines: 'request="dc=lab"\nreceive="dc=lab"' },
  { name: 'nntp', kind: 'nntp', port: 119, lines: 'service=nntp' },
  { name: 'ldap', kind: 'ldap', port: 389, lines: 'request="dc=lab"\nreceive="dc=lab"' },
  {
    name: 'simpletcp',
    kind: 'simpletcp',
    port: 7000,
    lines: 'service=simpletcp\nrequest="PING\\n"\nreceive="PONG"',
  },
  {
    name: 'simpletcp over udp',
    kind: 'simpletcp',
    port: 7000,
    protocol: 'udp',
    lines: 'service=simpletcp\nprotocol=udp\nrequest="PING\\n"\nreceive="PONG"',
  },
  {
    name: 'sip over udp',
    kind: 'sip',
    port: 5060,
    protocol: 'udp',
    lines: 'service=sip\nprotocol=udp\nlogin="check@lab"',
  },
  { name: 'sip over tcp', kind: 'sip', port: 5060, lines: 'service=sip\nlogin="check@lab"' },
  {
    name: 'dns over udp',
    kind: 'dns',
    port: 53,
    protocol: 'udp',
    lines: 'service=dns\nrequest="www.lab.example"\nreceive="192.0.2.53"',
  },
  {
    name: 'dns over tcp',
    kind: 'dns',
    port: 53,
    lines: 'service=dns\nprotocol=tcp\nrequest="www.lab.example"\nreceive="192.0.2.53"',
  },
  {
    name: 'dns without receive',
    kind: 'dns',
    port: 53,
    protocol: 'udp',
    lines: 'request="www.lab.example"',
    alwaysDown: { because: 'without receive ldirectord has name servers down for ever' },
  },
  {
    name: 'ftp',
    kind: 'ftp',
    port: 21,
    lines: 'service=ftp\nrequest="health.txt"\nreceive="is ok"',
  },
  {
    name: 'ftp without receive',
    kind: 'ftp',
    port: 21,
    lines: 'service=ftp',
    failure: 'down',
    alwaysUp: { because: 'without receive ldirectord has ftp up, even where the connection is refused' },
  },
  {
    name: 'radius over IPv4',
    kind: 'radius',
    port: 1812,
    protocol: 'udp',
    families: ['ipv4'],
    lines: 'service=radius\nprotocol=udp\nlogin="check"\npasswd="secret"\nsecret="parity"',
  },
  {
    name: 'radius over IPv6',
    kind: 'radius',
    port: 1812,
    protocol: 'udp',
    families: ['ipv6'],
    lines: 'service=radius\nprotocol=udp\nlogin="check"\npasswd="secret"\nsecret="parity"',
    deadly: 'radius over IPv6 is the end of ldirectord',
  },
  {
    name: 'mysql',
    kind: 'mysql',
    port: 3306,
    lines: 'login="check"\npasswd="secret"\ndatabase="lab"\nrequest="SELECT 1"',
  },
  {
    name: 'pgsql',
    kind: 'pgsql',
    port: 5432,
    lines: 'login="check"\npasswd="secret"\ndatabase="lab"\nrequest="SELECT 1"',
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
/** Those that hold ldirectord up, or want no trusted certificate. */
export const slowServices = CASES.filter(isSlow).map(toScenario)
/** Those that ldirectord does not survive. */
export const deadlyServices = CASES.filter(isDeadly).map(toScenario)

function toScenario(one: Case): Scenario {
  const { name, kind, port, lines, protocol = 'tcp', failure = 'wrong', real = 'masq 5' } = one
  const { virtualPort = port } = one
  const [forwarding, weight] = real.split(' ')
  const indented = lines
    .split('\n')
    .map(line => `          ${line.trim()}`)
    .filter(line => line.trim() !== '')
    .join('\n')
  const up = `
    ${protocol} V1:${virtualPort} wrr
      R1:${virtualPort} ${forwarding} ${weight}`
  const down = `${protocol} V1:${virtualPort} wrr`
  const listed = (isUp: boolean): Pick<Step, 'ldirectord'> => {
    const { alwaysDown, alwaysUp, deadly } = one
    if (deadly) return { ldirectord: { because: deadly, table: null } }
    if (alwaysDown && isUp) return { ldirectord: { ...alwaysDown, table: down } }
    if (alwaysUp && !isUp) return { ldirectord: { ...alwaysUp, table: up } }
    return {}
  }
  return {
    name: `service: ${name}`,
    serves: { kind, port },
    sections: `
      virtual=V1:${virtualPort}
          real=R1:${virtualPort} ${real}
${indented}`,
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
