/** One service with its real servers. */

import { useEffect, useMemo } from 'preact/hooks'
import type { ListedReal, ServiceListing } from './api-types.js'
import { usePage } from './context.js'
import { useKeys } from './keyboard.js'
import { FilterField, useCursorLink, useList } from './list.js'
import { isHeldDown, ShareBar, StateMark, Strip } from './marks.js'
import { useMedia } from './media.js'
import { Reason, ServiceNotes } from './notes.js'
import { Plot } from './plot.js'
import { hashOf } from './routes.js'
import { useStore } from './store.js'
import { addressesOf, agoText, amount, counted, fullTime } from './text.js'
import { VirtualRows } from './virtual-rows.js'

/** As in app.css. */
const ROW_HEIGHT = { wide: 40, medium: 64, narrow: 132 } as const
const NARROW = '(max-width: 719px)'
const MEDIUM = '(max-width: 1399px)'

const NO_REALS: readonly ListedReal[] = []

export function ServiceView({ name }: { name: string }) {
  const { live, ask } = usePage()
  const service = useStore(live.service)
  const trouble = useStore(live.serviceTrouble)
  const series = useStore(live.series)
  const overview = useStore(live.overview)
  const isNarrow = useMedia(NARROW)
  const isMedium = useMedia(MEDIUM)
  useEffect(() => {
    live.show(name)
    return () => live.show(null)
  }, [name])
  const list = useList({
    items: service?.reals ?? NO_REALS,
    keyOf: nameOf,
    hrefOf: real => hashOf({ view: 'real', service: name, real: real.name }),
    textOf,
    rankOf,
  })
  const { shown, cursor } = list
  const act = (kind: 'drain' | 'enable' | 'recheck') => () =>
    ask(kind, { service: name, real: list.current()?.name ?? null })
  useKeys({
    d: act('drain'),
    e: act('enable'),
    r: act('recheck'),
    Escape: () => location.assign(hashOf({ view: 'overview' })),
  })
  if (trouble) return <p class="empty">{trouble}</p>
  if (!service || !overview) return <p class="empty">The service is being loaded.</p>
  const now = Date.parse(overview.now)
  return (
    <>
      <Head service={service} now={now} />
      <ServiceNotes service={service} now={now} />
      <Plot series={series.get(service.name)} label="Connections per second" />
      <div class="tools">
        <FilterField list={list} placeholder="address, state, reason" />
        <span>{counted(shown.length, 'real server')}</span>
        <a href={hashOf({ view: 'events', service: name, real: '', level: '' })}>Events of {name}</a>
      </div>
      <div class="reals" role="table" aria-label={`Real servers of ${name}`} aria-rowcount={shown.length + 1}>
        <div class="head" role="row" aria-rowindex={1}>
          {COLUMNS.map(({ name, title, isNumber }) => (
            <span key={name} role="columnheader" title={title} class={isNumber ? 'number' : undefined}>
              {name}
            </span>
          ))}
        </div>
        <VirtualRows
          items={shown}
          keyOf={nameOf}
          rowHeight={ROW_HEIGHT[isNarrow ? 'narrow' : isMedium ? 'medium' : 'wide']}
          cursor={cursor}
          render={(real, i) => <RealRow real={real} service={name} now={now} index={i} isAt={i === cursor} />}
        />
      </div>
    </>
  )
}

function Head({ service, now }: { service: ServiceListing; now: number }) {
  const { name, nameTrouble, scheduler, state, since, totals, reals, fallback } = service
  const sum = (of: (real: ListedReal) => number) => reals.reduce((all, real) => all + of(real), 0)
  return (
    <header class="title row">
      <h1>
        <StateMark state={state} isShort /> {name}
      </h1>
      <span class="address">{addressesOf(service) ?? nameTrouble}</span>
      <span>
        {totals.up} of {counted(reals.length, 'real server')} up
      </span>
      <ShareBar
        part={sum(real => real.weight.kernel ?? 0)}
        whole={sum(real => real.weight.configured)}
        label="Weight in service"
      />
      <span class="dim">
        {since !== null && (
          <>
            {state} for <time title={fullTime(since)}>{agoText(since, now)}</time>,{' '}
          </>
        )}
        scheduler {scheduler}
        {fallback && !fallback.inUse && `, fallback ${fallback.name} in reserve`}
      </span>
      <Actions service={name} real={null} />
    </header>
  )
}

const COLUMNS = [
  { name: 'State' },
  { name: 'Real server' },
  { name: 'Weight', title: 'In the table of the kernel', isNumber: true },
  { name: 'Active', title: 'Active connections', isNumber: true },
  { name: 'Inactive', title: 'Inactive connections', isNumber: true },
  { name: 'Last results', title: 'Of the last hundred checks, the newest on the right' },
  { name: 'Since' },
  { name: 'Reason' },
] as readonly { readonly name: string; readonly title?: string; readonly isNumber?: true }[]

interface RealRowProps {
  readonly real: ListedReal
  readonly service: string
  readonly now: number
  readonly index: number
  readonly isAt: boolean
}

/** With each update the connections of most rows change, and nothing else: the other cells are not compared again. */
function RealRow({ real, service, now, index, isAt }: RealRowProps) {
  const link = useCursorLink(isAt)
  const { name, state, since, weight, counters, override, slowStart, damping, down } = real
  const hasClock = override || slowStart || damping || down
  const ago = agoText(since, now)
  const first = useMemo(
    () => (
      <>
        <span role="cell">
          <StateMark state={state} />
        </span>
        <span role="cell" class="name" title={name}>
          <a class="row-link" ref={link} href={hashOf({ view: 'real', service, real: name })}>
            {name}
          </a>
        </span>
        <span role="cell" class="number weight">
          {weightText(weight)}
        </span>
      </>
    ),
    [state, name, service, weightText(weight)],
  )
  const strip = useMemo(
    () => (
      <span role="cell">
        <Strip results={real.strip} />
      </span>
    ),
    [real.strip],
  )
  const last = useMemo(
    () => (
      <>
        <span role="cell" class="since">
          <time title={fullTime(since)}>{ago}</time>
        </span>
        <span role="cell" class="reason" title={real.reason}>
          <Reason real={real} now={now} />
        </span>
      </>
    ),
    [since, ago, real.reason, real.checkReason, hasClock ? now : 0],
  )
  return (
    <div
      class={`real ${isHeldDown(override) ? 'held' : state}${isAt ? ' at' : ''}`}
      role="row"
      aria-rowindex={index + 2}
    >
      {first}
      <span role="cell" class="number">
        {counters ? amount(counters.active) : ''}
      </span>
      <span role="cell" class="number">
        {counters ? amount(counters.inactive) : ''}
      </span>
      {strip}
      {last}
    </div>
  )
}

/** The weight in the kernel; with the wanted one where that differs. `–`: not in the table. */
export function weightText({ wanted, kernel }: ListedReal['weight']): string {
  const text = (weight: number | null) => (weight === null ? '–' : String(weight))
  return wanted === kernel ? text(kernel) : `${text(kernel)} → ${text(wanted)}`
}

export function Actions({ service, real }: { service: string; real: string | null }) {
  const { ask } = usePage()
  const target = { service, real }
  return (
    <div class="actions" role="group" aria-label="Actions">
      <button type="button" onClick={() => ask('drain', target)}>
        Drain…
      </button>
      <button type="button" onClick={() => ask('enable', target)}>
        Enable…
      </button>
      <button type="button" onClick={() => ask('recheck', target)}>
        Recheck
      </button>
    </div>
  )
}

const nameOf = ({ name }: ListedReal) => name

/** Failed, not judged yet, held down, up with an override or a rule, up. */
function rankOf({ state, override, slowStart, damping }: ListedReal): number {
  if (state === 'unknown') return 1
  if (state === 'down') return isHeldDown(override) ? 2 : 0
  return override || slowStart || damping ? 3 : 4
}

function textOf({ name, state, reason, override }: ListedReal): string {
  return `${name} ${state} ${reason} ${override ? `${override.effect} ${override.who}` : ''}`
}
