/**
 * Shared by checks that use a library. lvsd owns the connection, so its end, its errors and the received bytes are
 * known whatever the library does with them. An error in the library while it reads ends only its own check.
 */

import { Console } from 'node:console'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { type Answer, down, type RunContext } from '../../src/check/check.js'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import { counted } from '../../src/util/plural.js'
import { CheckFailure } from './failure.js'
import { givenOf, tlsAnswer, tlsOptions, tlsProblem } from './tls.js'

/** Maximum number of bytes that a server may send in a run. No check needs a hundredth of it. */
const LIMIT = 16_777_216

/** Options for TLS in protocols that have no separate TLS port. */
export function optionalTls(kit: OptionKit) {
  return { tls: kit.flag(false, 'Speak TLS'), ...tlsOptions(kit) }
}

export type OptionalTls = Parsed<ReturnType<typeof optionalTls>>

/** Returns the error in the options, or null. */
export function optionalTlsProblem(options: OptionalTls): OptionProblem | null {
  const given = givenOf(options)
  return !options.tls && given !== null ? problemOf(given, `${given} needs tls: true`) : tlsProblem(options)
}

/** Selects what the library receives, for example only complete, validated messages. Throws a `CheckFailure`. */
export type Filter = (chunk: Buffer) => readonly Buffer[]

const ALL: Filter = chunk => [chunk]

/** Passes a connection to a library. Always closes the connection. */
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
      // The end of the connection explains more than the library's error; it may be reported in the next turn of the
      // event loop.
      await new Promise(soon => setImmediate(soon))
      const verdict = outcome.verdict()
      if (verdict) return verdict
      // The core converts a network error that the library received first.
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
  /** Resolves with an answer soon after the connection has closed, so that the library can report first. */
  readonly closed: Promise<Answer>
  /** Returns the answer about the connection, or null while it is open. Throws network errors. */
  verdict(): Answer | null
}

/**
 * Observes all events of a socket before its listeners, because libraries remove listeners that are not their own. An
 * exception that a library throws while it reads would end the process; here it ends only the connection.
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
  // The run may have ended by then, so that nothing handles the rejection.
  closed.catch(() => {})
  // The connection may have failed since its handshake. Then there are no further events.
  if (socket.destroyed) {
    fate.error = socket.errored
    fate.ended = true
    setImmediate(settle)
  }
  const pass = (event: string | symbol, args: unknown[]) => {
    if (event !== 'data') return emit(event, ...args)
    for (const chunk of filter(args[0] as Buffer)) {
      // The library may end the connection while it handles a chunk.
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

/** Suppresses what a library prints while it reads. Only output within the call is suppressed. */
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

/** Returns the failure for an error of a library that does not understand an answer. */
function unreadable(error: unknown): CheckFailure {
  if (error instanceof CheckFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new CheckFailure(
    'garbage',
    `the client library rejects the answer: ${(message.split('\n')[0] ?? '').slice(0, 200)}`,
  )
}
