/** All services: those with trouble first, each with what is wrong, since when and why. */

import { useState } from 'preact/hooks'
import type { ServiceOverview, TroubledReal } from './api-types.js'
import { usePage } from './context.js'
import { directorTroubles } from './director-troubles.js'
import { useKeys } from './keyboard.js'
import type { Series } from './live.js'
import { effectText, ShareBar, Sparkline, StateMark } from './marks.js'
import { Plot } from './plot.js'
import { hashOf } from './routes.js'
import { useStore } from './store.js'
import { agoText, amount, counted, fullTime } from './text.js'

export function Overview() {
  const { live } = usePage()
  const overview = useStore(live.overview)
  const series = useStore(live.series)
  const [filter, setFilter] = useState('')
  const [cursor, setCursor] = useState(-1)
  const services = overview ? chosen(overview.services, filter) : []
  const move = (step: number) => () => {
    const next = Math.min(Math.max(cursor + step, 0), services.length - 1)
    setCursor(next)
    document.querySelectorAll<HTMLElement>('.services .name')[next]?.focus()
  }
  useKeys({
    ArrowDown: move(1),
    j: move(1),
    ArrowUp: move(-1),
    k: move(-1),
    '/': () => document.getElementById('filter')?.focus(),
  })
  if (!overview) return <p class="empty">The overview is being loaded.</p>
  const now = Date.parse(overview.now)
  return (
    <>
      <h1 class="spoken">Overview</h1>
      <Summary />
      <Plot series={series.get('')} label="Connections per second, all services" />
      <div class="tools">
        <label>
          Filter{' '}
          <input
            id="filter"
            type="search"
            value={filter}
            placeholder="name, address, state"
            onInput={event => setFilter(event.currentTarget.value)}
            onKeyDown={event => event.key === 'Escape' && event.currentTarget.blur()}
          />
        </label>
        <span>{counted(services.length, 'service')}</span>
      </div>
      <ul class="services" aria-label="Services">
        {services.map(service => (
          <ServiceCard key={service.name} service={service} series={series.get(service.name)} now={now} />
        ))}
      </ul>
      {services.length === 0 && (
        <p class="empty">
          {filter === '' ? 'The configuration has no service.' : 'No service matches the filter.'}
        </p>
      )}
    </>
  )
}

/** One sentence on everything, and what else is wrong with the director. */
function Summary() {
  const { live } = usePage()
  const overview = useStore(live.overview)
  if (!overview) return null
  const { services, totals, isolation, cluster } = overview
  const isCutOff = isolation !== null || (cluster?.connectivity?.lost ?? null) !== null
  const troubles = directorTroubles(overview)
  const refused = services.filter(({ state }) => state === 'down')
  const reduced = services.filter(({ state, totals: { down } }) => state !== 'down' && down > 0)
  const overridden = services.reduce((sum, service) => sum + service.overridden, 0)
  const tone = isCutOff || refused.length > 0 ? 'bad' : reduced.length + troubles.length > 0 ? 'poor' : 'good'
  const text =
    refused.length > 0
      ? `${counted(refused.length, 'service')} without a healthy real server`
      : reduced.length > 0
        ? `${counted(reduced.length, 'service')} with failed real servers`
        : 'All services are healthy'
  return (
    <section class={`summary ${tone}`} aria-label="Summary">
      <strong>{text}</strong>
      <span>
        {totals.up} of {totals.up + totals.down + totals.unknown} real servers up
        {totals.down > 0 && `, ${totals.down} down`}
        {totals.unknown > 0 && `, ${totals.unknown} not judged yet`}
        {overridden > 0 && `, ${overridden} in maintenance`}
      </span>
      {troubles.length > 0 && (
        <ul aria-label="Troubles of the director">
          {troubles.map(({ text, view }) => (
            <li key={text}>
              <span aria-hidden="true">! </span>
              {text} <a href={hashOf({ view })}>{view}</a>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function ServiceCard({
  service,
  series,
  now,
}: {
  service: ServiceOverview
  series: Series | undefined
  now: number
}) {
  const { name, key, nameTrouble, state, since, panic, totals, counters, fallback, weight } = service
  const all = totals.up + totals.down + totals.unknown
  const hidden = service.troubledCount - service.troubled.length
  return (
    <li class={`card ${state}${service.troubled.length > 0 || panic ? ' troubled' : ''}`}>
      <div class="line">
        <StateMark state={state} isShort />
        <a class="name" href={hashOf({ view: 'service', service: name })}>
          {name}
        </a>
        <span class="address">{key ?? nameTrouble}</span>
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
      {panic && (
        <p class="note alarm">
          Panic since {agoText(panic.since, now)}: {counted(panic.held.length, 'failed real server')} keep
          their weights.
        </p>
      )}
      {fallback?.inUse && <p class="note alarm">The fallback {fallback.name} serves.</p>}
      {state === 'down' && !fallback?.inUse && <p class="note alarm">Clients are refused.</p>}
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
  const { name, state, since, reason, override } = real
  return (
    <li>
      <StateMark state={state} isShort /> <a href={hashOf({ view: 'real', service, real: name })}>{name}</a>{' '}
      <span class="dim">
        {state} for <time title={fullTime(since)}>{agoText(since, now)}</time>
      </span>{' '}
      {override && <span class="badge held">{`${effectText(override)} by ${override.who}`}</span>}{' '}
      <span class="reason">{reason}</span>
    </li>
  )
}

const RANK = { down: 0, unknown: 1, up: 2 } as const

function chosen(services: readonly ServiceOverview[], filter: string): ServiceOverview[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const rank = ({ state, totals, panic, troubledCount }: ServiceOverview) =>
    RANK[state] * 4 + (panic ? 0 : totals.down > 0 ? 1 : troubledCount > 0 ? 2 : 3)
  return services
    .filter(({ name, key, state, troubled }) => {
      const text = `${name} ${key} ${state} ${troubled.map(real => `${real.name} ${real.reason}`).join(' ')}`
      return words.every(word => text.toLowerCase().includes(word))
    })
    .sort((a, b) => rank(a) - rank(b))
}
