/** The words of HAProxy's agent protocol. */
import { type Answer, down, up } from '../../src/check/check.js'
import type { Weighing } from '../../src/core/model.js'
import { brief } from './dialogue.js'

/** From the strongest to the weakest: where a line says several things, the first of these counts. */
const STATES: readonly (readonly [words: RegExp, answer: (said: string) => Answer])[] = [
  [/^(down|fail|failed|stop|stopped)$/i, said => down('status', said)],
  [/^maint$/i, said => down('off', said)],
  [/^drain$/i, said => up(said, { percent: 0 })],
]
const WEIGHT = /^(?:weight:)?(\d{1,9})%$|^weight:(\d{1,9})$/i
/** Said beside others or alone: nothing speaks against the server. */
const NEUTRAL = /^(up|ready|maxconn:\d+)$/i

/**
 * What one line says: words with blanks, tabs or commas between them, and behind # a text for people; null where there
 * is no word. Each line stands for itself. A word that is none is a fault, whatever else is said: it may have been meant
 * to take the server out.
 *
 *   up, ready              up, with the configured weight
 *   75%, weight:75%        up, with this share of the configured weight
 *   weight:10              up, with this weight
 *   drain                  up, with weight 0: no new connections
 *   maint                  down, on purpose
 *   down, fail, stopped    down
 *   (no weight is higher than `most`: who has taken a server over must not draw the clients of all others to it)
 *   maxconn:100            nothing: thresholds are not an agent's to set
 */
export function readWords(line: string, most: Weighing): Answer | null {
  const words = (line.split('#', 1)[0] ?? '').split(/[\s,]+/).filter(word => word !== '')
  if (words.length === 0) return null
  const said = `the agent says "${brief(line)}"`
  const unknown = words.find(word => !isKnown(word))
  if (unknown !== undefined) return down('garbage', `${said}, and "${brief(unknown)}" is no word of an agent`)
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
