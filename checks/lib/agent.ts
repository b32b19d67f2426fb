/** Parses the answers of HAProxy's agent protocol. */
import { type Answer, down, up } from '../../src/check/check.js'
import type { Weighing } from '../../src/core/model.js'
import { brief } from './dialogue.js'

/** Words that set a state, strongest first. If a line has several, the first entry that matches decides. */
const STATES: readonly (readonly [words: RegExp, answer: (said: string) => Answer])[] = [
  [/^(down|fail|failed|stop|stopped)$/i, said => down('status', said)],
  [/^maint$/i, said => down('off', said)],
  [/^drain$/i, said => up(said, { percent: 0 })],
]
const WEIGHT = /^(?:weight:)?(\d{1,9})%$|^weight:(\d{1,9})$/i
/** Words that say nothing against the server. */
const NEUTRAL = /^(up|ready|maxconn:\d+)$/i

/**
 * Judges one line of an agent: words separated by spaces, tabs or commas; text after # is a comment. Returns null if
 * there is no word. An unknown word fails the check, even beside known words, because it may be meant to take the
 * server out.
 *
 *   up, ready              up, with the configured weight
 *   75%, weight:75%        up, with this percentage of the configured weight
 *   weight:10              up, with this weight
 *   drain                  up, with weight 0: no new connections
 *   maint                  down, intentionally
 *   down, fail, stopped    down
 *   maxconn:100            ignored: an agent does not set thresholds
 *
 * The weight is limited to `most`, so that a compromised server cannot attract the clients of all others.
 */
export function readWords(line: string, most: Weighing): Answer | null {
  const words = (line.split('#', 1)[0] ?? '').split(/[\s,]+/).filter(word => word !== '')
  if (words.length === 0) return null
  const said = `the agent says "${brief(line)}"`
  const unknown = words.find(word => !isKnown(word))
  if (unknown !== undefined)
    return down('garbage', `${said}, which contains the unknown word "${brief(unknown)}"`)
  const state = STATES.find(([pattern]) => words.some(word => pattern.test(word)))
  if (state) return state[1](said)
  const weight = weightIn(words)
  return up(said, weight && { ...weight, most })
}

function isKnown(word: string): boolean {
  return NEUTRAL.test(word) || WEIGHT.test(word) || STATES.some(([pattern]) => pattern.test(word))
}

function weightIn(words: readonly string[]): Weighing | undefined {
  const [, percent, weight] = words.map(word => WEIGHT.exec(word)).findLast(match => match !== null) ?? []
  if (percent !== undefined) return { percent: Number(percent) }
  return weight === undefined ? undefined : { weight: Number(weight) }
}
