/** Asks a server over TLS, with the session of an earlier run where the check does not judge the certificate. */
import type { TLSSocket } from 'node:tls'
import type { Answer, RunContext } from '../../src/check/check.js'
import { CheckFailure } from './failure.js'
import { withoutCertificate } from './session-bytes.js'
import { connectTls, type TlsOptions, type TlsPeer, tlsAnswer } from './tls.js'
import { TlsSessions } from './tls-sessions.js'

const sessions = new TlsSessions()

/**
 * Connects, hands the connection to `ask`, and closes it. An error of TLS on a connection that resumes a session says
 * nothing about the server, nor does the end of the connection in place of an answer, so the run connects again, with a
 * full handshake. Rejects with a network or TLS error.
 */
export async function askOverTls<A extends Answer | null>(
  peer: TlsPeer,
  options: TlsOptions,
  context: RunContext,
  ask: (socket: TLSSocket) => Promise<A>,
): Promise<A> {
  const key = sessionKey(peer, options)
  const session = key === null ? undefined : sessions.take(key)
  const attempt = { peer, options, context, ask, key }
  if (!session) return attemptWith(undefined, attempt)
  try {
    const answer = await attemptWith(session, attempt)
    if (context.signal.aborted || answer?.reason !== 'closed') return answer
  } catch (error) {
    if (context.signal.aborted || !isOfResumption(error)) throw error
  }
  return attemptWith(undefined, attempt)
}

interface Attempt<A> {
  readonly peer: TlsPeer
  readonly options: TlsOptions
  readonly context: RunContext
  readonly ask: (socket: TLSSocket) => Promise<A>
  readonly key: string | null
}

async function attemptWith<A extends Answer | null>(
  offered: Buffer | undefined,
  { peer, options, context, ask, key }: Attempt<A>,
): Promise<A> {
  const socket = await connectTls({ ...peer, session: offered }, options, context)
  // What a connection tells is asked for at its beginning: the server may have closed it when the answer is there.
  const wasResumed = socket.isSessionReused()
  let next = wasResumed ? offered : undefined
  if (key !== null) {
    // TLS 1.2 gives the session in a full handshake, TLS 1.3 gives tickets after each one.
    if (!wasResumed && socket.getProtocol() !== 'TLSv1.3') next = bytesOf(socket.getSession())
    socket.on('session', given => {
      next = withoutCertificate(given)
    })
  }
  try {
    const answer = await ask(socket)
    if (key !== null && answer?.ok) sessions.passed(key, next, offered !== undefined, wasResumed)
    return answer
  } finally {
    socket.destroy()
  }
}

function bytesOf(session: Buffer | undefined): Buffer | undefined {
  return session && withoutCertificate(session)
}

/** In TLS 1.3 a server may refuse after the handshake is complete for the client; then reading or writing fails. */
function isOfResumption(error: unknown): boolean {
  if (error instanceof CheckFailure) return error.answer.reason === 'closed'
  const { code = '' } = error as NodeJS.ErrnoException
  return tlsAnswer(error) !== null || code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('ERR_SSL_')
}

/**
 * Names what a session belongs to: one real server at one address and port, and all that the handshake says to it. Null
 * where the handshake is always full: the certificate is verified or pinned, or the server judges lvsd's own.
 */
function sessionKey(
  { host, port, name, localAddress, marked, alpn }: TlsPeer,
  options: TlsOptions,
): string | null {
  const { verify, pin, cert, sni, minversion } = options
  if (verify || pin.length > 0 || cert !== null) return null
  // Through a path, it alone tells the real server.
  return [host, port, localAddress, marked?.path, sni ?? name, alpn, minversion].join(' ')
}
