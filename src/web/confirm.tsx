/** The question before something changes: it says what will change. */

import { useEffect, useRef, useState } from 'preact/hooks'
import type { ListedReal, OverrideStatus, ServiceListing } from './api-types.js'
import type { Client, Target } from './client.js'
import { RequestFailed } from './client.js'
import { type ActionKind, usePage } from './context.js'
import { drainText } from './drain-text.js'
import { effectText } from './marks.js'
import { useStore } from './store.js'
import { counted } from './text.js'

export interface Asked {
  readonly action: ActionKind
  readonly target: Target
}

const ENDS = [
  ['', 'until it is ended'],
  ['1800', '30 minutes'],
  ['7200', '2 hours'],
  ['28800', '8 hours'],
  ['86400', '1 day'],
] as const

/** Effects that `enable` ends. */
const ALL_EFFECTS = ['drain', 'disable', 'weight', 'force-up', 'force-down'] as const

export function Confirm({ asked, close }: { asked: Asked; close: () => void }) {
  const { client, live, say } = usePage()
  const dialog = useRef<HTMLDialogElement>(null)
  const shown = useStore(live.service)
  const [service, setService] = useState<ServiceListing | null>(null)
  const [reason, setReason] = useState('')
  const [seconds, setSeconds] = useState('')
  const [trouble, setTrouble] = useState<RequestFailed | null>(null)
  const [isLocal, setLocal] = useState(false)
  const [isOnly, setOnly] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const { action, target } = asked
  useEffect(() => {
    dialog.current?.showModal()
    client.service(target.service).then(setService, (error: RequestFailed) => setTrouble(error))
  }, [])
  const current = shown?.name === target.service ? shown : service
  const server = serverOf(target, current)
  const targets = isOnly ? [target] : server
  const reals = (current?.reals ?? []).filter(({ name }) =>
    targets.some(({ real }) => real === null || real === name),
  )
  const name = targets
    .map(one => (one.real === null ? one.service : `${one.service}/${one.real}`))
    .join(' and ')
  const send = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setTrouble(null)
    try {
      const until = seconds === '' ? null : Date.now() + Number(seconds) * 1000
      const meant = { targets, ...(isLocal && { local: true }) }
      if (action === 'drain')
        await client.post('v1/overrides', { ...meant, effect: { kind: 'drain' }, reason, until })
      else await enable(client, meant, reals)
      const isOrAre = targets.length === 1 ? 'is' : 'are'
      say(action === 'drain' ? `${name} ${isOrAre} drained` : `The overrides of ${name} have ended`)
      live.refresh()
      dialog.current?.close()
    } catch (error) {
      setTrouble(error instanceof RequestFailed ? error : new RequestFailed(0, (error as Error).message, []))
      setBusy(false)
    }
  }
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <form onSubmit={send}>
        <h2 id="question">
          {action === 'drain' ? 'Drain' : 'Enable'} {name}?
        </h2>
        {current && <Consequences action={action} service={current} reals={reals} />}
        {action === 'drain' && (
          <>
            <label>
              Reason
              <input value={reason} maxLength={512} onInput={event => setReason(event.currentTarget.value)} />
            </label>
            <label>
              For
              <select value={seconds} onChange={event => setSeconds(event.currentTarget.value)}>
                {ENDS.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
        {server.length > 1 && (
          <label class="choice">
            <input
              type="checkbox"
              checked={isOnly}
              onChange={event => setOnly(event.currentTarget.checked)}
            />
            {target.real} alone
          </label>
        )}
        {trouble && (
          <p class="note alarm" role="alert">
            {trouble.status === 401 || trouble.status === 403
              ? `${trouble.message}. A token with the role operate is needed.`
              : trouble.mayBeLocal
                ? 'The Redis of the site cannot be used: the other directors would not know. Nothing has changed.'
                : trouble.message}
          </p>
        )}
        {(trouble?.mayBeLocal || isLocal) && (
          <label class="choice">
            <input
              type="checkbox"
              checked={isLocal}
              onChange={event => setLocal(event.currentTarget.checked)}
            />
            On this director alone now, and on the others when Redis is back
          </label>
        )}
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="main" disabled={isBusy || !current}>
            {action === 'drain' ? 'Drain' : 'Enable'}
          </button>
        </div>
      </form>
    </dialog>
  )
}

/** Returns the target, with the other addresses of a real server that has several. */
function serverOf(target: Target, service: ServiceListing | null): readonly Target[] {
  const { real } = target
  const names = real === null ? undefined : service?.multihomed?.find(all => all.includes(real))
  return names?.map(name => ({ service: target.service, real: name })) ?? [target]
}

/** Ends what operators have given, and this opening of maintenance windows. */
async function enable(
  client: Client,
  meant: { readonly targets: readonly Target[]; readonly local?: boolean },
  reals: readonly ListedReal[],
): Promise<void> {
  const isHeldBy = (source: OverrideStatus['source']) =>
    reals.some(({ override }) => override?.source === source)
  if (isHeldBy('command') || !isHeldBy('window'))
    await client.post('v1/overrides/end', { ...meant, effects: ALL_EFFECTS })
  if (isHeldBy('window')) await client.post('v1/windows/end', meant)
}

interface ConsequencesProps {
  readonly action: ActionKind
  readonly service: ServiceListing
  readonly reals: readonly ListedReal[]
}

function Consequences({ action, service, reals }: ConsequencesProps) {
  return <p>{action === 'drain' ? drainText(service, reals) : enableText(reals)}</p>
}

/** What an enable ends, and what then decides. */
export function enableText(reals: readonly ListedReal[]): string {
  const held = reals.flatMap(({ override }) => override ?? [])
  const of = (source: OverrideStatus['source']) => held.filter(override => override.source === source)
  const [commands, windows, files] = [of('command'), of('window'), of('file')]
  if (held.length === 0) return 'There is no override. Nothing changes.'
  const [only] = commands
  return [
    ...(commands.length === 1 && only ? [`The override of ${only.who} ends: ${effectText(only)}.`] : []),
    ...(commands.length > 1 ? [`${commands.length} overrides of operators end.`] : []),
    ...(windows.length > 0
      ? [`The maintenance window ends early for ${counted(windows.length, 'real server')}, this time only.`]
      : []),
    ...(files.length > 0
      ? [
          `${counted(files.length, 'real server')} ${files.length === 1 ? 'stays' : 'stay'} held by a maintenance file.`,
        ]
      : []),
    ...(files.length < held.length ? ['The checks decide again.'] : []),
  ].join(' ')
}
