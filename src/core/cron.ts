/**
 * Cron expressions: the wall times that they name. node-cron parses them and judges days; its timers and zones are not
 * used, because it ignores the past, and skips a time that clocks skip (DECISIONS.md).
 */
import { createTask, validateDetailed } from 'node-cron'
import { didYouMean } from '../util/closest-match.js'

/** The wall times of an expression. A wall time is in milliseconds as if it were UTC. */
export interface Cron {
  /** True if the expression names times on the day that begins at this wall time. */
  isOn(day: number): boolean
  /** The times of such a day, in milliseconds from its start, ascending. */
  readonly times: readonly number[]
}

/** A part of an expression that is wrong. */
export interface CronFault {
  /** Index of the field; null: the expression as a whole. */
  readonly field: number | null
  readonly message: string
}

const MINUTE = 60_000
const HOUR = 3_600_000

/** In the order of an expression. `words`: names that a field may contain. */
const FIELDS = [
  { key: 'minute', form: 'a minute: 0 to 59', words: '' },
  { key: 'hour', form: 'an hour: 0 to 23', words: '' },
  { key: 'dayOfMonth', form: 'a day of the month: 1 to 31, or L for the last one', words: '' },
  {
    key: 'month',
    form: 'a month: 1 to 12, or jan to dec',
    words: 'jan feb mar apr may jun jul aug sep oct nov dec',
  },
  {
    key: 'dayOfWeek',
    form: 'a day of the week: 0 (Sunday) to 7, or sun to sat',
    words: 'sun mon tue wed thu fri sat sunday monday tuesday wednesday thursday friday saturday',
  },
] as const

/** Message of node-cron for a day that is invalid only together with the month. */
const IMPOSSIBLE = /impossible/

/** Returns the times of an expression of five fields, or of a word such as `@daily`; or what is wrong with it. */
export function parseCron(expression: string): Cron | readonly CronFault[] {
  const words = expression.trim().split(/\s+/)
  const isWord = expression.trim().startsWith('@')
  if (!isWord && words.length !== FIELDS.length)
    return [
      {
        field: null,
        message: `a cron expression has five fields (minute, hour, day of the month, month, day of the week), not ${words.length}`,
      },
    ]
  const { valid, fields, errors } = validateDetailed(words.join(' '))
  if (!valid || !fields) return errors.map(({ field, message }) => faultOf(field, message, words))
  const task = createTask(words.join(' '), () => {}, { timezone: 'UTC' })
  // Takes it out of node-cron's list of tasks. It was never started.
  void task.destroy()
  const minutes = ascending(fields.minute)
  const times = ascending(fields.hour).flatMap(hour => minutes.map(minute => hour * HOUR + minute * MINUTE))
  const [first = 0] = times
  // node-cron needs 20 us for a day, and rare windows ask for years of days.
  const months = new Set(fields.month)
  const isOn = (day: number) =>
    months.has(new Date(day).getUTCMonth() + 1) && task.match(new Date(day + first))
  return { times, isOn }
}

export function isCron(parsed: Cron | readonly CronFault[]): parsed is Cron {
  return !Array.isArray(parsed)
}

function faultOf(key: string, message: string, words: readonly string[]): CronFault {
  const field = FIELDS.findIndex(one => one.key === key)
  const [word = '', month = ''] = [words[field], words[3]]
  if (field === -1)
    return { field: null, message: `"${words.join(' ')}" is no cron expression, such as 0 2 * * sun` }
  if (IMPOSSIBLE.test(message)) return { field, message: `month ${month} has no day ${word}` }
  const { form, words: known } = FIELDS[field] as (typeof FIELDS)[number]
  return { field, message: `"${word}" is not ${form}${advice(word, known.split(' '))}` }
}

/** Returns `; did you mean "sun"?` for the first name in the field that is not known, or an empty text. */
function advice(word: string, known: readonly string[]): string {
  const wrong = word.split(/[^a-z]+/i).find(name => name.length > 1 && !known.includes(name.toLowerCase()))
  return wrong === undefined ? '' : didYouMean(wrong, known)
}

function ascending(values: readonly number[]): readonly number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}
