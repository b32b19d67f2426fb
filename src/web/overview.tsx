/** All services: those with trouble first, each with what is wrong, since when and why. */

import type { ServiceOverview, TroubledReal } from './api-types.js'
import { usePage } from './context.js'
import { directorTroubles } from './director-troubles.js'
import { Directors } from './directors.js'
import { EventList, useEvents } from './events-view.js'
import { FilterField, useCursorLink, useList } from './list.js'
import type { Series } from './live.js'
import { ShareBar, Sparkline, StateMark } from './marks.js'
import { useMedia } from './media.js'
import { NextAction, Reason, ServiceNotes } from './notes.js'
import { Plot } from './plot.js'
import { hashOf } from './routes.js'
import { useStore } from './store.js'
import { isRefusing, summaryOf } from './summary.js'
import { addressesOf, agoText, amount, counted, fullTime } from './text.js'

/** With room for the last events beside the services, and their number. */
const WIDE = '(min-width: 1400px)'
const RECENT = { limit: '30' }

export function Overview() {
  const { live } = usePage()
  const overview = useStore(live.overview)
  const series = useStore(live.series)
  const isWide = useMedia(WIDE)
  const services = overview?.services ?? []
  const list = useList({ items: services, keyOf: nameOf, hrefOf, textOf, rankOf })
  if (!overview) return <p class="empty">The overview is being loaded.</p>
  const now = Date.parse(overview.now)
  return (
    <>
      <h1 class="spoken">Overview</h1>
      <SummaryBar />
      <div class="beside">
        <div>
          <Plot series={series.get('')} label="Connections per second, all services" />
          <div class="tools">
            <FilterField list={list} placeholder="name, address, state" />
            <span>{counted(list.shown.length, 'service')}</span>
          </div>
          <ul class="services" aria-label="Services">
            {list.shown.map((service, i) => (
              <ServiceCard
                key={service.name}
                service={service}
                series={series.get(service.name)}
                now={now}
                isAt={i === list.cursor}
              />
            ))}
          </ul>
          {list.shown.length === 0 && (
            <p class="empty">
              {list.filter === '' ? 'The configuration has no service.' : 'No service matches the filter.'}
            </p>
          )}
          {(overview.cluster?.directors.length ?? 0) > 1 && <Directors overview={overview} />}
        </div>
        {isWide && <RecentEvents />}
      </div>
    </>
  )
}

function RecentEvents() {
  const { events } = useEvents(RECENT)
  return (
    <aside class="recent" aria-labelledby="recent">
      <h2 id="recent">
        Last events <a href={hashOf({ view: 'events', service: '', real: '', level: '' })}>all</a>
      </h2>
      {events && <EventList events={events} />}
    </aside>
  )
}

/** One sentence on everything, and what else is wrong. */
function SummaryBar() {
  const { live } = usePage()
  const overview = useStore(live.overview)
  if (!overview) return null
  const troubles = directorTroubles(overview)
  const { tone, headline, others, counts } = summaryOf(overview, troubles.length > 0)
  return (
    <section class={`summary ${tone}`} aria-label="Summary">
      <strong>
        <span aria-hidden="true">{SHAPES[tone]} </span>
        {headline}
      </strong>
      {others.map(text => (
        <span key={text}>{text}</span>
      ))}
      <span class="counts">{counts}</span>
      {troubles.length > 0 && (
        <ul aria-label="Troubles of the director">
          {troubles.map(({ text, view }) => (
            <li key={text}>
              <span aria-hidden="true">! </span>
              {text} <a href={hashOf({ view })}>{LINKS[view]}</a>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

const SHAPES = { good: '●', poor: '▲', bad: '✕' } as const
const LINKS = { plan: 'See the plan', director: 'See the director' } as const

interface ServiceCardProps {
  readonly service: ServiceOverview
  readonly series: Series | undefined
  readonly now: number
  readonly isAt: boolean
}

function ServiceCard({ service, series, now, isAt }: ServiceCardProps) {
  const { name, nameTrouble, state, since, panic, totals, counters, weight } = service
  const link = useCursorLink(isAt)
  const all = totals.up + totals.down + totals.unknown
  const hidden = service.troubledCount - service.troubled.length
  return (
    <li class={`card ${state}${service.troubled.length > 0 || panic ? ' troubled' : ''}${isAt ? ' at' : ''}`}>
      <div class="line">
        <StateMark state={state} isShort />
        <a class="name row-link" ref={link} href={hashOf({ view: 'service', service: name })}>
          {name}
        </a>
        <span class="address">{addressesOf(service) ?? nameTrouble}</span>
        <ShareBar part={weight.kernel} whole={weight.configured} label="Weight in service" />
        <span class="count">
          {totals.up}/{all} up
        </span>
        <span class="rate">
          <Sparkline values={series?.values ?? []} label={`Connections per second of ${name}`} />
          <span>{amount(counters?.connectionRate ?? 0)}/s</span>
        </span>
        <span class="since">
          {since === null ? '' : <time title={fullTime(since)}>{agoText(since, now)}</time>}
        </span>
      </div>
      <ServiceNotes service={service} now={now} />
      {service.troubled.length > 0 && (
        <ul class="troubles" aria-label={`Real servers of ${name} that need attention`}>
          {service.troubled.map(real => (
            <Trouble key={real.name} real={real} service={name} now={now} />
          ))}
          {hidden > 0 && (
            <li>
              <a href={hashOf({ view: 'service', service: name })}>and {hidden} more</a>
            </li>
          )}
        </ul>
      )}
    </li>
  )
}

function Trouble({ real, service, now }: { real: TroubledReal; service: string; now: number }) {
  const { name, state, since } = real
  return (
    <li>
      <span>
        <StateMark state={state} isShort /> <a href={hashOf({ view: 'real', service, real: name })}>{name}</a>{' '}
        <span class="dim">
          {state} for <time title={fullTime(since)}>{agoText(since, now)}</time>
        </span>{' '}
        <span class="reason">
          <Reason real={real} now={now} />
        </span>
      </span>
      <NextAction service={service} real={real} />
    </li>
  )
}

const nameOf = ({ name }: ServiceOverview) => name
const hrefOf = ({ name }: ServiceOverview) => hashOf({ view: 'service', service: name })

function textOf(service: ServiceOverview): string {
  const { name, state, troubled } = service
  return `${name} ${addressesOf(service)} ${state} ${troubled.map(real => `${real.name} ${real.reason}`).join(' ')}`
}

/** Refused clients, the fallback alone, panic, failed real servers, others to look at, all well. */
function rankOf(service: ServiceOverview): number {
  const { state, panic, failed, fallback, troubledCount } = service
  const ranked = [
    isRefusing(service),
    fallback?.inUse,
    state === 'unknown',
    panic,
    failed > 0,
    troubledCount > 0,
  ]
  const at = ranked.findIndex(Boolean)
  return at === -1 ? ranked.length : at
}
