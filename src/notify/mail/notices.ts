/** Notices about a panic, an isolation and a lost network: what stays in the table, and what to do. Pure. */
import type { ResolvedService } from '../../core/model.js'
import { counted } from '../../util/plural.js'
import { shellQuoted } from '../../util/shell-quoted.js'
import { formatUptime } from '../../util/time-text.js'
import type { News } from './message.js'

/** A real server that is down, for people. */
export interface DownServer {
  /** `[2001:db8::11]:80` */
  readonly name: string
  readonly reason: string | null
}

export interface PanicNotice {
  readonly service: ResolvedService
  /** Keys of the held servers. */
  readonly members: ReadonlySet<string>
  /** Number of servers that count. */
  readonly of: number
  /** Wall-clock milliseconds of its end at the latest. */
  readonly until: number
  /** Returns the servers that are held now. More may have gone down since it began. */
  held(): readonly DownServer[]
}

/** Maximum number of servers that a mail lists. */
const MOST_LISTED = 100

export function panicBegins({ service, members, of, until, held }: PanicNotice): News {
  const { name } = service
  return {
    ...noticeOf(service, 'Panic'),
    covers: members,
    get sentence() {
      return `Panic: ${held().length} of ${counted(of, 'real server')} of ${name} went down at once and keep their weights`
    },
    about: () => [
      ['These real servers fail their checks and stay in the table with their weights:', ...listOf(held())],
      [
        'Checks go on. There are no mails about single servers of this service meanwhile.',
        `The panic ends when enough servers pass again, or at ${utc(until)} at the latest. Servers that`,
        'fail then are taken out.',
      ],
      [
        'What to do: look for what these servers have in common, such as a switch, a database or a release.',
        `  lvsd why ${shellQuoted(name)}`,
        `  lvsd disable ${shellQuoted(`${name}/SERVER`)}    takes one out at once`,
      ],
    ],
  }
}

export interface PanicEnd {
  readonly service: ResolvedService
  /** Milliseconds that it lasted. */
  readonly lasted: number
  /** The servers of the service that fail at its end. */
  readonly down: readonly DownServer[]
}

export function panicEnds({ service, lasted, down }: PanicEnd): News {
  return {
    ...noticeOf(service, 'Panic over'),
    sentence: `Panic over: the table of ${service.name} follows the checks again, after ${formatUptime(lasted)}`,
    about: () => [
      down.length === 0
        ? ['No real server of it fails its checks.']
        : ['These real servers fail their checks. They are taken out now, or quiesced:', ...listOf(down)],
    ],
  }
}

/** Times are wall-clock milliseconds. */
export interface IsolationNotice {
  readonly host: string
  readonly since: number
  /** What is wrong with this machine. */
  readonly detail: string
}

export function isolationBegins({ host, since, detail }: IsolationNotice): News {
  return {
    ...noticeOf(null, 'Isolation'),
    sentence: `Isolation: lvsd on ${host} cannot reach any real server`,
    about: () => [
      [`Since ${utc(since)}: ${detail}.`],
      [
        'The table of this director stays as it is, and failed checks do not count: they say nothing about',
        'the servers. Clients that this director cannot reach are not served, whatever the table says.',
      ],
      ['What to do, on this director:', '  ip -brief link; ip -6 route; ip route', '  lvsd status'],
    ],
  }
}

export function isolationEnds({
  host,
  since,
  detail,
  until,
}: IsolationNotice & { readonly until: number }): News {
  return {
    ...noticeOf(null, 'Isolation over'),
    sentence: `Isolation over: lvsd on ${host} reaches real servers again, after ${formatUptime(until - since)}`,
    about: () => [
      [`From ${utc(since)} to ${utc(until)}: ${detail}.`],
      ['The table stayed as it was. Checks count again.'],
    ],
  }
}

export function connectivityLost({ host, since, detail }: IsolationNotice): News {
  return {
    ...noticeOf(null, 'Network lost'),
    sentence: `Network lost: the director ${host} has lost its network`,
    about: () => [
      [`Since ${utc(since)}: ${detail}.`],
      [
        'The table of this director stays as it is, and failed checks do not count: they say nothing about',
        'the servers. Where the addresses of the services can move, another director takes them.',
      ],
      [
        'What to do, on this director:',
        '  lvsd status',
        '  ip -brief link; ip neighbour; ip -6 route; ip route',
      ],
    ],
  }
}

export function connectivityRestored({
  host,
  since,
  detail,
  until,
}: IsolationNotice & { readonly until: number }): News {
  return {
    ...noticeOf(null, 'Network back'),
    sentence: `Network back: the director ${host} has its network again, after ${formatUptime(until - since)}`,
    about: () => [
      [`From ${utc(since)} to ${utc(until)}: ${detail}.`],
      ['The table stayed as it was. Checks count again, and the table follows them.'],
    ],
  }
}

function noticeOf(service: ResolvedService | null, kind: string) {
  return {
    member: `notice ${service?.name ?? ''} ${kind}`,
    word: 'Notice',
    kind,
    sentence: '',
    service,
  } as const
}

function listOf(servers: readonly DownServer[]): readonly string[] {
  const lines = servers
    .slice(0, MOST_LISTED)
    .map(({ name, reason }) => `  ${name}${reason === null ? '' : ` -- ${reason}`}`)
  const more = servers.length - lines.length
  return more > 0 ? [...lines, `  … and ${more} more`] : lines
}

/** `2026-11-22 01:58:54Z` */
function utc(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace(/\.\d+/, '')
}
