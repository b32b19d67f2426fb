/** What a reload of the configuration would change, and the reload. */

import { useEffect, useState } from 'preact/hooks'
import type { ChangeDocument, PlanDocument, ReloadOutcome } from './api-types.js'
import type { ProblemLine, RequestFailed } from './client.js'
import { usePage } from './context.js'
import { asSentence, counted } from './text.js'

export function PlanView() {
  const { client, say } = usePage()
  const [plan, setPlan] = useState<PlanDocument | null>(null)
  const [failed, setFailed] = useState<RequestFailed | null>(null)
  const [done, setDone] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(true)
  const look = () => {
    setBusy(true)
    setFailed(null)
    client
      .get<PlanDocument>('v1/plan')
      .then(setPlan, (error: RequestFailed) => {
        setPlan(null)
        setFailed(error)
      })
      .finally(() => setBusy(false))
  }
  useEffect(look, [])
  const reload = async () => {
    setBusy(true)
    setDone(null)
    try {
      const { message } = await client.post<ReloadOutcome>('v1/reload', {})
      setDone(message)
      say(message)
      look()
    } catch (error) {
      setFailed(error as RequestFailed)
      setBusy(false)
    }
  }
  return (
    <>
      <h1>Plan</h1>
      <p>What changes in the table if the director reads its configuration file again now.</p>
      <div class="actions">
        <button type="button" onClick={look} disabled={isBusy}>
          Plan again
        </button>
        <button type="button" class="main" onClick={reload} disabled={isBusy || !plan}>
          Reload
        </button>
      </div>
      {done && <p class="note good">{done}</p>}
      {failed && <Failure failed={failed} />}
      {plan && <Changes changes={plan.changes} />}
      {plan?.troubles.map(trouble => (
        <p key={trouble} class="note alarm">
          {trouble}
        </p>
      ))}
      {isBusy && <p class="empty">The plan is being made.</p>}
    </>
  )
}

function Changes({ changes }: { changes: readonly ChangeDocument[] }) {
  if (changes.length === 0) return <p class="note good">Nothing changes in the table.</p>
  return (
    <>
      <h2>{counted(changes.length, 'change')}</h2>
      <ul class="changes">
        {changes.map(change => {
          const kind = change.op.split('-')[0] as keyof typeof SIGNS
          return (
            <li key={`${change.op} ${change.service} ${change.real}`} class={kind}>
              <code>
                {SIGNS[kind]} {change.service} {change.real ?? ''} {attributesText(change)}
              </code>
            </li>
          )
        })}
      </ul>
    </>
  )
}

const SIGNS = { add: '+', set: '~', delete: '-' } as const

/** What is new; of a change only what is different. */
function attributesText({ to, was }: Pick<ChangeDocument, 'to' | 'was'>): string {
  const before = (was ?? {}) as Readonly<Record<string, unknown>>
  const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
  return Object.entries(to ?? {})
    .filter(([name, value]) => text(value) !== text(before[name]) && SHOWN.has(name))
    .map(([name, value]) => `${name} ${was ? `${text(before[name])} → ` : ''}${text(value)}`)
    .join(', ')
}

const SHOWN: ReadonlySet<string> = new Set([
  'scheduler',
  'schedulerFlags',
  'persistence',
  'onePacket',
  'forwarding',
  'weight',
  'upper',
  'lower',
])

function Failure({ failed }: { failed: RequestFailed }) {
  return (
    <div role="alert">
      <p class="note alarm">
        <span aria-hidden="true">! </span>
        {asSentence(failed.message)}
      </p>
      <Problems problems={failed.problems} />
    </div>
  )
}

function errorsFirst(a: ProblemLine, b: ProblemLine): number {
  const rank = ({ severity = 'error' }: ProblemLine) => (severity === 'error' ? 0 : 1)
  return rank(a) - rank(b)
}

function Problems({ problems }: { problems: readonly ProblemLine[] }) {
  return (
    <ul class="problems">
      {problems.toSorted(errorsFirst).map(({ path, line, column, message, severity = 'error' }) => (
        <li key={`${line}:${column} ${message}`}>
          <span class={`level ${severity}`}>{severity}</span>{' '}
          <code>{[path, line, column].filter(part => part !== undefined).join(':')}</code> {message}
        </li>
      ))}
    </ul>
  )
}
