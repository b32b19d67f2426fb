/** Says in one sentence why a real server is as it is, and what would change that. Pure. */
import { combine, isWithoutVerdict } from '../core/health.js'
import type { CheckResult, HealthState } from '../core/model.js'
import { isHold, type Override } from '../core/override.js'
import type { CheckState } from '../health/check-state.js'
import type { RealHealth } from '../health/health-snapshot.js'
import { counted } from '../util/plural.js'
import { shellQuoted } from '../util/shell-quoted.js'
import { formatUptime, untilText } from '../util/time-text.js'
import { reasonAndDetail } from './status-reason.js'

export interface RealFacts {
  readonly health: RealHealth
  /** The start of the real server's state, in milliseconds of the steady clock. */
  readonly since: number
  /** Why its name has no address, or null. */
  readonly nameTrouble: string | null
  /** The override that decides is on the service as a whole. */
  readonly isOnService: boolean
  /** Milliseconds until the next run of one of its checks; null if none is scheduled. */
  readonly nextIn: number | null
  /** One of its checks runs now. */
  readonly isRunning: boolean
  /** Weight in the desired table; null: not in the table. */
  readonly wanted: number | null
  /** The words for a shell that mean the server, and its service. */
  readonly target: string
  readonly serviceTarget: string
  /** Format times of the steady clock and of the wall clock. */
  readonly at: (steady: number) => string
  readonly wall: (ms: number) => string
  /** True: only what is so and why. */
  readonly isBrief?: boolean
}

/** Failing checks that are told with their details. */
const MOST_TOLD = 2

/**
 *   override    what is told
 *   force-down  who took it out, how that ends, what its checks say
 *   disable     the same
 *   drain       its state, who drains it, how that ends
 *   weight      its state, who gave the weight, how that ends
 *   force-up    who forced it, how that ends, what its checks say
 *   none        its state, the checks that decide, how many results change it
 */
export function sentenceOfReal(facts: RealFacts): string {
  const { health } = facts
  const { override, state } = health
  if (override === null) return ownSentence(facts)
  const decides = override.effect.kind === 'force-up' ? 'up' : isHold(override) ? 'down' : null
  if (decides)
    return joined(
      `held ${decides} since ${facts.at(facts.since)} because ${deedOf(override)}`,
      endingOf(override, facts),
      facts.isBrief ? null : `then its checks decide: ${standOf(health)}`,
    )
  const what = `${limitOf(override)} since ${facts.wall(override.since)} because ${deedOf(override)}`
  if (state === 'up') return joined(`up, but ${what}`, endingOf(override, facts))
  return joined(ownSentence(facts), `also ${what}`, endingOf(override, facts))
}

/** Leaves empty parts out. */
function joined(...parts: readonly (string | null)[]): string {
  return parts.filter(Boolean).join('; ')
}

// ---------------------------------------------------------------- overrides

function deedOf({ source, effect, who, reason, folder }: Override): string {
  const why = reason === '' ? '' : ` (${reason})`
  if (source === 'file' && folder?.trouble)
    return `${troubleOf(folder)}; its last known content has the file ${who}`
  if (source === 'file') return `the maintenance folder has the file ${who}`
  if (source === 'window') return `a maintenance window is open${why}`
  const deed = {
    'force-down': 'forced it down',
    disable: 'disabled it',
    drain: 'drained it',
    'force-up': 'forced it up',
    weight: effect.kind === 'weight' ? `gave it weight ${effect.weight}` : '',
  }[effect.kind]
  return `${who} ${deed}${why}`
}

type Folder = NonNullable<Override['folder']>

function troubleOf({ path, trouble }: Folder): string {
  const words = {
    gone: 'is missing',
    elsewhere: 'is empty, on another file system than before',
    unreadable: 'cannot be read',
    silent: 'does not answer',
  } as const
  return `the maintenance folder ${path} ${trouble ? words[trouble] : ''}`
}

function endingOfFile(file: string, { path, trouble }: Partial<Folder>): string {
  const setting = 'or when maintenancedir is removed from the configuration'
  if (trouble === 'gone')
    return `this ends when the folder is created again (mkdir ${shellQuoted(path ?? '')}), ${setting}`
  if (trouble === 'elsewhere') return `this ends when any file is put into the folder, ${setting}`
  if (trouble) return 'this ends when the folder can be read again and does not have the file'
  return `this ends when the file is removed: rm ${shellQuoted(file)}`
}

function limitOf({ effect }: Override): string {
  return effect.kind === 'weight' && effect.weight > 0
    ? `with weight ${effect.weight}`
    : 'without new connections'
}

function endingOf(override: Override, { isOnService, target, serviceTarget, wall }: RealFacts): string {
  const { source, effect, until, who, folder = {} } = override
  if (source === 'file') return endingOfFile(who, folder)
  const end = until === null ? null : `at ${wall(until)}`
  if (source === 'window') return `this ends ${end ?? 'with the window'}, or with: lvsd windows end ${target}`
  const command = effect.kind === 'drain' ? 'undrain' : 'enable'
  const word = `lvsd ${command} ${isOnService ? `${serviceTarget} --yes` : target}`
  return end === null ? `this ends with: ${word}` : `this ends ${end}, or with: ${word}`
}

// ---------------------------------------------------------------- checks

function ownSentence(facts: RealFacts): string {
  const { health, nameTrouble, since, at } = facts
  const { real, state, checks } = health
  const start = `${state === 'unknown' ? 'not judged yet' : state} since ${at(since)}`
  if (real.address === null)
    return joined(
      `${start} because its name has no address (${nameTrouble})`,
      'an address for the name lets its checks run',
    )
  if (checks.length === 0)
    return `${start} because it has no check, so it counts as up; nothing takes it out by itself`
  if (health.hold && !health.hold.isSpared) return heldSentence(facts, start)
  return joined(
    `${start} because ${standOf(health)}`,
    sparedUntil(facts),
    weightOf(facts),
    downOf(facts),
    facts.isBrief ? null : prospectOf(health),
    facts.isBrief ? null : nextRun(facts),
  )
}

/** Returns what panic or on-down make of a server that is down. */
function downOf({ health: { down } }: RealFacts): string | null {
  if (down?.action === 'held') return 'a panic of the service keeps it in the table with its weight'
  if (!down?.cause) return null
  if (down.action === 'removed') return `it counts as ${down.cause}, so it is removed until it is up`
  const end = down.left === null ? '' : ` and is removed in ${formatUptime(down.left)}`
  return `it counts as ${down.cause}, so it is at weight 0${end}`
}

/** Returns what damping does with the server. */
function heldSentence({ health, target, at, isBrief }: RealFacts, start: string): string {
  const until = health.hold ? at(health.hold.until) : ''
  return joined(
    `${start} because it flaps`,
    `it is held down until ${until}`,
    isBrief ? null : `then its checks decide: ${standOf(health)}`,
    isBrief ? null : `to have it back now: lvsd force ${target} up`,
  )
}

function sparedUntil({ health, at }: RealFacts): string | null {
  const { hold } = health
  if (!hold) return null
  return `it flaps, but is not held down (until ${at(hold.until)}), since no other server would serve`
}

/** Returns what the checks do to the weight of a server that is up, if they change it. */
function weightOf({ health, wanted, at }: RealFacts): string | null {
  const { weight } = health.real.attributes
  if (health.state !== 'up' || wanted === null || wanted === weight) return null
  if (health.rise) {
    const { until, weight: full } = health.rise
    return `its weight is ${wanted}, by slow start, and ${full} at ${at(until)}`
  }
  const effect = wanted === 0 ? 'so it gets no new connections' : `where ${weight} is configured`
  return `its weight is ${wanted}, ${effect}`
}

/** Returns what the checks say, without any override. */
function standOf(health: Pick<RealHealth, 'real' | 'checks' | 'passing'>): string {
  const { real, checks, passing } = health
  if (checks.length === 0) return 'it has none'
  const telling = checks.filter(check => isTelling(check, stateOf(health)))
  const told = telling.slice(0, MOST_TOLD).map(wordsOf)
  const more = telling.length > MOST_TOLD ? [`and ${counted(telling.length - MOST_TOLD, 'other')}`] : []
  const details = [...told, ...more].join(', ')
  if (checks.length === 1) return details || `${kindOf(checks[0])} passes`
  if (details === '') return `all ${checks.length} checks pass`
  const pass = passing === 1 ? 'passes' : 'pass'
  return `${passing} of ${checks.length} checks ${pass} and ${real.need} must: ${details}`
}

function stateOf({ checks, real }: Pick<RealHealth, 'real' | 'checks'>): HealthState {
  return combine(
    checks.map(({ health }) => health.state),
    real.need,
  )
}

function isTelling({ health, noVerdicts }: CheckState, state: HealthState): boolean {
  if (health.state !== 'up' || noVerdicts !== null) return true
  return state !== 'down' && health.streak > 0
}

/** `http fails (status 503 Service Unavailable; expected 200-299)`. */
function wordsOf(check: CheckState): string {
  const { health, noVerdicts } = check
  const kind = kindOf(check)
  if (noVerdicts && (isWithoutVerdict(noVerdicts) || !health.last))
    return `lvsd cannot run ${kind} (${noVerdicts.detail})`
  if (!health.last) return `${kind} has no result yet`
  const { rise, fall } = check.subscriber.use.policy
  const result = inWords(health.last)
  if (health.streak === 0) return `${kind} ${health.last.ok ? 'passes' : `fails (${result})`}`
  if (health.last.ok) return `${kind} has passed ${health.streak} of ${rise} times in a row`
  return `${kind} has failed ${health.streak} of ${fall} times in a row (${result})`
}

function inWords({ reason, detail, phase }: CheckResult): string {
  return reason === null ? detail : reasonAndDetail(reason, detail, phase)
}

function kindOf(check: CheckState | undefined): string {
  return check?.subscriber.use.kind ?? ''
}

/** Returns how many results would change the state. */
function prospectOf({ state, checks, real, passing }: RealHealth): string | null {
  const missing = (check: CheckState) =>
    check.subscriber.use.policy[state === 'down' ? 'rise' : 'fall'] - check.health.streak
  if (state === 'down') {
    const failing = checks.filter(({ health }) => health.state === 'down')
    const wanted = real.need - passing
    const runs = Math.max(
      0,
      ...failing
        .map(missing)
        .sort((a, b) => a - b)
        .slice(0, wanted),
    )
    const ofWhat = wanted > 1 ? ` of each of ${wanted} failing checks` : failing.length > 1 ? ' of one' : ''
    return `${passed(runs)}${ofWhat} ${runs === 1 ? 'brings' : 'bring'} it back`
  }
  if (state === 'unknown') return null
  const passingNow = checks.filter(({ health }) => health.state === 'up')
  const spare = passing - real.need
  const runs = Math.max(
    0,
    ...passingNow
      .map(missing)
      .sort((a, b) => a - b)
      .slice(0, spare + 1),
  )
  const ofWhat = spare > 0 ? ` of each of ${spare + 1} checks` : checks.length > 1 ? ' of one of them' : ''
  const row = runs === 1 ? 'one failed check' : `${runs} failed checks in a row`
  return `${row}${ofWhat} ${runs === 1 ? 'takes' : 'take'} it out`
}

function passed(runs: number): string {
  return runs === 1 ? 'one passed check' : `${runs} passed checks in a row`
}

function nextRun({ nextIn, isRunning, health }: RealFacts): string | null {
  if (nextIn === null) return null
  const what = health.checks.length > 1 ? 'the next of its checks' : 'the next check'
  return `${what} runs ${isRunning ? 'now' : untilText(nextIn)}`
}
