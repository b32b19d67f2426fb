/**
 * What checks share that speak through a library. The connection is ours: its end, its death and the bytes that it
 * carried are known whatever the library makes of them, and a library that stumbles over an answer stumbles alone.
 */

import { Console } from 'node:console'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { type Answer, down, type RunContext } from '../../src/check/check.js'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { counted } from '../../src/util/plural.js'
import { CheckFailure } from './failure.js'
import { givenOf, tlsAnswer, tlsOptions, tlsProblem } from './tls.js'

/** Bytes that a server may send in one run; no check needs a hundredth of it. */
const LIMIT = 16_777_216

/** TLS where it is asked for, for protocols that have no port of their own for it. */
export function optionalTls(kit: OptionKit) {
  return { tls: kit.flag(false, 'Speak TLS'), ...tlsOptions(kit) }
}

export type OptionalTls = Parsed<ReturnType<typeof optionalTls>>

/** What is wrong with the options, or null. */
export function optionalTlsProblem(options: OptionalTls): string | null {
  const given = givenOf(options)
  return !options.tls && given !== null ? `${given} needs tls: true` : tlsProblem(options)
}

/** What a library is given of the bytes that have come: whole messages that were looked at, say. Throws a `CheckFailure`. */
export type Filter = (chunk: Buffer) => readonly Buffer[]

const ALL: Filter = chunk => [chunk]

/** Hands a connection to a library. Whatever comes of it, the connection ends. */
export async function withLibrary(
  opening: Promise<Socket>,
  context: RunContext,
  talk: (socket: Socket) => Promise<Answer>,
  filter = ALL,
): Promise<Answer> {
  try {
    const socket = await opening
    const outcome = monitorSocket(socket, filter)
    try {
      context.phase('first byte')
      return await Promise.race([talk(socket), outcome.closed])
    } catch (error) {
      if (error instanceof CheckFailure || tlsAnswer(error)) throw error
      // What a library says of an end is worth less than the end itself, which may be told a moment later.
      await new Promise(soon => setImmediate(soon))
      const verdict = outcome.verdict()
      if (verdict) return verdict
      // Of a network error that the library heard before us the core knows what it says.
      if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error
      return faultOf(error)
    } finally {
      socket.destroy()
    }
  } catch (error) {
    const answer = error instanceof CheckFailure ? faultOf(error) : tlsAnswer(error)
    if (answer) return answer
    throw error
  }
}

interface SocketOutcome {
  /** Fulfilled with a verdict soon after the connection has closed, so that the library may speak first. */
  readonly closed: Promise<Answer>
  /** What became of the connection, or null while it stands; network errors are thrown. */
  verdict(): Answer | null
}

/**
 * Sees every event of a socket before its listeners do. Libraries take listeners away that are not theirs, and what
 * they throw while they read would end lvsd: here it ends the connection.
 */
export function monitorSocket(socket: Socket, filter = ALL): SocketOutcome {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...args: unknown[]) => boolean
  const before = socket.bytesRead
  const fate = { error: null as unknown, ended: false, count: 0 }
  let settle = () => {}
  const verdict = () => {
    if (fate.error instanceof CheckFailure) return faultOf(fate.error)
    if (fate.error !== null) throw fate.error
    return fate.ended ? ended(fate.count || socket.bytesRead - before) : null
  }
  const closed = new Promise<Answer>((resolve, reject) => {
    settle = () => {
      try {
        resolve(verdict() ?? ended(fate.count))
      } catch (error) {
        reject(error)
      }
    }
  })
  // The talk may be over by then, and nobody wait for it.
  closed.catch(() => {})
  // It may have broken between its handshake and now: then nothing more is heard of it.
  if (socket.destroyed) {
    fate.error = socket.errored
    fate.ended = true
    setImmediate(settle)
  }
  const pass = (event: string | symbol, args: unknown[]) => {
    if (event !== 'data') return emit(event, ...args)
    for (const chunk of filter(args[0] as Buffer)) {
      // The library may have had enough in the middle of what came.
      if (socket.destroyed) break
      emit(event, chunk)
    }
    return true
  }
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event === 'data') {
      fate.count += (args[0] as Buffer).length
      if (fate.count > LIMIT) socket.destroy(new CheckFailure('too-big', `more than ${LIMIT} bytes`))
    }
    if (event === 'error') fate.error ??= args[0]
    if (event === 'end' || event === 'close') fate.ended = true
    if (event === 'close') setImmediate(settle)
    try {
      return quietly(() => pass(event, args))
    } catch (error) {
      if (event !== 'error') socket.destroy(unreadable(error))
      return false
    }
  }
  return { closed, verdict }
}

const NOWHERE = new Writable({ write: (_chunk, _encoding, done) => done() })
const SILENT = new Console(NOWHERE)

/** What a library prints while it reads is not for lvsd's output. Only what runs within the call is kept quiet. */
function quietly<T>(read: () => T): T {
  const { console } = globalThis
  globalThis.console = SILENT
  try {
    return read()
  } finally {
    globalThis.console = console
  }
}

function ended(count: number): Answer {
  return count > 0
    ? down('closed', `closed after ${counted(count, 'byte')}, before the answer was complete`)
    : down('closed', 'closed without an answer')
}

function faultOf(error: unknown): Answer {
  return unreadable(error).answer
}

/** What a library has to say of an answer that it does not understand. */
function unreadable(error: unknown): CheckFailure {
  if (error instanceof CheckFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new CheckFailure(
    'garbage',
    `the answer cannot be read: ${(message.split('\n')[0] ?? '').slice(0, 200)}`,
  )
}
