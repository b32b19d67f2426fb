/**
 * Table of ldirectord's properties of each kind of check. The words of an ldirectord.cf, the derived options and the
 * notes on checks come from here. No other file in this folder names a kind.
 */
import type { CheckUse } from '../../core/model.js'

/** Directives for a check, by ldirectord's names. */
type Written = 'checkcommand' | 'database' | 'login' | 'passwd' | 'receive' | 'request' | 'secret' | 'service'

/** An option that must be written although no line of the file contains it. */
interface Implied {
  readonly option: string
  readonly value: string | boolean
  /** The option is not written if the virtual has this directive. */
  readonly unless?: Written
  /** The option has the position of this directive, or else that of the virtual. */
  readonly at?: Written
}

/** Names of notes on a check. `check-notes.ts` has the messages. */
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
  /** Port of a service. Null if it has none. */
  readonly port?: number | null
  /** Usual protocol of a service. Default: tcp. */
  readonly usually?: 'udp'

  /** Kind that replaces it for a virtual over UDP. */
  readonly overUdp?: string
  /** Kind that replaces it if a numeric checktype asks for connects. */
  readonly combined?: string
  /** Protocol of the check for a firewall mark. Default: udp. */
  readonly overMark?: 'tcp'

  /** Directive that limits the time of a run, if both are present. Default: negotiatetimeout. */
  readonly timeout?: 'checktimeout'
  /** A run tries up to checkcount times, each with the full time limit. */
  readonly isCounted?: true
  /** It does nothing, so it has no time limit. */
  readonly isIdle?: true
  /** It does not use a port. */
  readonly isPortless?: true
  /** It runs checkcommand with the port of the real server as an argument. checkport has no effect. */
  readonly isCommand?: true
  /**
   * Connects for a numeric checktype: `between` two runs; `alone` if each run is a connect; `never` if nothing runs.
   * Absent: connects prove nothing, so each run is the whole check.
   */
  readonly connects?: 'between' | 'alone' | 'never'

  /** Form of the request: a path with a leading `/`, a whole URL, or text with escapes. Default: plain text. */
  readonly request?: 'path' | 'url' | 'escaped'
  /**
   * Default question, for a kind that needs one, if the virtual has none. ldirectord accepts an invalid question, and
   * its servers are then always down.
   */
  readonly question?: { readonly request: string; readonly type: string }
  /** Form of `receive`: an address if it is one, or a pattern for several lines. Default: a pattern. */
  readonly receive?: 'address' | 'multiline'
  /**
   * Default login, if the directive service is present and login is not. `needs`: only if this directive is present
   * too.
   */
  readonly login?: {
    readonly needs?: Written
    readonly of: (hostname: string) => { readonly login: string; readonly passwd?: string }
  }

  readonly implied?: readonly Implied[]
  /** Options of lvsd that ldirectord's check does not use. */
  readonly ignored?: readonly string[]
  /** Options that ldirectord uses only if the virtual has all of them. */
  readonly together?: readonly Written[]
  readonly notes?: readonly NoteName[]
}

type Rows = Readonly<Record<string, KindRow>>

/** ldirectord's web and mail checks ignore a login. */
const LOGIN = ['login', 'passwd'] as const
/** Written to the YAML of an import, so that users can change it. */
const UNVERIFIED = { option: 'verify', value: false, at: 'service' } as const
const NO_COMMAND = { option: 'checkcommand', value: '/bin/true', unless: 'checkcommand' } as const
/** Replaces a missing secret. No server accepts it, so the servers are down, as with ldirectord. */
const NO_SECRET = 'there is none'

/** Values of `service`, in the order in which messages list them. */
const BY_SERVICE = {
  dns: {
    port: 53,
    usually: 'udp',
    connects: 'between',
    // Every resolver can answer this question.
    question: { request: '.', type: 'NS' },
    receive: 'address',
    notes: ['question'],
  },
  ftp: {
    port: 21,
    connects: 'between',
    request: 'path',
    // Without receive, ldirectord fetches no file and ignores whether its default login is accepted.
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
  // ldirectord binds anonymously unless both are given.
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
  // ldirectord sends the text over the protocol of the virtual.
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

/** Values of `checktype` other than negotiate and numbers, in the order in which messages list them. */
const BY_CHECKTYPE = {
  // ldirectord pings the servers of a UDP virtual.
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

/** Kinds of lvsd that do a part of what one of ldirectord's does. */
const OF_OURS = {
  udp: { request: 'escaped', implied: [{ option: 'reply', value: true, unless: 'receive' }] },
} as const satisfies Rows

export const KINDS: Rows = { ...BY_SERVICE, ...BY_CHECKTYPE, ...OF_OURS }

export type ServiceName = keyof typeof BY_SERVICE
export const SERVICES = Object.keys(BY_SERVICE) as ServiceName[]
/** The service of a virtual without `service`, if no service has its port. */
export const NO_SERVICE: ServiceName = 'none'

export type CheckTypeName = keyof typeof BY_CHECKTYPE
export const CHECK_TYPE_NAMES = Object.keys(BY_CHECKTYPE) as CheckTypeName[]

/** Returns the row of a kind, or an empty one if ldirectord has no such check. */
export function rowOf(kind: string): KindRow {
  return (Object.hasOwn(KINDS, kind) && KINDS[kind]) || {}
}

/** Returns the service with this port, or `NO_SERVICE`. */
export function serviceOfPort(port: number): ServiceName {
  return SERVICES.find(name => BY_SERVICE[name].port === port) ?? NO_SERVICE
}

/** Returns the port of a service, or null if it has none. */
export function portOfService(service: ServiceName): number | null {
  return BY_SERVICE[service].port
}

/**
 * Returns the words for a check in the monitorfile: the checktype, and the service or the command. Returns null if
 * ldirectord writes no line for it.
 */
export function monitorWords({ kind, options, connects = 0 }: CheckUse): readonly string[] | null {
  if (!Object.hasOwn(BY_CHECKTYPE, kind)) return [connects > 0 ? 'combined' : 'negotiate', kind]
  const { isIdle, isCommand } = rowOf(kind)
  if (isIdle) return null
  return isCommand ? [kind, String(options.checkcommand)] : [kind]
}
