/** One real server: why it is in its state, its checks phase by phase, and its last events. */

import { useEffect, useState } from 'preact/hooks'
import type { WhyCheck, WhyReal, WhyResults } from './api-types.js'
import { usePage } from './context.js'
import { EventList, useEvents } from './events-view.js'
import { useKeys } from './keyboard.js'
import { effectText, OverrideMark, StateMark, Strip } from './marks.js'
import { hashOf } from './routes.js'
import { Actions, weightText } from './service-view.js'
import { useStore } from './store.js'
import { agoText, asSentence, counted, fullTime, timeText } from './text.js'

const EVENTS = 50

export function RealView({ service, real }: { service: string; real: string }) {
  const { client, live, ask } = usePage()
  const overview = useStore(live.overview)
  const [answer, setAnswer] = useState<WhyReal | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  useEffect(() => {
    let isGone = false
    const failed = (error: Error) => {
      if (!isGone) setTrouble(error.message)
    }
    client.why({ service, real }).then(why => {
      if (isGone) return
      setAnswer(why)
      setTrouble(null)
    }, failed)
    return () => {
      isGone = true
    }
    // Again at each new overview, which comes at each event and each second.
  }, [service, real, overview])
  const { events } = useEvents({ service, real, limit: String(EVENTS) })
  const target = { service, real }
  useKeys({
    d: () => ask('drain', target),
    e: () => ask('enable', target),
    r: () => ask('recheck', target),
    Escape: () => location.assign(hashOf({ view: 'service', service })),
  })
  if (!answer) return <p class="empty">{trouble ?? 'The real server is being loaded.'}</p>
  const now = overview ? Date.parse(overview.now) : Date.now()
  const { sentence, checks, overrides, table } = answer
  const { state, since, weight, override } = answer.real
  return (
    <>
      <header class="title">
        <div class="row">
          <h1>
            <StateMark state={state} isShort /> <a href={hashOf({ view: 'service', service })}>{service}</a>{' '}
            <span aria-hidden="true">› </span>
            {real}
          </h1>
          {override && <OverrideMark override={override} now={now} />}
          <Actions service={service} real={real} />
        </div>
        <p class="sentence">{asSentence(sentence)}</p>
        {trouble && <p class="note alarm">{trouble}</p>}
      </header>
      <dl class="facts">
        <dt>State</dt>
        <dd>
          {state} since {fullTime(since)} ({agoText(since, now)})
        </dd>
        <dt>Weight</dt>
        <dd>
          {weight.kernel === null && weight.wanted === null
            ? 'not in the table'
            : `${weightText(weight)} in the table`}
          , configured {weight.configured}
        </dd>
        <dt>Kernel</dt>
        <dd>
          {table.written === null
            ? 'lvsd has written nothing since its start'
            : `${table.written.weight === null ? 'removed' : `weight ${table.written.weight} written`} ${agoText(table.written.at, now)} ago`}
        </dd>
        <dt>Overrides</dt>
        <dd>
          {overrides.length === 0
            ? 'none'
            : overrides
                .map(
                  each =>
                    `${effectText(each)} by ${each.who}${each.reason && `: ${each.reason}`}${each.counts ? '' : ' (not deciding)'}`,
                )
                .join('; ')}
        </dd>
      </dl>
      {checks.map(check => (
        <CheckCard key={check.name} check={check} now={now} />
      ))}
      <section>
        <h2>Events</h2>
        {events && <EventList events={events} isOfOne />}
      </section>
    </>
  )
}

function CheckCard({ check, now }: { check: WhyCheck; now: number }) {
  const { kind, target, state, since, expects, policy, streak, results, nextAt, isRunning, observers } = check
  return (
    <section class={`card check ${state}`}>
      <h2>
        <StateMark state={state} isShort /> {kind} <span class="address">{target}</span>
      </h2>
      <Strip results={check.strip} label={`last results of ${kind}`} />
      <dl class="facts">
        <dt>Expects</dt>
        <dd>{expects}</dd>
        <dt>State</dt>
        <dd>
          {state} for {agoText(since, now)}
          {streak > 0 && `, against it ${counted(streak, 'result')} in a row`}; down after{' '}
          {counted(policy.fall, 'failure')}, up after {counted(policy.rise, 'success', 'successes')}
        </dd>
        <dt>Next run</dt>
        <dd>{isRunning ? 'in progress' : nextAt === null ? 'none' : timeText(nextAt, now)}</dd>
        {check.hints && <HintFacts hints={check.hints} now={now} />}
        {observers.length > 0 && <dt>Asked by</dt>}
        {observers.map(({ director, isSelf, state: said, detail }) => (
          <dd key={director}>
            {director}
            {isSelf && ' (this)'} says {said}
            {detail !== null && `: ${detail}`}
          </dd>
        ))}
      </dl>
      <ol class="results" aria-label={`Last results of ${kind}`}>
        {results.map(group => (
          <Result key={group.from} group={group} now={now} />
        ))}
      </ol>
    </section>
  )
}

type Hints = NonNullable<WhyCheck['hints']>

/** What may bring the check forward, and what has done so last. */
function HintFacts({ hints: { sentinel, isKnocking, last }, now }: { hints: Hints; now: number }) {
  return (
    <>
      {sentinel && <dt>Sentinel</dt>}
      {sentinel && <dd>{sentinelText(sentinel, now)}</dd>}
      {isKnocking && <dt>Knocking</dt>}
      {isKnocking && <dd>the check comes as soon as the server listens</dd>}
      {last && <dt>Last hint</dt>}
      {last && (
        <dd>
          {timeText(last.at, now)}, checked early: {last.detail}
        </dd>
      )}
    </>
  )
}

const SENTINELS = {
  watching: 'watches',
  opening: 'is being opened',
  waiting: 'waits for its turn to be opened',
  closed: 'closed; the next passed check opens it',
  'left-out': 'none: the descriptors do not suffice for all, see LimitNOFILE',
} as const

function sentinelText(
  { state, since, restsUntil, idleLimit }: NonNullable<Hints['sentinel']>,
  now: number,
): string {
  const limit =
    idleLimit === null ? '' : `; the server closes idle connections after ${(idleLimit / 1000).toFixed(1)} s`
  if (restsUntil !== null)
    return `closed until ${timeText(restsUntil, now)}: a check timed out while it was open; if the server serves one connection at a time, remove sentinel: true${limit}`
  return `${since === null ? SENTINELS[state] : `watches since ${timeText(since, now)}`}${limit}`
}

function Result({ group, now }: { group: WhyResults; now: number }) {
  const { last, count, from, at, runs } = group
  const word = last.ok === null ? 'no verdict' : last.ok ? 'passed' : 'failed'
  const isNamed = last.reason !== null && !last.detail.startsWith(`${last.reason} `)
  const tone = last.ok === null ? 'unknown' : last.ok ? 'up' : 'down'
  return (
    <li>
      <span class={`state ${tone}`}>{word}</span> {count > 1 && `${count} times, ${timeText(from, now)} to `}
      {timeText(at, now)}: {isNamed && <code>{last.reason}</code>} <span class="reason">{last.detail}</span>{' '}
      {last.hint !== undefined && (
        <span class="dim">
          {count > 1 && 'one of them was '}checked early: {last.hint};{' '}
        </span>
      )}
      <Phases phases={last.phases} ms={last.ms} />
      {runs.length > 1 && (
        <ul class="runs" aria-label="Earlier runs">
          {runs.slice(1).map(run => (
            <li key={run.at}>
              {timeText(run.at, now)}: <Phases phases={named(run, last.phases)} ms={run.ms} />
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}

/** The phases of an earlier run: those of the last one, or none. */
function named({ phases }: WhyResults['runs'][number], last: WhyResults['last']['phases']) {
  return phases.map((ms, i) => ({ phase: last[i]?.phase ?? 'run', ms }))
}

function Phases({ phases, ms }: { phases: WhyResults['last']['phases']; ms: number }) {
  // The ends are rounded, not the differences, so that the parts add up.
  const ends = phases.map(each => Math.round(10 * each.ms) / 10)
  const parts = phases.map(({ phase }, i) => ({ phase, took: (ends[i] ?? 0) - (ends[i - 1] ?? 0) }))
  return (
    <span class="dim">
      {parts.map(({ phase, took }) => `${phase} ${took.toFixed(1)} ms`).join(', ')}
      {parts.length > 0 ? '; ' : ''}
      {ms.toFixed(1)} ms in all
    </span>
  )
}
