/** The words after `lvsd` of a plain `lvsd health`, which keepalived runs each second. Pure. */
import type { HealthOptions } from './line.js'

export interface HealthQuestion extends HealthOptions {
  /** Names, separated by commas; null: no service is asked for. */
  readonly services: string | null
  /** Path of the control socket; undefined: the usual one. */
  readonly socket: string | undefined
}

const FLAGS: Readonly<Record<string, keyof HealthOptions>> = {
  '--role': 'role',
  '--json': 'json',
  '-j': 'json',
  '--quiet': 'quiet',
  '-q': 'quiet',
}

/** Returns the question of these words; null: they have another form, which the parser reads or refuses. */
export function healthQuestionOf([command, ...words]: readonly string[]): HealthQuestion | null {
  if (command !== 'health') return null
  let question: HealthQuestion = { services: null, socket: undefined, role: false, json: false, quiet: false }
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const flag = FLAGS[word]
    const isSocket = word === '--socket'
    if (flag) question = { ...question, [flag]: true }
    else if (isSocket || word.startsWith('--socket=')) {
      const socket = isSocket ? (words[++i] ?? '') : word.slice('--socket='.length)
      if (socket === '' || (isSocket && socket.startsWith('-'))) return null
      question = { ...question, socket }
    } else if (word === '' || word.startsWith('-') || question.services !== null) return null
    else question = { ...question, services: word }
  }
  return question
}
