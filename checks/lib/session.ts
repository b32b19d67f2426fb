/** An HTTP/2 session on its own connection, with limits on everything that a server may send beside its answer. */

import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { Socket } from 'node:net'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import { CheckFailure } from './failure.js'
import { Frames } from './frames.js'

/** Maximum number of interim responses (1xx) before the final one, as in HTTP/1. */
const MOST_INTERIM = 32
/** Maximum size of a header block in bytes. */
const HEADERS = 65_536

export interface Session {
  /** Sends a request. */
  readonly request: ClientHttp2Session['request']
  /** Rejects when the session fails, ends, or has received too much data. */
  readonly broken: Promise<never>
  close(): void
}

/** `limit` is the maximum size of the body in bytes. */
export function sessionOn(socket: Socket, origin: string, limit: number): Session {
  const frames = new Frames(socket, limit)
  const session = connect(origin, {
    createConnection: () => frames,
    // Megabytes. No check opens several streams, so a session needs little memory.
    maxSessionMemory: 2,
    maxHeaderListPairs: 256,
    settings: { enablePush: false, maxHeaderListSize: HEADERS },
  })
  /** Deferred, because this may be called while the session reads, when it must not be ended (see `Frames`). */
  const end = (fault?: CheckFailure) => {
    frames.cut()
    setImmediate(() => {
      session.destroy(fault)
      frames.destroy()
    })
  }
  const broken = new Promise<never>((_resolve, reject) => {
    frames.on('error', reject)
    session.on('error', reject)
    session.once('close', () => reject(new Error('closed before the response')))
  })
  // The rejection may occur when nothing waits for it any more.
  broken.catch(() => {})
  return {
    request: (headers, options) => limited(session.request(headers, options), end),
    broken,
    close: () => end(),
  }
}

/**
 * Returns the body of the answer. It must be called together with the request: since Node 24, a stream that has been
 * received completely without being read is discarded, so reading after the headers is too late.
 */
export function bodyOf(stream: ClientHttp2Stream): Readable {
  // `pipeline` forwards errors to the body.
  return pipeline(stream, new PassThrough(), () => {})
}

function limited(stream: ClientHttp2Stream, end: (fault: CheckFailure) => void): ClientHttp2Stream {
  let interim = 0
  // Without a listener, an error after the run would end the process.
  stream.on('error', () => {})
  stream.on('headers', headers => {
    if (++interim > MOST_INTERIM)
      end(
        new CheckFailure(
          'garbage',
          `more than ${MOST_INTERIM} interim answers, the last one ${headers[':status']}`,
        ),
      )
  })
  return stream
}
