/** Formats messages for people: `> NEW_DEST #7 { SERVICE { AF 10, … }, DEST { … } }`, `< #7 EEXIST`. */
import { errorName } from '../system/libc.js'
import type { Layout, Values } from './attribute.js'
import type { Coder } from './family.js'
import { errnoOf, genericPart, type Message, type } from './message.js'

/** Receives a line for every message in both directions. */
export type Trace = (line: string) => void

export function printRequest<L extends Layout>(
  coder: Coder<L>,
  command: string,
  sequence: number,
  values: Values<L>,
): string {
  return `> ${command} #${sequence} ${coder.show(values)}`
}

export function printAnswer<L extends Layout>(coder: Coder<L>, message: Message): string {
  const { sequence } = message
  if (message.type === type.ERROR || message.type === type.DONE) {
    const errno = errnoOf(message)
    const word = message.type === type.DONE ? 'done' : 'ok'
    return `< #${sequence} ${errno === 0 ? word : errorName(errno)}`
  }
  const { command, start, end } = genericPart(message)
  const values = coder.decode(message.data, start, end)
  return `< ${coder.commandName(command)} #${sequence} ${coder.show(values)}`
}
