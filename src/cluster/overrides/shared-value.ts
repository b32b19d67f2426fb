/**
 * What directors of a site share: overrides of operators, and openings of windows that operators have ended. A newer lvsd
 * may have written more than this one knows:
 *
 *   written by a newer lvsd                  here
 *   further fields                           kept in all rewrites, and when the override is ended
 *   another effect, another kind of entry,   not in force; passed on as it is, told once; nobody changes it here
 *   a higher `schema` of the entry
 */
import { REDIS_SCHEMA } from '../../core/redis-keys.js'
import type { SiteEntry } from '../../core/site-entry.js'
import { ORDER_FORM, type Order, type Target } from '../../overrides/command-overrides.js'
import { EARLY_END_FORM, type EarlyEnd } from '../../overrides/early-ends.js'

/** What directors share of an override. */
export interface SharedOrder extends Pick<Order, 'target' | 'override'> {
  /** Who has ended it; null: it has not been ended. */
  readonly endedBy: string | null
}

/** An opening of a maintenance window that is over for its target. Nobody opens it again. */
export interface SharedEnd {
  readonly opening: EarlyEnd
}

/** What this lvsd does not know. Its text is as it was read. */
export class UnknownValue {
  readonly #given: unknown

  constructor(given: unknown) {
    this.#given = given
  }

  toJSON(): unknown {
    return this.#given
  }
}

export type SharedValue = SharedOrder | SharedEnd | UnknownValue

export type OverrideEntry = SiteEntry<SharedValue>

export function isOrder(value: SharedValue): value is SharedOrder {
  return 'override' in value
}

export function isEnd(value: SharedValue): value is SharedEnd {
  return 'opening' in value
}

export function isUnknown(value: SharedValue): value is UnknownValue {
  return value instanceof UnknownValue
}

/** Returns the override as ended, with the fields of it that this lvsd does not know. */
export function endedOrder(value: SharedOrder, known: SharedValue | undefined): SharedOrder {
  if (!known || !isOrder(known)) return value
  const effect = withOthers(value.override.effect, known.override.effect)
  const override = { ...withOthers(value.override, known.override), effect }
  return { ...withOthers(value, known), override }
}

/** What several directors call the end of an opening. No override has such an id: its last word is an effect. */
export function idOfEnd({ target: { key, real }, window, begin }: EarlyEnd): string {
  return `${key} ${real ?? 'all'} ${window} ${begin}`
}

/** Returns the target as operators write it. */
export function nameOfTarget({ service, real }: Target): string {
  return real === null ? service : `${service}/${real}`
}

/** Milliseconds for which an ended override is kept, so that a director that was away does not bring it back. */
const KEEP_ENDED = 30 * 86_400_000
/** The same for an opening, after the end that it would have had: the clock may be set back. */
const KEEP_OPENING = 86_400_000

/** True if no director needs to know of it any more. */
export function isOver({ value, at }: Pick<OverrideEntry, 'value' | 'at'>, now: number): boolean {
  // Who knows what it is removes it.
  if (isUnknown(value)) return false
  if (isEnd(value)) return value.opening.end + KEEP_OPENING < now
  const { override, endedBy } = value
  const over = endedBy === null ? override.until : at
  return over !== null && over + KEEP_ENDED < now
}

/** Returns null for a text that is no entry. */
export function entryOf(text: string): OverrideEntry | null {
  try {
    return readEntry(JSON.parse(text))
  } catch {
    return null
  }
}

/** Returns the entry of a stored value. Throws if it is none. */
export function readEntry(value: unknown): OverrideEntry {
  const { change, past, by, at, value: given, schema = 0 } = value as OverrideEntry & { schema?: unknown }
  const texts = [change, by, ...past]
  if (texts.some(each => typeof each !== 'string') || !Number.isFinite(at))
    throw new Error('expected a change')
  const isNewer = typeof schema !== 'number' || schema > REDIS_SCHEMA
  const entry = { change, past, by, at, value: isNewer ? new UnknownValue(given) : readValue(given) }
  return withOthers(entry, value as OverrideEntry)
}

function readValue(given: SharedValue): SharedValue {
  try {
    return isEnd(given) ? readEnd(given) : readOrder(given as SharedOrder)
  } catch {
    return new UnknownValue(given)
  }
}

function readEnd(given: SharedEnd): SharedEnd {
  return { ...given, opening: withOthers(EARLY_END_FORM.read(given.opening), given.opening) }
}

function readOrder(given: SharedOrder): SharedOrder {
  const { target, override: read } = ORDER_FORM.read({ ...given, missingSince: null })
  const effect = withOthers(read.effect, given.override.effect)
  const override = { ...withOthers(read, given.override), effect }
  const { endedBy } = given
  return withOthers({ target, override, endedBy: endedBy === null ? null : String(endedBy) }, given)
}

/** Adds the fields that only `given` has, after those that are known: equal values have equal texts. */
function withOthers<T extends object>(known: T, given: T): T {
  const others = Object.entries(given).filter(([name]) => !Object.hasOwn(known, name))
  return others.length === 0 ? known : { ...known, ...Object.fromEntries(others) }
}
