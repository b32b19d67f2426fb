/** Formats the answer of `lvsd why` for people. Pure. */
import type { OverrideStatus, SourceStatus } from '../../api/status-types.js'
import type {
  WhyAnswer,
  WhyCheck,
  WhyDocument,
  WhyReal,
  WhyResults,
  WhyService,
} from '../../api/why-types.js'
import type { CheckPolicy, CheckResult } from '../../core/model.js'
import { addressesOf } from '../../core/multihomed.js'
import { phaseSpans } from '../../core/phase-spans.js'
import { type Paint, painter } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import {
  dateTime,
  duration,
  formatDuration,
  formatUptime,
  shortTime,
  untilText,
  zoneOf,
} from '../../util/time-text.js'
import { wrap } from '../../util/wrap-text.js'
import { STATE_STYLE } from './state-style.js'

export interface WhyView {
  readonly width: number
  readonly colour: boolean
  /** Milliseconds of the wall clock. */
  readonly now: number
}

/** Lines of text are at most this long, however wide the screen: longer ones are hard to read. */
const WIDEST = 100
/** Columns of the labels. */
const LABEL = 10

interface Page {
  readonly paint: Paint
  readonly now: number
  readonly width: number
}

export function renderWhy({ answers }: WhyDocument, { width, colour, now }: WhyView): string {
  const page = { paint: painter(colour), now, width: Math.min(width, WIDEST) }
  return answers.map(answer => renderAnswer(answer, page)).join('\n\n')
}

function renderAnswer(answer: WhyAnswer, page: Page): string {
  return answer.kind === 'real' ? realPage(answer, page) : servicePage(answer, page)
}

// ---------------------------------------------------------------- a real server

function realPage(answer: WhyReal, page: Page): string {
  const { service, real, sentence, checks, overrides } = answer
  const { paint } = page
  const title = `${paint('bold', printable(`${service.name}/${real.name}`))}  ${paint(STATE_STYLE[real.state], real.state)}`
  const blocks = [
    `${title}\n${paragraph(sentence, page)}${zoneLine(sentence, page)}`,
    ...checks.map(check => checkBlock(check, page)),
    labelled(
      [
        [
          'overrides',
          overrides.length === 0 ? ['no override'] : overrides.map(each => overrideLine(each, page)),
        ],
        ['weight', [weightLine(answer)]],
        ...otherAddresses(answer),
        ['kernel', kernelLines(answer, page)],
      ],
      page,
    ),
  ]
  return blocks.join('\n\n')
}

/** The other addresses of a real server that has several. Its health is that of the one that is named. */
function otherAddresses({ service, real }: WhyReal): Rows {
  const others = addressesOf(real.name, service.multihomed).filter(name => name !== real.name)
  const told = `also ${others.join(', ')}: drain and others mean all of them; with --only this address alone`
  return others.length === 0 ? [] : [['addresses', [printable(told)]]]
}

/** The sentence with a capital letter and a full stop, in lines. */
function paragraph(sentence: string, { width }: Page): string {
  const text = printable(sentence)
  return wrapped(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`, width)
}

/** Sentences name the zone of the director. In which zone the rows below are, where it is another one. */
function zoneLine(sentence: string, { paint, now }: Page): string {
  const named = [...sentence.matchAll(ZONED)].map(([, zone]) => zone)
  // Half a year ago, summer time may have been in force here, or not.
  const here = [zoneOf(now), zoneOf(now - HALF_YEAR)]
  const isElsewhere = named.some(zone => zone !== undefined && !here.includes(zone))
  return isElsewhere ? `\n${paint('dim', `The times below are in ${zoneOf(now)}.`)}` : ''
}

const ZONED = /\d\d:\d\d (UTC|[+-]\d\d:\d\d)/g
const HALF_YEAR = 182 * 86_400_000

function wrapped(text: string, width: number): string {
  return Number.isFinite(width) ? wrap(text, width) : text
}

type Rows = readonly (readonly [label: string, lines: readonly string[]])[]

/** Formats rows of a label and its lines, which are wrapped beside the label. */
function labelled(rows: Rows, { paint, width }: Page): string {
  return rows
    .flatMap(([label, lines]) =>
      lines.flatMap((line, i) =>
        wrapped(line, width - LABEL - 2)
          .split('\n')
          .map((part, j) => {
            const head = i === 0 && j === 0 ? paint('dim', label.padEnd(LABEL)) : ' '.repeat(LABEL)
            return `  ${head}${part}`
          }),
      ),
    )
    .join('\n')
}

function checkBlock(check: WhyCheck, page: Page): string {
  const { kind, target, through, state, since, expects, policy, results, noVerdict, source, observers } =
    check
  const { paint, now } = page
  const title = `${paint('bold', printable(kind))} of ${printable(target)}  ${paint(STATE_STYLE[state], state)} since ${moment(since, now)}`
  const rows: Rows = [
    ['expects', [printable(expects)]],
    ...(through ? [['path', [`of the service: by ${printable(through)}`]] as const] : []),
    ['rule', [ruleOf(policy)]],
    ['count', [countOf(check)]],
    ['next run', [nextRun(check, now)]],
    ...hintRows(check, now),
    ...(observers.length > 0 ? [['asked by', observers.map(each => observerText(each))] as const] : []),
    ...(source ? [['source', [sourceOf(source)]] as const] : []),
    ...(noVerdict
      ? [
          [
            'trouble',
            [`no verdict since ${moment(noVerdict.since, now)}: ${printable(noVerdict.detail)}`],
          ] as const,
        ]
      : []),
    ['results', results.length === 0 ? ['none yet'] : results.flatMap(each => resultLines(each, page))],
  ]
  return `${title}\n${labelled(rows, page)}`
}

/** The sentinel, and what brought the check forward last. */
function hintRows({ hints }: WhyCheck, now: number): Rows {
  if (!hints) return []
  const { sentinel, isKnocking, last } = hints
  const lines = [
    ...(isKnocking ? ['lvsd knocks: the check comes as soon as the server listens'] : []),
    ...(last ? [`${moment(last.at, now)}  checked early: ${printable(last.detail)}`] : []),
  ]
  return [
    ...(sentinel ? [['sentinel', [sentinelText(sentinel, now)]] as const] : []),
    ...(lines.length > 0 ? [['hints', lines] as const] : []),
  ]
}

function sentinelText(
  { state, since, restsUntil = null, idleLimit }: NonNullable<NonNullable<WhyCheck['hints']>['sentinel']>,
  now: number,
): string {
  const limit =
    idleLimit === null ? '' : `; the server closes idle connections after ${formatDuration(idleLimit)}`
  // With an lvsd before an upgrade, `restsUntil` is not there.
  if (restsUntil !== null)
    return `closed until ${moment(restsUntil, now)}: a check timed out while it was open; if the server serves one connection at a time, remove sentinel: true${limit}`
  return `${since === null ? SENTINEL_WORDS[state] : `watches since ${moment(since, now)}`}${limit}`
}

const SENTINEL_WORDS = {
  watching: 'watches',
  opening: 'is being opened',
  waiting: 'waits for its turn to be opened',
  closed: 'closed; the next passed check opens it',
  'left-out': 'none: the descriptors do not suffice for all, see LimitNOFILE',
}

function observerText({ director, isSelf, state, detail }: WhyCheck['observers'][number]): string {
  const why = detail === null ? '' : `: ${printable(detail)}`
  return `${printable(director)}${isSelf ? ' (this)' : ''} says ${state}${why}`
}

function ruleOf({ interval, timeout, rise, fall, fastinter }: CheckPolicy): string {
  const faster = fastinter < interval ? `; within such a row every ${duration(fastinter)}` : ''
  return `every ${duration(interval)}, timeout ${duration(timeout)}; ${fall} failed in a row: down, ${rise} passed in a row: up${faster}`
}

/** How far the results in a row have come that contradict the state. */
function countOf({ state, streak, policy, results }: WhyCheck): string {
  if (streak === 0 && state === 'unknown') return 'no verdict yet'
  const isPass =
    streak === 0 ? state === 'down' : results.find(({ last }) => last.ok !== null)?.last.ok === true
  const [word, needed, next] = isPass ? ['passed', policy.rise, 'up'] : ['failed', policy.fall, 'down']
  return `${streak} of ${needed} ${word} in a row; ${needed - streak} more: ${next}`
}

/** With an lvsd before an upgrade, `nextIn` is not there. */
function nextRun({ nextAt, nextIn = null, isRunning }: WhyCheck, now: number): string {
  if (isRunning) return 'runs now'
  if (nextAt === null) return 'not planned'
  return untilText(nextIn ?? Date.parse(nextAt) - now)
}

function sourceOf({ address, by, insteadOf }: SourceStatus): string {
  if (by === 'configuration') return `${address}, from the configuration`
  if (by === 'lvsd') return `${address}; the kernel would choose ${insteadOf}`
  return `${address}, a virtual address: this machine has no other one for the server; see lvsd doctor`
}

/** Two lines: when, how often, verdict and time; and what came. A third one for the phases; one for each run before, if lvsd tells them: one before an upgrade does not. */
function resultLines({ last, count, from, at, runs = [] }: WhyResults, page: Page): string[] {
  const { paint, now } = page
  const verdict =
    last.ok === null
      ? paint('yellow', 'no verdict')
      : last.ok
        ? paint('green', 'passed')
        : paint('red', 'failed')
  // Failures alike keep the hint of one of them.
  const which = count === 1 ? 'checked early' : 'one of them was checked early'
  const early = last.hint === undefined ? [] : [paint('dim', `  ${which}: ${printable(last.hint)}`)]
  const often = count === 1 ? '' : `  ${count} times since ${moment(from, now)}`
  const phases = phasesOf(last.phases, last.ms)
  return [
    `${moment(at, now)}  ${verdict}  ${formatDuration(last.ms)}${often}`,
    `  ${reasonOf(last)}`,
    ...(phases === '' ? [] : [paint('dim', `  ${phases}`)]),
    ...runs.slice(1).map(run => paint('dim', `  ${earlierRun(run, last, now)}`)),
    ...early,
  ]
}

/** `12:00:03  1.6ms: connect 0.4ms, first byte 1.2ms`. */
function earlierRun({ at, ms, phases }: WhyResults['runs'][number], last: CheckResult, now: number): string {
  const named = phases.map((end, i) => ({ phase: last.phases[i]?.phase ?? 'run', ms: end }))
  const text = phasesOf(named, ms)
  return `${moment(at, now)}  ${formatDuration(ms)}${text === '' ? '' : `: ${text}`}`
}

function reasonOf({ ok, reason, detail, phase }: CheckResult): string {
  const isTold = ok === true || reason === null || detail === reason || detail.startsWith(`${reason} `)
  const where = phase === null || phase === 'run' ? '' : ` in ${phase}`
  return printable(isTold ? detail : `${reason}${where}: ${detail}`)
}

/** `connect 0.4ms, first byte 11.2ms`: the time that each phase took, below 100 ms with tenths, which add up. */
function phasesOf(phases: CheckResult['phases'], ms: number): string {
  return phaseSpans(phases, ms)
    .map(
      ({ phase, took }) =>
        `${printable(phase)} ${took < 100 ? `${took.toFixed(1)}ms` : formatDuration(took)}`,
    )
    .join(', ')
}

function overrideLine(override: WhyReal['overrides'][number], { paint, now }: Page): string {
  const { on, counts } = override
  const text = `${overrideWords(override, now)}${on === 'service' ? ', on the whole service' : ''}`
  return counts ? `${paint('yellow', 'in force')}  ${text}` : `${paint('dim', 'outranked')} ${text}`
}

function overrideWords(
  { effect, weight, source, who, reason, since, until }: OverrideStatus,
  now: number,
): string {
  const what = weight === null ? effect : `weight ${weight}`
  // The author of a window is called "window 0 2 * * sun UTC".
  const by = { command: `by ${who}`, file: `by the maintenance file ${who}`, window: `by the ${who}` }[source]
  const end = until === null ? 'no end' : `until ${dateTime(Date.parse(until))}`
  return printable(`${what} ${by} since ${moment(since, now)}, ${end}${reason === '' ? '' : `: ${reason}`}`)
}

function weightLine({ real: { weight, passing, need }, checks }: WhyReal): string {
  const wanted = weight.wanted === null ? 'not in the table' : `${weight.wanted} wanted`
  const count = checks.length > 1 ? `; ${passing} of ${checks.length} checks pass, ${need} must` : ''
  return `${weight.configured} configured, ${wanted}${count}`
}

function kernelLines({ real, service, table }: WhyReal, { paint, now }: Page): string[] {
  const { weight, counters } = real
  const read =
    table.readAt === null ? 'never read' : `read ${formatUptime(now - Date.parse(table.readAt))} ago`
  const held = !service.inKernel
    ? 'the service is not in the table'
    : weight.kernel === null
      ? 'no entry'
      : `weight ${weight.kernel}`
  const connections = counters
    ? `, ${counters.active} active and ${counters.inactive} inactive connections`
    : ''
  const state = `${held}${connections} (table ${read})`
  return [weight.kernel === weight.wanted ? state : paint('yellow', state), writtenLine(table, now)]
}

function writtenLine({ written }: WhyReal['table'], now: number): string {
  if (!written) return 'lvsd has written nothing here since it started'
  const what = written.weight === null ? 'removed it' : `wrote weight ${written.weight}`
  return `lvsd ${what} at ${moment(written.at, now)}${written.isEarlier ? ', before its last start' : ''}`
}

// ---------------------------------------------------------------- a service

function servicePage({ service, sentence, reals }: WhyService, page: Page): string {
  const { paint } = page
  const { addresses } = service
  const key = addresses
    ? `  ${addresses.length} addresses`
    : service.key === null
      ? ''
      : `  ${printable(service.key)}`
  const title = `${paint('bold', printable(service.name))}${key}  ${paint(STATE_STYLE[service.state], service.state)}`
  const lines = reals.map(({ name, state, sentence }) => {
    const text = `${printable(name)}  ${printable(sentence)}`
    const [first = '', ...more] = wrapped(text, page.width - 2).split('\n')
    const isTold = first.startsWith(printable(name))
    const head = isTold
      ? paint(STATE_STYLE[state], printable(name)) + first.slice(printable(name).length)
      : first
    return [head, ...more.map(line => `  ${line}`)].join('\n')
  })
  const rest = reals.length === 0 ? 'Every real server is in service as configured.' : lines.join('\n')
  const places = (addresses ?? []).map(({ key, state }) => `  ${key}  ${paint(STATE_STYLE[state], state)}\n`)
  return `${title}\n${places.join('')}${paragraph(sentence, page)}\n\n${rest}`
}

function moment(at: string, now: number): string {
  return shortTime(Date.parse(at), now)
}
