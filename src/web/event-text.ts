/** Events in words, as `lvsd events` has them. Pure. */
import type { EventRecord } from './api-types.js'
import { dayText, timeText } from './text.js'

/** The events in their order, in groups of one day each. */
export function byDay(events: readonly EventRecord[]): readonly (readonly [day: string, EventRecord[]])[] {
  const groups: [string, EventRecord[]][] = []
  for (const event of events) {
    const day = dayText(event.time)
    const last = groups.at(-1)
    if (last?.[0] === day) last[1].push(event)
    else groups.push([day, [event]])
  }
  return groups
}

/** Without the name of the service, which stands before it. */
export function eventText(event: EventRecord): string {
  return OVERRIDES[event.event]?.(event) ?? `${messageOf(event)}${detailOf(event)}`
}

const OVERRIDES: { readonly [Event in EventRecord['event']]?: (event: EventRecord) => string } = {
  'override.begins': event => `override: ${overrideOf(event)}`,
  'override.ended': event => `override ended: ${overrideOf(event)}`,
  'override.ended-early': event => `${event.by} ended the override: ${overrideOf(event)}`,
}

/** `drain until 14:03:59 by anna: disk swap`, in local time, with the date where it is another day. */
function overrideOf({ effect, who, reason, until, time }: EventRecord): string {
  const end = typeof until === 'string' ? ` until ${timeText(until, Date.parse(time))}` : ''
  return `${effect}${end} by ${who}${reason === undefined ? '' : `: ${reason}`}`
}

function messageOf({ service, msg }: EventRecord): string {
  return msg.startsWith(`${service}: `) ? msg.slice(`${service}: `.length) : msg
}

function detailOf({ event, msg, reason, detail, who }: EventRecord): string {
  if (event === 'director.connectivity-restored') return `; before: ${detail}`
  const isSaid = typeof detail === 'string' && detail.startsWith(`${reason} `)
  const author = who === undefined || msg.startsWith(`${who} `) ? null : `by ${who}`
  const words = [isSaid ? null : reason, detail, author].filter(
    word => typeof word === 'string' && word !== '' && !msg.includes(word),
  )
  return words.length === 0 ? '' : `: ${words.join(', ')}`
}
