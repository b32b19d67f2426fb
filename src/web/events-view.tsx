/** The events of the director, filtered, the newest first. */

import { useEffect, useState } from 'preact/hooks'
import type { EventRecord } from './api-types.js'
import { usePage } from './context.js'
import { useKeys } from './keyboard.js'
import { hashOf, type Route } from './routes.js'
import { useStore } from './store.js'
import { fullTime, timeText } from './text.js'

const MOST = 200
const LEVELS = { info: 'information', warn: 'warning', error: 'error' } as const

type EventsRoute = Extract<Route, { view: 'events' }>

export function EventsView({ route }: { route: EventsRoute }) {
  const { client, live } = usePage()
  const newest = useStore(live.events)[0]?.id
  const [events, setEvents] = useState<readonly EventRecord[] | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  const { service, real, level } = route
  useEffect(() => {
    const asked = Object.entries({ service, real, level }).filter(([, value]) => value !== '')
    client.events({ ...Object.fromEntries(asked), limit: String(MOST) }).then(
      ({ events }) => {
        setEvents(events.toReversed())
        setTrouble(null)
      },
      (error: Error) => setTrouble(error.message),
    )
  }, [service, real, level, newest])
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
      {events === null ? (
        <p class="empty">The events are being loaded.</p>
      ) : (
        <EventList events={events} now={Date.now()} />
      )}
    </>
  )
}

export function EventList({ events, now }: { events: readonly EventRecord[]; now: number }) {
  if (events.length === 0) return <p class="empty">No event.</p>
  return (
    <ol class="events">
      {events.map(event => (
        <li key={event.id} class={event.level}>
          <time title={fullTime(event.time)}>{timeText(event.time, now)}</time>
          <span class={`level ${event.level}`}>{LEVELS[event.level]}</span>
          <code>{event.event}</code>
          <span class="message">
            {subjectOf(event)}
            {event.msg}
            {detailOf(event)}
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

function detailOf({ reason, detail, who }: EventRecord): string {
  const words = [reason, detail, who === undefined ? null : `by ${who}`].filter(
    word => typeof word === 'string' && word !== '',
  )
  return words.length === 0 ? '' : `: ${words.join(', ')}`
}
