/** One service with its real servers. */

import { useEffect, useMemo, useState } from 'preact/hooks'
import type { ListedReal } from './api-types.js'
import { usePage } from './context.js'
import { useKeys } from './keyboard.js'
import { OverrideMark, ruleTexts, ShareBar, StateMark, Strip } from './marks.js'
import { Plot } from './plot.js'
import { hashOf } from './routes.js'
import { useStore } from './store.js'
import { agoText, amount, counted, fullTime } from './text.js'
import { VirtualRows } from './virtual-rows.js'

const ROW_HEIGHT = { wide: 44, narrow: 104 } as const
const NARROW = '(max-width: 719px)'

export function ServiceView({ name }: { name: string }) {
  const { live, ask } = usePage()
  const service = useStore(live.service)
  const trouble = useStore(live.serviceTrouble)
  const series = useStore(live.series)
  const overview = useStore(live.overview)
  const [filter, setFilter] = useState('')
  const [cursor, setCursor] = useState(-1)
  const isNarrow = useMedia(NARROW)
  useEffect(() => {
    live.show(name)
    return () => live.show(null)
  }, [name])
  const reals = useMemo(() => chosen(service?.reals ?? [], filter), [service, filter])
  const at = reals[cursor]
  const move = (step: number) => () => setCursor(Math.min(Math.max(cursor + step, 0), reals.length - 1))
  const act = (kind: 'drain' | 'enable' | 'recheck') => () =>
    ask(kind, { service: name, real: at ? at.name : null })
  useKeys({
    ArrowDown: move(1),
    j: move(1),
    ArrowUp: move(-1),
    k: move(-1),
    PageDown: move(15),
    PageUp: move(-15),
    Home: () => setCursor(0),
    End: () => setCursor(reals.length - 1),
    '/': () => document.getElementById('filter')?.focus(),
    Enter: () => at && location.assign(hashOf({ view: 'real', service: name, real: at.name })),
    d: act('drain'),
    e: act('enable'),
    r: act('recheck'),
    Escape: () => location.assign(hashOf({ view: 'overview' })),
  })
  if (trouble) return <p class="empty">{trouble}</p>
  if (!service || !overview) return <p class="empty">The service is being loaded.</p>
  const now = Date.parse(overview.now)
  const { key, scheduler, state, since, panic, totals, fallback } = service
  const sum = (of: (real: ListedReal) => number) => service.reals.reduce((all, real) => all + of(real), 0)
  return (
    <>
      <header class="title">
        <h1>
          <StateMark state={state} isShort /> {service.name}
        </h1>
        <p>
          {key ?? service.nameTrouble} <span class="dim">scheduler {scheduler}</span>{' '}
          {since !== null && (
            <span class="dim">
              {state} for <time title={fullTime(since)}>{agoText(since, now)}</time>
            </span>
          )}
        </p>
        <p>
          <ShareBar
            part={sum(real => real.weight.kernel ?? 0)}
            whole={sum(real => real.weight.configured)}
            label="Weight in service"
          />{' '}
          {totals.up} of {counted(service.reals.length, 'real server')} up
        </p>
        <Actions service={name} real={null} />
      </header>
      {!service.inKernel && <p class="note alarm">The kernel does not have this service.</p>}
      {panic && (
        <p class="note alarm">
          Panic since {agoText(panic.since, now)}: {counted(panic.held.length, 'failed real server')} keep
          their weights, at the latest until {fullTime(panic.until)}.
        </p>
      )}
      {fallback && (
        <p class={`note ${fallback.inUse ? 'alarm' : ''}`}>
          Fallback {fallback.name}: {fallback.inUse ? 'in use' : 'not in use'}.
        </p>
      )}
      <Plot series={series.get(service.name)} label="Connections per second" />
      <div class="tools">
        <label>
          Filter{' '}
          <input
            id="filter"
            type="search"
            value={filter}
            placeholder="address, state, reason"
            onInput={event => {
              setFilter(event.currentTarget.value)
              setCursor(-1)
            }}
            onKeyDown={event => event.key === 'Escape' && event.currentTarget.blur()}
          />
        </label>
        <span>{counted(reals.length, 'real server')}</span>
        <a href={hashOf({ view: 'events', service: name, real: '', level: '' })}>events</a>
      </div>
      <div class="reals" role="table" aria-label={`Real servers of ${name}`} aria-rowcount={reals.length + 1}>
        <div class="head" role="row" aria-rowindex={1}>
          {COLUMNS.map(column => (
            <span key={column} role="columnheader">
              {column}
            </span>
          ))}
        </div>
        <VirtualRows
          items={reals}
          keyOf={real => real.name}
          rowHeight={isNarrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide}
          cursor={cursor}
          render={(real, i) => <RealRow real={real} service={name} now={now} index={i} isAt={i === cursor} />}
        />
      </div>
    </>
  )
}

const COLUMNS = ['State', 'Real server', 'Weight', 'Connections', 'Results', 'Since', 'Reason'] as const

interface RealRowProps {
  readonly real: ListedReal
  readonly service: string
  readonly now: number
  readonly index: number
  readonly isAt: boolean
}

function RealRow({ real, service, now, index, isAt }: RealRowProps) {
  const { since, override, slowStart, damping, down } = real
  const hasClock = override || slowStart || damping || down
  // A row that would look the same is not compared again: with each update most are so.
  return useMemo(
    () => drawnRow({ real, service, now, index, isAt }),
    [JSON.stringify(real), service, index, isAt, hasClock ? now : agoText(since, now)],
  )
}

function drawnRow({ real, service, now, index, isAt }: RealRowProps) {
  const { name, state, since, weight, counters, override, reason } = real
  return (
    <div class={`real ${state}${isAt ? ' at' : ''}`} role="row" aria-rowindex={index + 2}>
      <span role="cell">
        <StateMark state={state} />
      </span>
      <span role="cell" class="name">
        <a href={hashOf({ view: 'real', service, real: name })}>{name}</a>
      </span>
      <span role="cell" class="number">
        {weightText(weight)}
      </span>
      <span role="cell" class="number">
        {counters ? `${amount(counters.active)} + ${amount(counters.inactive)}` : ''}
      </span>
      <span role="cell">
        <Strip results={real.strip} />
      </span>
      <span role="cell" class="since">
        <time title={fullTime(since)}>{agoText(since, now)}</time>
      </span>
      <span role="cell" class="reason" title={reason}>
        {override && <OverrideMark override={override} now={now} />}
        {ruleTexts(real, now).map(text => (
          <span key={text} class="badge">
            {text}
          </span>
        ))}
        {reason}
      </span>
    </div>
  )
}

/** The weight in the kernel; with the wanted one where that differs. */
export function weightText({ wanted, kernel }: ListedReal['weight']): string {
  const text = (weight: number | null) => (weight === null ? 'out' : String(weight))
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

const RANK = { down: 0, unknown: 1, up: 2 } as const

/** Those that match, with trouble first, else in the order of the configuration. */
function chosen(reals: readonly ListedReal[], filter: string): readonly ListedReal[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const rank = ({ state, override }: ListedReal) => RANK[state] * 2 + (override ? 0 : 1)
  const matching =
    words.length === 0
      ? [...reals]
      : reals.filter(({ name, state, reason, override }) => {
          const text = `${name} ${state} ${reason} ${override ? `${override.effect} ${override.who}` : ''}`
          return words.every(word => text.toLowerCase().includes(word))
        })
  return matching.sort((a, b) => rank(a) - rank(b))
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const hear = () => setMatches(list.matches)
    list.addEventListener('change', hear)
    return () => list.removeEventListener('change', hear)
  }, [query])
  return matches
}
