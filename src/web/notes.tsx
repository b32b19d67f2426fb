/** What is wrong with a service or a real server, in words and with what to press. */
import type { ServiceOverview, TroubledReal } from './api-types.js'
import { usePage } from './context.js'
import { isHeldDown, OverrideMark, ruleTexts } from './marks.js'
import { isRefusing } from './summary.js'
import { agoText, counted, timeText } from './text.js'

type NotedService = Pick<
  ServiceOverview,
  'state' | 'since' | 'panic' | 'fallback' | 'nameTrouble' | 'inKernel' | 'conflicts'
>

export function ServiceNotes({ service, now }: { service: NotedService; now: number }) {
  const { panic, fallback, since, nameTrouble, inKernel, conflicts = [] } = service
  const ago = since === null ? '' : ` for ${agoText(since, now)}`
  return (
    <>
      {nameTrouble && <Alarm text={`Its name has no address: ${nameTrouble}.`} />}
      {!nameTrouble && !inKernel && <Alarm text="The table of the kernel does not have this service." />}
      {isRefusing(service) && <Alarm text={`No real server serves: clients are refused${ago}.`} />}
      {fallback?.inUse && (
        <Alarm text={`No real server serves: the fallback ${fallback.name} serves${ago}.`} />
      )}
      {panic && (
        <Alarm
          text={`Panic for ${agoText(panic.since, now)}: ${counted(panic.held.length, 'failed real server')} keep their weights until fewer are down, at the latest until ${timeText(panic.until, now)}.`}
        />
      )}
      {conflicts.map(({ address, hardware, text }) => (
        <Alarm key={`${address} ${hardware}`} text={`${text}.`} />
      ))}
    </>
  )
}

function Alarm({ text }: { text: string }) {
  return (
    <p class="note alarm">
      <span aria-hidden="true">! </span>
      {text}
    </p>
  )
}

type ReasonedReal = Pick<TroubledReal, 'override' | 'slowStart' | 'damping' | 'down' | 'checkReason'>

/** Why a real server is as it is: what holds it, then what its checks say. */
export function Reason({ real, now }: { real: ReasonedReal; now: number }) {
  const { override, checkReason } = real
  const isHeld = isHeldDown(override)
  return (
    <>
      {override && <OverrideMark override={override} now={now} />}
      {ruleTexts(real, now).map(text => (
        <span key={text} class="badge">
          {text}
        </span>
      ))}
      {override?.reason ? `${override.reason}${isHeld ? '' : '; '}` : ''}
      {isHeld ? '' : checkReason}
    </>
  )
}

/** The action that is near: to end what an operator or a window has begun, else to check again. Null: none helps. */
export function NextAction({ service, real }: { service: string; real: TroubledReal }) {
  const { ask } = usePage()
  const target = { service, real: real.name }
  const { override, state, damping } = real
  if (override && override.source !== 'file')
    return (
      <button
        type="button"
        class="small"
        onClick={() => ask('enable', target)}
        aria-label={`Enable ${real.name}…`}
      >
        Enable…
      </button>
    )
  if (override || damping || state === 'up') return null
  return (
    <button
      type="button"
      class="small"
      onClick={() => ask('recheck', target)}
      aria-label={`Recheck ${real.name}`}
    >
      Recheck
    </button>
  )
}
