/**
 * Commands and replies of Redis in version 2 of its protocol (RESP), which every Redis server and proxy supports. The
 * existing libraries are not used: they throw exceptions that cannot be caught if more replies arrive than were
 * requested. Depth, length and number of elements are limited, so a reply costs no more than the 64 KB of a dialogue.
 */

import { counted } from '../../src/util/plural.js'
import { type Dialogue, LIMIT } from './dialogue.js'
import { CheckFailure } from './failure.js'

/** Maximum nesting of arrays. ROLE, the deepest reply that checks request, has two levels. */
const MOST_DEPTH = 4
/** Maximum number of elements in a reply, including those of nested arrays. ROLE has four per replica. */
const MOST_ELEMENTS = 4000
/** Redis's own limits (proto-max-bulk-len, and 2^20 elements per command). A longer length is invalid data. */
const ALLOWED = { bytes: 512 * 1024 * 1024, elements: 1024 * 1024 } as const
/** Maximum size in bytes of a line: a status, an error, a number or a length. */
const LINE_LIMIT = 1024

export type Value = string | number | null | readonly Value[]

/** An error reply of the server. */
export class ReplyError extends Error {}

/** Sends a command and returns its reply. Throws `ReplyError` for an error reply. */
export async function command(dialogue: Dialogue, ...words: readonly string[]): Promise<Value> {
  const parts = words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  dialogue.write(Buffer.from(`*${words.length}\r\n${parts.join('')}`), words[0])
  const value = await read(dialogue, 0, { left: MOST_ELEMENTS })
  // A second reply would be taken as the reply to the next command.
  if (dialogue.pending > 0) throw dialogue.fault('garbage', dialogue.peek(), 'one reply to each command')
  return value
}

interface Budget {
  left: number
}

async function read(dialogue: Dialogue, depth: number, budget: Budget): Promise<Value> {
  if (--budget.left < 0) throw new CheckFailure('too-big', `a reply of more than ${MOST_ELEMENTS} elements`)
  const line = await dialogue.line(LINE_LIMIT)
  const rest = line.slice(1)
  switch (line[0]) {
    case '+':
      return rest
    case '-':
      // None of the commands used here has an error within an array.
      if (depth > 0) throw dialogue.fault('garbage', line, 'a value')
      throw new ReplyError(rest)
    case ':':
      return numberIn(dialogue, line, /^:[+-]?\d{1,15}$/)
    case '$':
      return readBulk(dialogue, numberIn(dialogue, line))
    case '*':
      return readArray(dialogue, numberIn(dialogue, line), depth, budget)
    default:
      throw dialogue.fault('garbage', line, 'a reply of Redis')
  }
}

async function readBulk(dialogue: Dialogue, length: number): Promise<string | null> {
  if (length < 0) return null
  if (length > LIMIT) throw tooLong(length, 'bytes', LIMIT)
  const text = (await dialogue.bytes(length)).toString()
  const end = await dialogue.bytes(2)
  if (end.toString('latin1') !== '\r\n')
    throw dialogue.fault('garbage', text, `a text of ${counted(length, 'byte')}`)
  return text
}

async function readArray(
  dialogue: Dialogue,
  length: number,
  depth: number,
  budget: Budget,
): Promise<readonly Value[] | null> {
  if (length < 0) return null
  if (length > MOST_ELEMENTS) throw tooLong(length, 'elements', MOST_ELEMENTS)
  if (depth >= MOST_DEPTH)
    throw new CheckFailure('garbage', `a reply of more than ${MOST_DEPTH} arrays in each other`)
  const values: Value[] = []
  while (values.length < length) values.push(await read(dialogue, depth + 1, budget))
  return values
}

function tooLong(length: number, unit: keyof typeof ALLOWED, most: number): CheckFailure {
  const reason = length > ALLOWED[unit] ? 'garbage' : 'too-big'
  return new CheckFailure(reason, `a reply of ${length} ${unit}; at most ${most} are read`)
}

/** Returns the number after the type. The length -1 means null. */
function numberIn(dialogue: Dialogue, line: string, form = /^.(-1|\d{1,15})$/): number {
  if (form.test(line)) return Number(line.slice(1))
  throw dialogue.fault('garbage', line, 'a number')
}
