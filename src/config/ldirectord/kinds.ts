/**
 * What ldirectord knows of each kind of check, a row for each. The words of its file, the options that are made of them and
 * what is told of a check follow from here; nothing else in this folder names a kind.
 */
import type { CheckUse } from '../../core/model.js'

/** What a virtual may write for a check, under ldirectord's names. */
type Written = 'checkcommand' | 'database' | 'login' | 'passwd' | 'receive' | 'request' | 'secret' | 'service'

/** An option that has to be written although no line of the file says it. */
interface Implied {
  readonly option: string
  readonly value: string | boolean
  /** Not where the virtual writes this. */
  readonly unless?: Written
  /** It stands where this is written, else where the virtual begins. */
  readonly at?: Written
}

/** What is told of a check; `check-notes.ts` has the sentences. */
export type NoteName =
  | 'arguments'
  | 'command'
  | 'driver'
  | 'fixed port'
  | 'greeting'
  | 'greeting and login'
  | 'implied'
  | 'in place of a connect'
  | 'login and request'
  | 'no STARTTLS'
  | 'out of the table'
  | 'question'
  | 'redirects'
  | 'script'
  | 'shared secret'
  | 'unverified'
  | 'whole URL'

export interface KindRow {
  /** Of a service: its port; null where it has none. */
  readonly port?: number | null
  /** Of a service: the protocol that it is usually balanced with; tcp where absent. */
  readonly usually?: 'udp'

  /** The kind that runs in its place where the virtual is one of UDP. */
  readonly overUdp?: string
  /** The kind that runs in its place where a checktype of a number asks for connects. */
  readonly combined?: string
  /** What it asks over where the virtual is a firewall mark; udp where absent. */
  readonly overMark?: 'tcp'

  /** Which directive limits the time of a run, if both are there; negotiatetimeout where absent. */
  readonly timeout?: 'checktimeout'
  /** It tries checkcount times, each with the whole time. */
  readonly isCounted?: true
  /** It does nothing, so that nothing can take long. */
  readonly isIdle?: true
  /** It is not sent to a port. */
  readonly isPortless?: true
  /** It runs checkcommand, which is told the port of the real server, whatever checkport is. */
  readonly isCommand?: true
  /**
   * Connects that a checktype of a number asks for: `between` two runs; `alone` where each run is one; `never` where nothing
   * runs. Absent: they prove nothing, and each run is the whole check.
   */
  readonly connects?: 'between' | 'alone' | 'never'

  /** How its request is written: a path with a leading `/`, a whole URL, text with escapes; where absent text as it is. */
  readonly request?: 'path' | 'url' | 'escaped'
  /**
   * It cannot do without a question; these options are one where the virtual has none. ldirectord takes what is wrong with a
   * question, and has the servers down for ever.
   */
  readonly question?: { readonly request: string; readonly type: string }
  /** How its receive is read: as an address where it is one, as a pattern for several lines; else as a pattern. */
  readonly receive?: 'address' | 'multiline'
  /** The login of a service that is written out, where none is; `needs`: only where the virtual writes that, too. */
  readonly login?: {
    readonly needs?: Written
    readonly of: (hostname: string) => { readonly login: string; readonly passwd?: string }
  }

  readonly implied?: readonly Implied[]
  /** Options of ours that ldirectord's check does not look at. */
  readonly ignored?: readonly string[]
  /** Options that it looks at only where the virtual writes all of them. */
  readonly together?: readonly Written[]
  readonly notes?: readonly NoteName[]
}

type Rows = Readonly<Record<string, KindRow>>

/** Its web and mail checks never log in, whatever login is written. */
const LOGIN = ['login', 'passwd'] as const
/** Told in the file as well, for whoever wants to change it. */
const UNVERIFIED = { option: 'verify', value: false, at: 'service' } as const
const NO_COMMAND = { option: 'checkcommand', value: '/bin/true', unless: 'checkcommand' } as const
/** Stands for a secret that is missing; no server knows it, so its servers are down, as with ldirectord. */
const NO_SECRET = 'there is none'

/** What `service` may be, in the order in which they are listed. */
const BY_SERVICE = {
  dns: {
    port: 53,
    usually: 'udp',
    connects: 'between',
    // Every resolver can answer it.
    question: { request: '.', type: 'NS' },
    receive: 'address',
    notes: ['question'],
  },
  ftp: {
    port: 21,
    connects: 'between',
    request: 'path',
    // Where no file is fetched it does not mind whether the login that it has made up is taken.
    login: { needs: 'receive', of: host => ({ login: 'anonymous', passwd: `ldirectord@${host}` }) },
    notes: ['greeting and login'],
  },
  http: { port: 80, connects: 'between', request: 'path', ignored: LOGIN, notes: ['redirects'] },
  https: {
    port: 443,
    connects: 'between',
    request: 'path',
    ignored: LOGIN,
    implied: [UNVERIFIED],
    notes: ['unverified', 'redirects'],
  },
  http_proxy: {
    port: 3128,
    connects: 'between',
    request: 'url',
    ignored: LOGIN,
    notes: ['whole URL', 'redirects'],
  },
  imap: { port: 143, connects: 'between', notes: ['fixed port'] },
  imaps: { port: 993, connects: 'between', implied: [UNVERIFIED], notes: ['unverified', 'fixed port'] },
  // They bind as nobody unless they have both.
  ldap: { port: 389, timeout: 'checktimeout', connects: 'between', together: LOGIN },
  ldaps: {
    port: 636,
    timeout: 'checktimeout',
    connects: 'between',
    together: LOGIN,
    implied: [UNVERIFIED],
    notes: ['unverified'],
  },
  mysql: { port: 3306, connects: 'between', ignored: ['receive'], notes: ['login and request'] },
  nntp: { port: 119, connects: 'between' },
  none: {
    port: null,
    combined: 'connect',
    isIdle: true,
    isPortless: true,
    connects: 'never',
    notes: ['implied'],
  },
  oracle: {
    port: 1521,
    connects: 'between',
    ignored: ['receive'],
    implied: [{ option: 'sid', value: true, at: 'database' }],
    notes: ['login and request', 'driver'],
  },
  pgsql: { port: 5432, connects: 'between', ignored: ['receive'], notes: ['login and request'] },
  pop: { port: 110, connects: 'between', notes: ['greeting'] },
  pops: { port: 995, connects: 'between', implied: [UNVERIFIED], notes: ['unverified', 'greeting'] },
  radius: {
    port: 1812,
    timeout: 'checktimeout',
    implied: [{ option: 'secret', value: NO_SECRET, unless: 'secret', at: 'service' }],
    notes: ['shared secret'],
  },
  // Its text is sent over the protocol of the virtual.
  simpletcp: {
    port: null,
    overUdp: 'udp',
    connects: 'between',
    request: 'escaped',
    receive: 'multiline',
  },
  sip: {
    port: 5060,
    overMark: 'tcp',
    connects: 'between',
    login: { of: host => ({ login: `ldirectord@${host}` }) },
  },
  smtp: { port: 25, connects: 'between', ignored: LOGIN },
  submission: {
    port: 587,
    connects: 'between',
    ignored: LOGIN,
    implied: [{ option: 'starttls', value: false, at: 'service' }],
    notes: ['no STARTTLS'],
  },
} as const satisfies Rows

/** What `checktype` may be beside negotiate and numbers, in the order in which they are listed. */
const BY_CHECKTYPE = {
  // It pings where it cannot connect.
  connect: { overUdp: 'ping', timeout: 'checktimeout', connects: 'alone' },
  ping: { timeout: 'checktimeout', isCounted: true, isPortless: true, notes: ['in place of a connect'] },
  external: {
    timeout: 'checktimeout',
    isPortless: true,
    isCommand: true,
    implied: [NO_COMMAND],
    notes: ['command', 'arguments'],
  },
  'external-perl': {
    timeout: 'checktimeout',
    isPortless: true,
    isCommand: true,
    implied: [NO_COMMAND],
    notes: ['script', 'command'],
  },
  on: { isIdle: true, isPortless: true },
  off: { isIdle: true, isPortless: true, notes: ['out of the table'] },
} as const satisfies Rows

/** Kinds of ours that stand for a part of one of ldirectord's. */
const OF_OURS = {
  udp: { request: 'escaped', implied: [{ option: 'reply', value: true, unless: 'receive' }] },
} as const satisfies Rows

export const KINDS: Rows = { ...BY_SERVICE, ...BY_CHECKTYPE, ...OF_OURS }

export type ServiceName = keyof typeof BY_SERVICE
export const SERVICES = Object.keys(BY_SERVICE) as ServiceName[]
/** The service of a virtual that names none and whose port is nobody's. */
export const NO_SERVICE: ServiceName = 'none'

export type CheckTypeName = keyof typeof BY_CHECKTYPE
export const CHECK_TYPE_NAMES = Object.keys(BY_CHECKTYPE) as CheckTypeName[]

/** The row of a kind; an empty one where ldirectord has no such check. */
export function rowOf(kind: string): KindRow {
  return (Object.hasOwn(KINDS, kind) && KINDS[kind]) || {}
}

/** The service of a port; `NO_SERVICE` where the port is nobody's. */
export function serviceOfPort(port: number): ServiceName {
  return SERVICES.find(name => BY_SERVICE[name].port === port) ?? NO_SERVICE
}

/** The port of a service, or null where it has none. */
export function portOfService(service: ServiceName): number | null {
  return BY_SERVICE[service].port
}

/** The words of a check in the monitorfile: its checktype, and what it asks; null for what ldirectord has no line for. */
export function monitorWords({ kind, options, connects = 0 }: CheckUse): readonly string[] | null {
  if (!Object.hasOwn(BY_CHECKTYPE, kind)) return [connects > 0 ? 'combined' : 'negotiate', kind]
  const { isIdle, isCommand } = rowOf(kind)
  if (isIdle) return null
  return isCommand ? [kind, String(options.checkcommand)] : [kind]
}
