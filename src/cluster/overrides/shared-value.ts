/** What directors of a site share: overrides of operators, and openings of windows that operators have ended. */
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

export type SharedValue = SharedOrder | SharedEnd

export type OverrideEntry = SiteEntry<SharedValue>

export function isOrder(value: SharedValue): value is SharedOrder {
  return 'override' in value
}

export function isEnd(value: SharedValue): value is SharedEnd {
  return 'opening' in value
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
  const { change, past, by, at, value: given } = value as OverrideEntry
  const texts = [change, by, ...past]
  if (texts.some(each => typeof each !== 'string') || !Number.isFinite(at))
    throw new Error('expected a change')
  return { change, past, by, at, value: readValue(given) }
}

function readValue(given: SharedValue): SharedValue {
  if (isEnd(given)) return { opening: EARLY_END_FORM.read(given.opening) }
  const { target, override } = ORDER_FORM.read({ ...given, missingSince: null })
  const { endedBy } = given
  return { target, override, endedBy: endedBy === null ? null : String(endedBy) }
}
