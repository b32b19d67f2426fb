/** The events of the director, filtered, the newest first. */

import { Fragment } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { EventRecord } from './api-types.js'
import { usePage } from './context.js'
import { byDay, eventText } from './event-text.js'
import { useKeys } from './keyboard.js'
import { hashOf, type Route } from './routes.js'
import { useStore } from './store.js'
import { clockText, fullTime } from './text.js'

const MOST = 200
const LEVELS = { info: 'information', warn: 'warning', error: 'error' } as const

type EventsRoute = Extract<Route, { view: 'events' }>

export function EventsView({ route }: { route: EventsRoute }) {
  const { service, real, level } = route
  const { events, trouble } = useEvents({ service, real, level, limit: String(MOST) })
  const change = (part: Partial<EventsRoute>) => location.replace(hashOf({ ...route, ...part }))
  useKeys({ '/': () => document.getElementById('service')?.focus() })
  return (
    <>
      <h1>Events</h1>
      <div class="tools">
        <label>
          Service{' '}
          <input
            id="service"
            type="search"
            value={service}
            onChange={event => change({ service: event.currentTarget.value })}
          />
        </label>
        <label>
          Real server{' '}
          <input type="search" value={real} onChange={event => change({ real: event.currentTarget.value })} />
        </label>
        <label>
          Level{' '}
          <select value={level} onChange={event => change({ level: event.currentTarget.value })}>
            <option value="">all</option>
            <option value="warn">warnings and errors</option>
            <option value="error">errors</option>
          </select>
        </label>
      </div>
      {trouble && <p class="note alarm">{trouble}</p>}
      {events === null ? <p class="empty">The events are being loaded.</p> : <EventList events={events} />}
    </>
  )
}

interface Events {
  /** The newest first; null before the first answer. */
  readonly events: readonly EventRecord[] | null
  readonly trouble: string | null
}

/** Asks for these events, again at each new one. */
export function useEvents(query: Readonly<Record<string, string>>): Events {
  const { client, live } = usePage()
  const newest = useStore(live.events)[0]?.id
  const [known, setKnown] = useState<Events>({ events: null, trouble: null })
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString()
  useEffect(() => {
    let isGone = false
    client.events(Object.fromEntries(new URLSearchParams(asked))).then(
      ({ events }) => isGone || setKnown({ events: events.toReversed(), trouble: null }),
      (error: Error) => isGone || setKnown(({ events }) => ({ events, trouble: error.message })),
    )
    return () => {
      isGone = true
    }
  }, [asked, newest])
  return known
}

interface EventListProps {
  readonly events: readonly EventRecord[]
  /** All are about the subject of the page, which is not named again. */
  readonly isOfOne?: boolean
}

/** The events of each day below it: a page may be open for longer than a day, and only news draw its list again. */
export function EventList({ events, isOfOne = false }: EventListProps) {
  if (events.length === 0) return <p class="empty">No event.</p>
  return (
    <>
      {byDay(events).map(([day, ofDay]) => (
        <Fragment key={ofDay.at(-1)?.id}>
          <p class="day">{day}</p>
          <EventsOfDay events={ofDay} isOfOne={isOfOne} />
        </Fragment>
      ))}
    </>
  )
}

function EventsOfDay({ events, isOfOne }: Required<EventListProps>) {
  return (
    <ol class="events">
      {events.map(event => (
        <li key={event.id} class={event.level}>
          <time title={fullTime(event.time)}>{clockText(Date.parse(event.time) / 1000)}</time>
          <span class={`level ${event.level}`}>{LEVELS[event.level]}</span>
          <code>{event.event}</code>
          <span class="message">
            {isOfOne ? null : subjectOf(event)}
            {eventText(event)}
          </span>
        </li>
      ))}
    </ol>
  )
}

function subjectOf({ service, real }: EventRecord) {
  if (typeof service !== 'string') return null
  const name = typeof real === 'string' ? `${service}/${real}` : service
  const route: Route =
    typeof real === 'string' ? { view: 'real', service, real } : { view: 'service', service }
  return (
    <>
      <a href={hashOf(route)}>{name}</a>{' '}
    </>
  )
}
