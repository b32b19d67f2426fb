/** Shared by mysql, pgsql and oracle: the options and the judge of the rows. */

import { type Answer, down, up } from '../../src/check/check.js'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import { compileMatch, showBytes, showMatch, tooSlow } from '../../src/probe/match-text.js'
import { counted } from '../../src/util/plural.js'
import { matchOf, matchProblem } from './match.js'

/** Maximum number of rows that are read before the connection is closed. Of more, the first ones decide. */
const MOST_ROWS = 100

export function sqlOptions(kit: OptionKit, database: string) {
  return {
    request: kit.text(
      '',
      'SQL that must give at least one row; without it connecting and logging in is enough',
    ),
    receive: kit.pattern(
      'Regular expression that must occur in the first column of one of the rows; (?i) ignores case',
    ),
    text: kit.maybeText('Plain text that must occur in the first column of one of the rows'),
    login: kit.text('lvsd', 'User name'),
    passwd: kit.secret('', 'Password'),
    database: kit.maybeText(database),
  }
}

export type SqlOptions = Parsed<ReturnType<typeof sqlOptions>>

/** Returns the error in the options, or null. */
export function sqlProblem(options: SqlOptions): OptionProblem | null {
  const { request, receive, text } = options
  const searched = receive === null ? 'text' : 'receive'
  if (request.trim() === '' && (receive ?? text) !== null)
    return problemOf(searched, `${searched} needs request: the SQL that gives the rows`)
  return matchProblem(options)
}

/** Returns what a passing answer has, for people. */
export function sqlExpectation(options: SqlOptions): string {
  if (options.request.trim() === '') return `a login as ${options.login}`
  const match = matchOf(options)
  return match ? `${showMatch(match)} in the first column of a row` : 'at least one row'
}

/** Judges rows one at a time. */
export interface Rows {
  /** Adds a row. Returns true if no further rows are needed. */
  add(firstColumn: unknown): boolean
  /** Returns the answer after the last row. `affected` is the number of rows that were changed instead of returned. */
  end(affected?: number): Answer
}

export function rowsFor(options: SqlOptions): Rows {
  const match = matchOf(options)
  const search = match && compileMatch(match).begin()
  let count = 0
  let first = Buffer.alloc(0)
  let found = false
  let slow = false
  return {
    add(value) {
      count++
      const text = Buffer.from(asText(value))
      if (count === 1) first = text
      // A library may deliver more rows than requested. All are searched within one budget, and not after it is used
      // up.
      if (!found && !slow && search) {
        const is = search.occursIn(text)
        if (is === null) slow = true
        else found = is
      }
      return slow || (count >= MOST_ROWS && (found || !search))
    },
    end(affected = 0) {
      if (count + affected === 0) return down('unexpected', 'no rows, expected at least one')
      if (match && slow) return tooSlow(showMatch(match))
      if (match && !found)
        return down(
          'unexpected',
          `no ${showMatch(match)} in the first column of ${rows(count)}: ${showBytes(first)}${count > 1 ? ' and others' : ''}`,
        )
      return up(count === 0 ? `${rows(affected)} changed` : rows(count, count >= MOST_ROWS))
    },
  }
}

function rows(count: number, orMore = false): string {
  return `${counted(count, 'row')}${orMore ? ' or more' : ''}`
}

function asText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value ?? '')
}

/** Returns the first line of a server's message, for people. */
export function said(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/\p{Cc}+/gu, ' ').slice(0, 200)
}
