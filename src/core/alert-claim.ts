/**
 * One message per event and site: the directors of a site agree, through a record in Redis, which of them tells it. Pure.
 *
 * A record is about one thing that is told to one receiver, such as "web/::1 is down" to the webhook `pager`. It has the
 * last such event of the site, with the directors that have met it. A director has an event as a mark (its own time of it).
 *
 *   the record has        of this event             becomes                                answer
 *   nothing                                         claimed by this director               send
 *   another event                                   this event, claimed by this director   send
 *   this event            sent                      + this director                        told
 *   this event            claimed by this director  claimed for longer                     send
 *   this event            claimed by another        + this director                        wait
 *   this event            a claim that has ended    claimed by this director               send
 *   this event            free: an attempt failed   claimed by this director               send
 *   a newer format                                  as it is                               send
 *
 * It is the same event if this director has met it with the same mark, or has met none of the record and its event is at
 * most the window away from the first one, and not after the end of it that was told. An end is the same only if it has the
 * print of the same beginning. So two events of one director are always two, and one event that two directors
 * see some seconds apart is one. All times are those of Redis: a director says how long ago its event was.
 */
import { createHash } from 'node:crypto'
import type { ResolvedConfig } from './model.js'

/** Format of a record. */
export const CLAIM_SCHEMA = 1

export interface ClaimRecord {
  readonly schema: number
  /** Milliseconds: when the event was, for the director that met it first. */
  readonly since: number
  readonly state: 'claimed' | 'free' | 'sent'
  /** The director that has, had, or last had the claim; and its host. */
  readonly by: string
  readonly host: string
  /** The end of the claim. */
  readonly until: number
  /** Milliseconds: when it was over, as its receiver was told; absent: nobody was. */
  readonly over?: number
  /** What identifies the event for receivers. */
  readonly print: string
  /** The marks of the directors that have met it, by their ids. */
  readonly seen: Readonly<Record<string, string>>
}

export interface ClaimQuestion {
  readonly id: string
  readonly host: string
  readonly mark: string
  /** Milliseconds since the event. */
  readonly age: number
  /** An end has that of its beginning. */
  readonly print: string
  readonly isEnd?: boolean
  /** Milliseconds of Redis. */
  readonly now: number
  /** Milliseconds that one event may be apart on two directors. */
  readonly window: number
}

export interface ClaimAnswer {
  readonly verdict: 'send' | 'wait' | 'told'
  /** What the record becomes; null: it stays. */
  readonly record: ClaimRecord | null
  readonly print: string
}

/** Milliseconds for which a claim lasts unless it is prolonged. */
export const CLAIM_LASTS = 5000
const MOST_AGE = 3_600_000

export function claim(record: ClaimRecord | null, question: ClaimQuestion): ClaimAnswer {
  const { id, host, mark, print, now } = question
  if (record && record.schema > CLAIM_SCHEMA) return { verdict: 'send', record: null, print }
  const since = now - Math.min(Math.max(question.age, 0), MOST_AGE)
  const until = now + CLAIM_LASTS
  const own = { schema: CLAIM_SCHEMA, state: 'claimed', by: id, host, until } as const
  if (!record || !isSame(record, question, since))
    return { verdict: 'send', print, record: { ...own, since, print, seen: { [id]: mark } } }
  const isKnown = record.seen[id] === mark
  const met = { ...record, seen: { ...record.seen, [id]: mark } }
  if (record.state === 'sent') return { verdict: 'told', print: record.print, record: isKnown ? null : met }
  const isHeld = record.state === 'claimed' && record.by !== id && record.until > now
  if (isHeld) return { verdict: 'wait', print: record.print, record: isKnown ? null : met }
  return { verdict: 'send', print: record.print, record: { ...met, ...own } }
}

/** Returns the record after an attempt of this director; null: it stays. */
export function settled(
  record: ClaimRecord | null,
  { id, mark, isSent }: { readonly id: string; readonly mark: string; readonly isSent: boolean },
): ClaimRecord | null {
  if (!record || record.schema > CLAIM_SCHEMA || record.seen[id] !== mark || record.state === 'sent')
    return null
  if (isSent) return { ...record, state: 'sent' }
  return record.by === id && record.state === 'claimed' ? { ...record, state: 'free' } : null
}

/** Returns the record of an event whose end, `age` milliseconds ago, was told; null: it stays. */
export function ended(record: ClaimRecord | null, age: number, now: number): ClaimRecord | null {
  const at = now - Math.min(Math.max(age, 0), MOST_AGE)
  if (!record || record.schema > CLAIM_SCHEMA || at < record.since) return null
  return { ...record, over: Math.max(at, record.over ?? at) }
}

function isSame(record: ClaimRecord, question: ClaimQuestion, at: number): boolean {
  const { seen, since, over = Number.POSITIVE_INFINITY, print } = record
  if (question.isEnd && print !== question.print) return false
  const known = seen[question.id]
  return known === undefined ? Math.abs(at - since) <= question.window && at <= over : known === question.mark
}

/** Reads a record; null: there is none, or it is damaged. */
export function claimOf(text: string): ClaimRecord | null {
  try {
    const record = JSON.parse(text) as ClaimRecord
    const { schema, since, state, by, host, until, print, seen } = record
    if (Number.isInteger(schema) && schema > CLAIM_SCHEMA) return record
    const isRight =
      [since, until, schema].every(Number.isFinite) &&
      ['claimed', 'free', 'sent'].includes(state) &&
      [by, host, print].every(each => typeof each === 'string') &&
      typeof seen === 'object' &&
      seen !== null
    return isRight ? record : null
  } catch {
    return null
  }
}

/** Returns the name of the record of what these words say. */
export function claimName(words: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('base64url').slice(0, 22)
}

const LEAST_WINDOW = 30_000
const MOST_WINDOW = 600_000

/** Returns how far one event may be apart on two directors: twice what the slowest check takes to notice something. */
export function claimWindow({ services }: Pick<ResolvedConfig, 'services'>): number {
  let slowest = 0
  for (const { reals } of services)
    for (const { checks } of reals)
      for (const { policy } of checks) {
        const { interval, fastinter, timeout, rise, fall } = policy
        const first = Math.max(interval, fastinter) + timeout
        slowest = Math.max(slowest, first + (Math.max(rise, fall) - 1) * (fastinter + timeout))
      }
  return Math.min(Math.max(2 * slowest, LEAST_WINDOW), MOST_WINDOW)
}
