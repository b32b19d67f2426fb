/** The texts in which directors tell their verdicts: written, and read as what anybody may have written. Pure. */

import { heartbeatOf } from '../../core/membership.js'
import type { Phase } from '../../core/model.js'
import { REDIS_SCHEMA } from '../../core/redis-keys.js'
import { harmless } from '../../util/foreign-text.js'
import { MOST_VOTES, type Said, type Vote } from './verdict-types.js'

export interface SentSaid extends Said {
  /** Milliseconds on the clock of Redis at which it was sent. */
  readonly at: number
}

/** Characters of a message, and of all verdicts of one director, that are read. */
export const LONGEST_MESSAGE = 200_000
const LONGEST_ALL = 2 << 20
const LONGEST_DETAIL = 120
/** With more votes than this, details are left out. */
const MANY = 8000
const WORD = /^[\w. -]{1,64}$/
const KEY = /^[\w-]{1,40}$/
const LETTERS = { up: 'u', down: 'd', own: 'o' } as const

export function textOf({
  id,
  host,
  instance,
  version,
  base,
  heartbeat,
  oldest,
  isAble,
  config,
  votes,
  gone,
  at,
}: SentSaid): string {
  const head = {
    schema: REDIS_SCHEMA,
    id,
    host,
    instance,
    at,
    version,
    base,
    heartbeat,
    oldest,
    able: isAble,
    config,
  }
  const longest = votes.length > MANY ? 0 : LONGEST_DETAIL
  return JSON.stringify({ ...head, votes: votes.map(vote => packed(vote, longest)), gone })
}

function packed(
  [key, { state, found }]: readonly [string, Vote],
  longest: number,
): readonly (string | null)[] {
  if (state !== 'down') return [key, LETTERS[state]]
  const { reason = 'error', phase = null, detail = '' } = found ?? {}
  return [key, LETTERS.down, reason, phase, detail.slice(0, longest)]
}

/** Returns what a text says; null if it is no such text. */
export function saidOf(text: string, isAll: boolean): SentSaid | null {
  if (text.length > (isAll ? LONGEST_ALL : LONGEST_MESSAGE)) return null
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    const { schema, id, host, instance, at, version, base, able, config, votes, gone } = value
    if (schema !== REDIS_SCHEMA || typeof able !== 'boolean') return null
    if (![id, host, instance, config].every(isName)) return null
    if (![at, version].every(isCount) || (base !== null && !isCount(base))) return null
    if (!Array.isArray(votes) || !Array.isArray(gone) || votes.length + gone.length > MOST_VOTES) return null
    const read = votes.map(voteOf)
    if (read.includes(null) || !gone.every(key => typeof key === 'string' && KEY.test(key))) return null
    const oldest = isCount(value.oldest) ? value.oldest : null
    const about = { id, host: harmless(host as string), instance, heartbeat: heartbeatOf(value.heartbeat) }
    const head = { ...about, oldest, at, version, base, isAble: able, config }
    return { ...head, votes: read, gone } as SentSaid
  } catch {
    return null
  }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 256
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function voteOf(value: unknown): readonly [string, Vote] | null {
  if (!Array.isArray(value)) return null
  const [key, letter, reason, phase, detail] = value as readonly unknown[]
  if (typeof key !== 'string' || !KEY.test(key)) return null
  if (letter === LETTERS.up) return [key, { state: 'up', found: null }]
  if (letter === LETTERS.own) return [key, { state: 'own', found: null }]
  if (letter !== LETTERS.down || typeof reason !== 'string' || !WORD.test(reason)) return null
  if (typeof detail !== 'string' || (phase !== null && !(typeof phase === 'string' && WORD.test(phase))))
    return null
  const found = { reason, phase: phase as Phase | null, detail: harmless(detail.slice(0, LONGEST_DETAIL)) }
  return [key, { state: 'down', found }]
}
