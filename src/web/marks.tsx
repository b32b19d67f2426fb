/** Small parts that show a state: never by colour alone, each has a shape and a word. */
import type { HealthState, OverrideStatus, RealStatus } from './api-types.js'
import { durationText } from './text.js'

const SHAPES = { up: '●', down: '✕', unknown: '◌' } as const

export function StateMark({ state, isShort = false }: { state: HealthState; isShort?: boolean }) {
  return (
    <span class={`state ${state}`}>
      <span aria-hidden="true">{SHAPES[state]}</span>
      <span class={isShort ? 'spoken' : ''}> {state}</span>
    </span>
  )
}

const EFFECTS = {
  drain: 'drained',
  disable: 'disabled',
  weight: 'weight set',
  'force-up': 'forced up',
  'force-down': 'forced down',
} as const

export function effectText({ effect, weight }: Pick<OverrideStatus, 'effect' | 'weight'>): string {
  return effect === 'weight' ? `weight set to ${weight}` : EFFECTS[effect]
}

/** True if an override keeps the server out of service: that is no failure. */
export function isHeldDown(override: OverrideStatus | null): boolean {
  return override?.effect === 'disable' || override?.effect === 'force-down'
}

/** In place of the name, which is a cron expression or a path. */
const BY: Partial<Record<OverrideStatus['source'], string>> = {
  window: 'a maintenance window',
  file: 'a maintenance file',
}

export function OverrideMark({ override, now }: { override: OverrideStatus; now: number }) {
  const { who, until, reason, source } = override
  const end = until === null ? 'no end' : `for ${durationText(Date.parse(until) - now)} more`
  return (
    <span class="badge held" title={reason === '' ? who : `${who}: ${reason}`}>
      <span aria-hidden="true">‖ </span>
      {effectText(override)} by {BY[source] ?? who}, {end}
    </span>
  )
}

/** What else than checks and overrides decides about a server. */
export function ruleTexts(real: Pick<RealStatus, 'slowStart' | 'damping' | 'down'>, now: number): string[] {
  const { slowStart, damping, down } = real
  const left = (iso: string) => durationText(Date.parse(iso) - now)
  return [
    ...(slowStart ? [`slow start: ${slowStart.percent} % for ${left(slowStart.until)} more`] : []),
    ...(damping
      ? [`${damping.isSpared ? 'flaps, but is spared' : 'flaps, held down'} for ${left(damping.until)} more`]
      : []),
    ...(down?.action === 'held' ? ['panic: keeps its weight'] : []),
    ...(down?.action === 'quiesced'
      ? [`weight 0${down.removedAt === null ? '' : `, removed in ${left(down.removedAt)}`}`]
      : []),
  ]
}

/** A bar of the weight that serves, with its number. */
export function ShareBar({ part, whole, label }: { part: number; whole: number; label: string }) {
  const share = whole === 0 ? 0 : Math.min(1, part / whole)
  const text = `${Math.round(share * 100)} %`
  const level = share >= 0.999 ? 'full' : share > 0 ? 'some' : 'none'
  return (
    <span
      class={`share ${level}`}
      role="img"
      aria-label={`${label}: ${text}`}
      title={`${label}: ${part} of ${whole}`}
    >
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="whole" width="100" height="10" />
        <rect class="part" width={share * 100} height="10" />
      </svg>
      <span aria-hidden="true">{text}</span>
    </span>
  )
}

/** A line of values without axes, over the whole width once there are some. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const most = Math.max(1, ...values)
  const shown = values.slice(-SPARK_VALUES)
  const step = 100 / Math.max(LEAST_SPARK_VALUES, shown.length - 1)
  const points = shown.map((value, i) => `${(i * step).toFixed(1)},${(19 - (value / most) * 18).toFixed(1)}`)
  return (
    <svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
    </svg>
  )
}

const SPARK_VALUES = 60
const LEAST_SPARK_VALUES = 10

/** The last results of a check, the newest on the right: `p` passed, `f` failed, `n` no verdict. */
export function Strip({ results, label = 'last results' }: { results: string; label?: string }) {
  const failed = results.split('f').length - 1
  const runs = runsOf(results)
  const words = results === '' ? 'none yet' : `${failed} of ${results.length} failed`
  return (
    <svg
      class="strip"
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${words}`}
    >
      <title>{`${label}: ${words}`}</title>
      {runs.map(({ kind, from, count }) => (
        <rect
          key={from}
          class={kind}
          x={100 - results.length + from}
          y={kind === 'p' ? 3 : 0}
          width={count}
          height={kind === 'p' ? 4 : 10}
        />
      ))}
    </svg>
  )
}

function runsOf(results: string): { kind: string; from: number; count: number }[] {
  return [...results.matchAll(/p+|f+|n+/g)].map(({ 0: text, index }) => ({
    kind: text.charAt(0),
    from: index,
    count: text.length,
  }))
}
