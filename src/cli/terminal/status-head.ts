/** The head of the status for people: the daemon, and what needs attention. Pure. */
import type { RealStatus, StatusDocument } from '../../api/status-types.js'
import { countProblems, errorsIn, inOneLine } from '../../config/problems/problem.js'
import { fromNextStartText } from '../../core/config-changes.js'
import { hostPort } from '../../core/display-names.js'
import type { Paint } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { shellQuoted } from '../../util/shell-quoted.js'
import { widthOf } from '../../util/text-width.js'
import { dateTime, formatDuration, formatUptime, shortTime } from '../../util/time-text.js'
import { hanging } from './hanging.js'
import type { StatusView } from './status-view.js'

/** A part of a line. In a narrow window, parts with the highest rank are left out first. */
type Part = readonly [rank: number, text: string]

/** Joins the largest set of parts that fits, in their order. */
function fitted(parts: readonly Part[], separator: string, width: number): string {
  const ranks = [...new Set(parts.map(([rank]) => rank))].sort((one, other) => other - one)
  const lines = ranks.map(most =>
    parts.flatMap(([rank, text]) => (rank <= most ? [text] : [])).join(separator),
  )
  return lines.find(line => widthOf(line) <= width) ?? lines.at(-1) ?? ''
}

/** Returns `3 down`, or `3 down (1 overridden)`. */
function countText(reals: readonly RealStatus[], state: RealStatus['state'], word: string): string {
  const found = reals.filter(real => real.state === state)
  const overridden = found.filter(({ override }) => override !== null).length
  return `${found.length} ${word}${overridden > 0 ? ` (${overridden} overridden)` : ''}`
}

const TABLE_NOTES = {
  reconcile: '',
  keep: '; the table is not changed',
  empty: '; the services of lvsd are not in the table',
}
const CHECK_NOTES = { on: '', slow: '; checks are slow', off: '; checks are off' }

function roleLine({ cluster }: StatusDocument, now: number): string[] {
  if (!cluster) return []
  const { role, site, since, reason, table, checks } = cluster
  const notes = `${TABLE_NOTES[table]}${CHECK_NOTES[checks]}`
  return [
    `${role} in ${site} since ${shortTime(Date.parse(since), now)}: ${printable(reason)}${notes}`,
    ...redisLine(cluster.redis),
    ...syncLine(cluster.sync),
  ]
}

function syncLine(sync: NonNullable<StatusDocument['cluster']>['sync']): string[] {
  if (!sync || sync.trouble !== null) return []
  const daemons = sync.daemons.map(
    ({ state, interface: link, id }) => `${state} on ${printable(link)}, syncid ${id}`,
  )
  return [`sync daemon: ${daemons.join('; ') || 'none'}`]
}

/** While Redis is away, that is among what needs attention. */
function redisLine(redis: NonNullable<StatusDocument['cluster']>['redis']): string[] {
  if (!redis || redis.state === 'away') return []
  const { place, version } = redis
  if (redis.state === 'connecting') return [`connecting to Redis at ${printable(place)}`]
  return [`Redis${version === null ? '' : ` ${printable(version)}`} at ${printable(place)}: connected`]
}

function redisTrouble({ cluster }: StatusDocument, now: number): string[] {
  const { redis = null } = cluster ?? {}
  if (redis?.state !== 'away') return []
  const since = shortTime(Date.parse(redis.since), now)
  return [`Redis at ${printable(redis.place)} is away since ${since}: ${printable(redis.detail ?? '')}`]
}

/** Returns the lines about the daemon. */
export function headLines(document: StatusDocument, view: StatusView, paint: Paint): string[] {
  const { now, width, isWrapped = false } = view
  const { schedule, reconcile, services } = document
  const reals = services.flatMap(service => service.reals)
  const has = (state: string) => reals.some(real => real.state === state)
  const counts = [
    paint('green', countText(reals, 'up', 'up')),
    paint(has('down') ? 'red' : 'dim', countText(reals, 'down', 'down')),
    ...(has('unknown') ? [paint('yellow', countText(reals, 'unknown', wordForUnknown(reals)))] : []),
  ]
  const table = document.kernel === 'memory' ? paint('yellow', 'memory table') : 'kernel table'
  return [
    fitted(
      [
        [0, paint('bold', `lvsd ${document.version}`)],
        [1, `up ${formatUptime(now - Date.parse(document.startedAt))}`],
        [0, dateTime(now)],
        [document.kernel === 'memory' ? 0 : 3, table],
        [2, printable(document.config.file)],
        [4, paint('dim', `pid ${document.pid}`)],
      ],
      '  ',
      width,
    ),
    ...roleLine(document, now).flatMap(line => (isWrapped ? hanging('', line, width) : [line])),
    fitted(
      [
        [
          0,
          `${counted(services.length, 'service')}, ${counted(reals.length, 'real server')}: ${counts.join(', ')}`,
        ],
        [3, `${counted(schedule.jobs, 'check')}, late ${formatDuration(schedule.lateness.p99)}`],
        [2, `read ${ago(reconcile.lastResync, now)}`],
      ],
      paint('dim', ' · '),
      width,
    ),
  ]
}

/** Returns the word for servers in state unknown, which lasts from a start until the first pass or `fall` failures. */
function wordForUnknown(reals: readonly RealStatus[]): string {
  const unknown = reals.filter(({ state }) => state === 'unknown')
  const isAsked = unknown.some(({ checks }) => checks.some(({ last, noVerdict }) => last || noVerdict))
  return isAsked ? 'not judged yet' : 'not checked yet'
}

/** Minimum total milliseconds of stalls to report. Any busy machine delays a process by less. */
const STALL_WORTH_TELLING = 1000

/** Returns the lines about what needs attention. */
export function attention(document: StatusDocument, view: StatusView, paint: Paint): string[] {
  const { now, width, isWrapped = false } = view
  const { reconcile, config, schedule, sysctls } = document
  const { stalls, stalledFor, sinceStall } = schedule
  const worst = [
    ...roleTrouble(document),
    ...redisTrouble(document, now),
    ...lostNetwork(document, now),
    ...isolation(document, now),
    ...panics(document, now),
    ...keptConfiguration(document),
    ...refusedReload(document, now),
    ...reconcile.errors.map(printable),
    ...sysctls.flatMap(({ trouble }) => (trouble === null ? [] : printable(trouble))),
    ...failingAlerts(document),
  ]
  const others = [
    ...silentPings(document),
    ...missingVerdicts(document),
    ...lastingNames(document),
    ...reconcile.disputes.map(
      ({ service, name, since, changes }) =>
        `another program keeps changing ${name === null ? service : `${printable(name)} (${service})`}: ${counted(changes, 'change')} reverted since ${shortTime(Date.parse(since), now)}`,
    ),
    ...(reconcile.driftRepaired > 0
      ? [`${counted(reconcile.driftRepaired, 'change')} by other programs reverted since the start`]
      : []),
    ...unkeptConfiguration(document),
    ...waitingChange(document, now),
    ...(config.fromNextStart.length > 0 ? [printable(fromNextStartText(config.fromNextStart))] : []),
    ...(config.warnings.length > 0
      ? [
          `${countProblems(config.warnings)} on the configuration: lvsd validate ${printable(shellQuoted(config.file))}`,
        ]
      : []),
    ...(stalledFor >= STALL_WORTH_TELLING
      ? [
          `lvsd was held up ${counted(stalls, 'time')}, ${formatDuration(stalledFor)} in all, last ${formatUptime(sinceStall ?? 0)} ago; no server was blamed`,
        ]
      : []),
  ]
  const linesOf = (text: string) => (isWrapped ? hanging('! ', text, width) : [`! ${text}`])
  return [
    ...worst.flatMap(linesOf).map(line => paint('red', line)),
    ...others.flatMap(linesOf).map(line => paint('yellow', line)),
  ]
}

function failingAlerts({ alerts }: StatusDocument): string[] {
  const failing = (alerts?.destinations ?? []).filter(({ isFailing }) => isFailing)
  return failing.map(
    ({ destination, lastError }) =>
      `alerts do not reach ${printable(destination)}: ${printable(lastError ?? 'no answer')}`,
  )
}

function roleTrouble({ cluster }: StatusDocument): string[] {
  return [cluster?.trouble, cluster?.activeTrouble, cluster?.sync?.trouble].flatMap(trouble =>
    trouble ? printable(trouble) : [],
  )
}

function lostNetwork({ cluster }: StatusDocument, now: number): string[] {
  const lost = cluster?.connectivity?.lost
  if (!lost) return []
  const since = shortTime(Date.parse(lost.since), now)
  return [`the network is lost since ${since}, the table stays: ${printable(lost.detail)}`]
}

/** Pinged addresses that do not answer while the network counts as there. */
function silentPings({ cluster }: StatusDocument): string[] {
  const { lost = null, pings = [] } = cluster?.connectivity ?? {}
  const silent = pings.filter(({ answers }) => answers === false)
  if (lost !== null || silent.length === 0) return []
  const [verb, names] = [silent.length === 1 ? 'does' : 'do', silent.map(({ address }) => printable(address))]
  return [`${names.join(', ')} ${verb} not answer pings; the network counts as there`]
}

function isolation({ isolation }: StatusDocument, now: number): string[] {
  if (!isolation) return []
  const since = shortTime(Date.parse(isolation.since), now)
  return [`lvsd is isolated since ${since}, failed checks do not count: ${printable(isolation.detail)}`]
}

function panics({ services }: StatusDocument, now: number): string[] {
  return services.flatMap(({ name, panic, reals }) => {
    if (!panic) return []
    const until = shortTime(Date.parse(panic.until), now)
    const count = `${panic.held.length} of ${reals.length} down`
    return [`${printable(name)}: panic, ${count} and held in the table, until ${until} at the latest`]
  })
}

function keptConfiguration({ config: { file, keptSince } }: StatusDocument): string[] {
  if (keptSince === null) return []
  const since = dateTime(Date.parse(keptSince))
  return [`${printable(file)} cannot run; the configuration accepted at ${since} runs until it is repaired`]
}

function unkeptConfiguration({ config: { unkept } }: StatusDocument): string[] {
  if (!unkept) return []
  const { folder, error } = unkept
  return [
    `the state folder ${printable(folder)} cannot be written (${printable(error)}): the accepted configuration is not stored, and a later start with a broken file would fail`,
  ]
}

function waitingChange({ config: { waits } }: StatusDocument, now: number): string[] {
  if (!waits) return []
  const until = shortTime(Date.parse(waits.until), now)
  return [
    `a changed configuration (${printable(waits.files)}) waits until ${until}: it has fewer real servers or lines, and may be incomplete; lvsd reload applies it now`,
  ]
}

/** Returns lines about a refused reload, or a start: time, reason and the place of the first error. */
function refusedReload({ lastReload }: StatusDocument, now: number): string[] {
  if (!lastReload || lastReload.ok) return []
  const [first] = errorsIn(lastReload.problems).map(inOneLine)
  const isTold = first === undefined || lastReload.message.includes(first)
  const place = isTold ? '' : ` ${printable(first)};`
  const at = shortTime(Date.parse(lastReload.at), now)
  const what = lastReload.isStart
    ? `the start (${at}) refused the file`
    : `the last reload (${at}) was refused`
  return [`${what}:${place} ${printable(lastReload.message)}`]
}

/** Maximum number of causes listed separately. The row of each server shows its own. */
const MOST_CAUSES = 5

/** Returns lines about servers with a check without a verdict, by cause. */
function missingVerdicts({ services }: StatusDocument): string[] {
  const names = new Map<string, Set<string>>()
  for (const service of services)
    for (const real of service.reals)
      for (const { noVerdict } of real.checks)
        if (noVerdict) {
          const ofCause = names.get(noVerdict.detail) ?? new Set()
          names.set(noVerdict.detail, ofCause.add(`${service.name} ${hostPort(real)}`))
        }
  const causes = [...names].map(([cause, reals]) => {
    const [first = ''] = reals
    const who = reals.size === 1 ? printable(first) : `${reals.size} servers`
    return `no verdict on ${who}: ${printable(cause)}`
  })
  const left = causes.length - MOST_CAUSES
  return left > 0 ? [...causes.slice(0, MOST_CAUSES), `no verdict for ${left} other reasons`] : causes
}

/**
 * Returns lines about names that no longer have the address in use, or whose servers stay unknown. The rows of the
 * servers show other problems with names.
 */
function lastingNames({ services }: StatusDocument): string[] {
  const troubles = new Map<string, Set<string>>()
  for (const { name, key, nameTrouble, reals } of services) {
    const parts = [{ address: key, nameTrouble, state: null }, ...reals]
    for (const { address, nameTrouble, state } of parts)
      if (nameTrouble !== null && (address !== null || state === 'unknown'))
        troubles.set(nameTrouble, (troubles.get(nameTrouble) ?? new Set()).add(name))
  }
  const lines = [...troubles].map(([trouble, names]) => {
    const [first = ''] = names
    return `${printable(names.size === 1 ? first : `${names.size} services`)}: ${printable(trouble)}`
  })
  const left = lines.length - MOST_CAUSES
  return left > 0 ? [...lines.slice(0, MOST_CAUSES), `${left} more names without an answer`] : lines
}

function ago(at: string | null, now: number): string {
  return at === null ? 'not yet' : `${formatUptime(now - Date.parse(at))} ago`
}
