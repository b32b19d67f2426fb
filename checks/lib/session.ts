/** A session of HTTP/2 on a connection of its own, with limits on all that a server may send beside its answer. */

import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { Socket } from 'node:net'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import { CheckFailure } from './failure.js'
import { Frames } from './frames.js'

/** Interim responses (1xx) before the final one, as over HTTP/1. */
const MOST_INTERIM = 32
/** Bytes of headers in one block. */
const HEADERS = 65_536

export interface Session {
  /** Begins a request. */
  readonly request: ClientHttp2Session['request']
  /** Rejected when the session breaks, ends, or has sent too much. */
  readonly broken: Promise<never>
  close(): void
}

/** `limit`: bytes that the body of the answer may have. */
export function sessionOn(socket: Socket, origin: string, limit: number): Session {
  const frames = new Frames(socket, limit)
  const session = connect(origin, {
    createConnection: () => frames,
    // Megabytes: of streams that no check opens there is none to be kept.
    maxSessionMemory: 2,
    maxHeaderListPairs: 256,
    settings: { enablePush: false, maxHeaderListSize: HEADERS },
  })
  /** Not at once: this may be called while the session reads, and then it must not be ended (see `Frames`). */
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
  // It may fail when nobody waits for it any more.
  broken.catch(() => {})
  return {
    request: (headers, options) => limited(session.request(headers, options), end),
    broken,
    close: () => end(),
  }
}

/**
 * The body of the answer, from the moment of the request on: from Node 24 on, a stream that has come whole and that nobody reads
 * by then is thrown away, and who first waits for the headers comes too late.
 */
export function bodyOf(stream: ClientHttp2Stream): Readable {
  // What went wrong is the body's error too.
  return pipeline(stream, new PassThrough(), () => {})
}

function limited(stream: ClientHttp2Stream, end: (fault: CheckFailure) => void): ClientHttp2Stream {
  let interim = 0
  // An error that comes when nobody waits any more must not end lvsd.
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
