/** What a reload of the configuration would change, and the reload. */

import { useEffect, useState } from 'preact/hooks'
import type { ReloadOutcome } from './api-types.js'
import type { ProblemLine, RequestFailed } from './client.js'
import { usePage } from './context.js'
import { counted } from './text.js'

export interface PlanAnswer {
  readonly changes: readonly PlannedChange[]
  readonly problems: readonly ProblemLine[]
}

interface PlannedChange {
  readonly kind: string
  readonly text: string
}

export function PlanView() {
  const { client, say } = usePage()
  const [plan, setPlan] = useState<PlanAnswer | null>(null)
  const [failed, setFailed] = useState<RequestFailed | null>(null)
  const [done, setDone] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(true)
  const look = () => {
    setBusy(true)
    setFailed(null)
    client
      .get<PlanAnswer>('v1/plan')
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
      {plan && plan.problems.length > 0 && <Problems problems={plan.problems} />}
      {isBusy && <p class="empty">The plan is being made.</p>}
    </>
  )
}

function Changes({ changes }: { changes: readonly PlannedChange[] }) {
  if (changes.length === 0) return <p class="note good">Nothing changes in the table.</p>
  return (
    <>
      <h2>{counted(changes.length, 'change')}</h2>
      <ul class="changes">
        {changes.map(({ kind, text }) => (
          <li key={text} class={kind}>
            <code>{text}</code>
          </li>
        ))}
      </ul>
    </>
  )
}

function Failure({ failed }: { failed: RequestFailed }) {
  return (
    <div role="alert">
      <p class="note alarm">{failed.message}</p>
      <Problems problems={failed.problems} />
    </div>
  )
}

function Problems({ problems }: { problems: readonly ProblemLine[] }) {
  return (
    <ul class="problems">
      {problems.map(({ path, line, column, message, severity }) => (
        <li key={`${line}:${column} ${message}`} class={severity ?? 'error'}>
          <code>{[path, line, column].filter(part => part !== undefined).join(':')}</code> {message}
        </li>
      ))}
    </ul>
  )
}
