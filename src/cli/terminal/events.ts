/** Formats events for people. Pure. */
import { reasonAndDetail } from '../../api/status-reason.js'
import type { CheckResult } from '../../core/model.js'
import type { EventRecord, Level } from '../../history/event-record.js'
import { painter, type Style } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import { clockTime, dateTime, shortTime } from '../../util/time-text.js'

export interface EventView {
  /** Maximum number of columns. */
  readonly width: number
  readonly colour: boolean
  /** True: the time of day alone, with a line for each day. False: each line has its date. */
  readonly hasDays: boolean
  /** Breaks a text into lines of at most `width` columns. */
  wrap(text: string, width: number): string
}

const WORDS: Readonly<Record<Level, readonly [word: string, style: Style]>> = {
  info: ['info ', 'dim'],
  warn: ['warn ', 'yellow'],
  error: ['ERROR', 'red'],
}

/** Returns the line of an event: time, level, service and real server, sentence. */
export function eventLine(record: EventRecord, { width, colour, hasDays, wrap }: EventView): string {
  const paint = painter(colour)
  const at = Date.parse(record.time)
  const [word, style] = WORDS[record.level]
  const time = hasDays ? clockTime(at) : dateTime(at)
  // Of a director of the site; else it is the one that is asked.
  const host = typeof record.host === 'string' ? `${record.host}: ` : ''
  const subject = printable(`${host}${subjectOf(record)}`.trimEnd())
  const text = `${subject}${subject && '  '}${printable(sentenceOf(record))}`
  const head = `${time} ${word} `
  const room = width - head.length
  const lines = Number.isFinite(room) && room >= MIN_ROOM ? wrap(text, room).split('\n') : [text]
  const [first = '', ...rest] = lines
  const indent = ' '.repeat(head.length)
  const named =
    subject && first.startsWith(subject) ? paint('bold', subject) + first.slice(subject.length) : first
  return [
    `${paint('dim', time)} ${paint(style, word)} ${named}`,
    ...rest.map(line => `${indent}${line}`),
  ].join('\n')
}

/** Columns that a sentence needs to be broken into lines. */
const MIN_ROOM = 30

/** Returns the line before the first event of a day: `2026-11-28, UTC`. */
export function dayLine(record: EventRecord): string {
  const [date = '', , zone = ''] = dateTime(Date.parse(record.time)).split(' ')
  return `${date}, ${zone}`
}

function subjectOf({ service, real, msg }: EventRecord): string {
  if (typeof service !== 'string') return ''
  if (typeof real === 'string') return `${service}/${real}`
  return msg.startsWith(`${service}: `) ? '' : service
}

/** Fields that explain the message; the sentence ends with them. */
const EXPLAINING = ['reason', 'detail', 'kernel', 'error', 'err', 'fault', 'end', 'output'] as const
/** Fields that are part of the subject, or that only programs need. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'id',
  'time',
  'level',
  'event',
  'msg',
  'service',
  'real',
  'host',
  'from',
  'phase',
  'ms',
  ...EXPLAINING,
])

function sentenceOf(record: EventRecord): string {
  const own = SENTENCES[record.event]
  if (own) return own(record)
  // A value that the message names is not repeated.
  const others = Object.entries(record).filter(
    ([name, value]) => !LEFT_OUT.has(name) && value !== undefined && !isNamed(record.msg, value),
  )
  const explained = EXPLAINING.map(name => record[name])
    .filter(value => value !== undefined && !isNamed(record.msg, value))
    .map(plain)
  const added =
    others.length > 0 ? ` (${others.map(([name, value]) => `${name} ${plain(value)}`).join(', ')})` : ''
  return [`${record.msg}${added}`, ...explained].join(': ')
}

/** Sentences of the most frequent events. The message of the others is their sentence. */
const SENTENCES: { readonly [Event in EventRecord['event']]?: (record: EventRecord) => string } = {
  'real.down': record => `down: ${resultOf(record)}`,
  'real.up': record => `up: ${resultOf(record)}`,
  'real.unknown': record => `unknown: ${resultOf(record)}`,
  'check.fails': record => `check ${record.check} fails, still ${record.state}: ${resultOf(record)}`,
  'check.passes': record => `check ${record.check} passes, still ${record.state}: ${resultOf(record)}`,
  'weight.changed': ({ from, to, detail }) => `weight ${from} -> ${to}: ${detail}`,
  'override.begins': record => `override: ${overrideOf(record)}`,
  'override.ended-early': record => `${record.by} ended the override: ${overrideOf(record)}`,
  'director.connectivity-restored': ({ msg, detail }) => `${msg}; before: ${detail}`,
  'override.ended': record => `override ended: ${overrideOf(record)}`,
}

/** True if the text has the value as a word of its own. */
function isNamed(text: string, value: unknown): boolean {
  const word = plain(value)
  const at = text.indexOf(word)
  if (typeof value !== 'string' || word === '' || at < 0) return false
  return !/\w/.test(text[at - 1] ?? '') && !/\w/.test(text[at + word.length] ?? '')
}

function resultOf({ reason, detail, phase }: EventRecord): string {
  if (reason === undefined || reason === 'passed') return String(detail ?? '')
  return reasonAndDetail(String(reason), String(detail), (phase ?? null) as CheckResult['phase'])
}

/** Returns `drain until 14:03:59 by anna: disk swap`, in local time, with the date where it is another day. */
function overrideOf({ effect, who, reason, until, time }: EventRecord): string {
  const end = typeof until === 'string' ? ` until ${shortTime(Date.parse(until), Date.parse(time))}` : ''
  return `${effect}${end} by ${who}${reason === undefined ? '' : `: ${reason}`}`
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
