/** Composes mails: one about a single event, with ldirectord's subject and body, or a summary. Pure. */
import type { MailPolicy } from '../../config/schema/model-keys.js'
import type { DaemonPhase, ResolvedService } from '../../core/model.js'
import type { EventKind } from './server-event.js'

/** What a mail reports: an event of a server, or a notice about a service or this director. */
export interface News {
  /** Key of what it is about: one event may take the place of another with the same key. */
  readonly member: string
  readonly word: EventKind | 'Notice'
  /** The category in summaries: `Deleted real server`. */
  readonly kind: string
  readonly sentence: string
  /** Null: it is about this director. */
  readonly service: Pick<ResolvedService, 'label' | 'comment'> | null
  /** Further paragraphs of its own mail, as they are when it is sent. */
  readonly about?: () => readonly (readonly string[])[]
  /** Waiting events with these keys are a part of it. */
  readonly covers?: ReadonlySet<string>
}

/** An event with its circumstances. */
export interface Item {
  readonly news: News
  readonly phase: DaemonPhase
  /** Wall-clock milliseconds. */
  readonly at: number
  /** Why the server is down, or null. */
  readonly reason: string | null
}

/** Destination of mails. Mails with the same route are grouped. */
export type Route = Pick<MailPolicy, 'to' | 'from' | 'server'>

export interface MailMessage {
  readonly route: Route
  readonly subject: string
  readonly text: string
  /** Time of the event in wall-clock milliseconds. */
  readonly at: number
  /** What it is about, with the number of further events that are only counted. */
  readonly items: readonly Item[]
  readonly more: number
}

/** Returns a mail with ldirectord's subject and body, followed by the reason. */
export function singleMessage(item: Item, route: Route, host: string): MailMessage {
  const { news, phase, at, reason } = item
  const { service, sentence } = news
  const subject = `${prefixOf(service)}${sentence}`
  const about = [
    ...(service?.label ? [`Service name: ${service.label}`] : []),
    ...(service?.comment ? [`Comment: ${service.comment}`] : []),
    ...(reason === null ? [] : [`Reason: ${reason}`]),
  ]
  const text = paragraphs(head(host, subject, [phase]), about, ...(news.about?.() ?? []))
  return { route, subject, text, at, items: [item], more: 0 }
}

/** Returns one mail for many events. `more` is the number of further events that are not listed. */
export function summaryMessage(
  items: readonly Item[],
  more: number,
  route: Route,
  host: string,
): MailMessage {
  const labels = new Set(items.map(({ news }) => news.service?.label ?? null))
  const [label = null] = labels.size === 1 ? labels : []
  const subject = `${prefixOf({ label })}${items.length + more} changes: ${counted(items, more)}`
  const phases = [...new Set(items.map(({ phase }) => phase))]
  const lines = items.map(lineOf)
  if (more > 0) lines.push(`… and ${more} more, in the log of lvsd`)
  const text = paragraphs(head(host, subject, phases), lines)
  return { route, subject, text, at: items[0]?.at ?? 0, items, more }
}

/** Returns a mail about a part of the events of another one. */
export function partOf(
  { items, more, route }: MailMessage,
  some: readonly Item[],
  host: string,
): MailMessage {
  const rest = some.includes(items[0] as Item) ? more : 0
  const [only] = some
  return only && some.length + rest === 1
    ? singleMessage(only, route, host)
    : summaryMessage(some, rest, route, host)
}

function head(host: string, subject: string, phases: readonly DaemonPhase[]): string[] {
  return [`ldirectord host: ${host}`, `Log-Message: ${subject}`, `Daemon-Status: ${phases.join(', ')}`]
}

function paragraphs(...parts: readonly (readonly string[])[]): string {
  const given = parts.filter(lines => lines.length > 0)
  return given.map(lines => lines.map(line => `${line}\n`).join('')).join('\n')
}

function prefixOf(service: { readonly label: string | null } | null): string {
  return service?.label ? `[${service.label}] ` : ''
}

/** Returns `198 Deleted real server, 2 Added fallback server`, most frequent first. */
function counted(items: readonly Item[], more: number): string {
  const counts = new Map<string, number>()
  for (const { news } of items) counts.set(news.kind, (counts.get(news.kind) ?? 0) + 1)
  const words = [...counts].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${count} ${kind}`)
  return [...words, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** Returns `2026-11-22 01:58:54Z [Shop] Deleted real server: … -- refused: connect to … refused`. */
function lineOf({ news, at, reason }: Item): string {
  const time = new Date(at).toISOString().replace('T', ' ').replace(/\.\d+/, '')
  const why = reason === null ? '' : ` -- ${reason}`
  return `${time} ${prefixOf(news.service)}${news.sentence}${why}`
}
