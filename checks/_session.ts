/** A session of HTTP/2 on a connection of its own, with limits on all that a server may send beside its answer. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { Socket } from 'node:net'
import { Fault } from './_library.js'

/** Interim responses (1xx) before the final one, as over HTTP/1. */
const MOST_INTERIM = 32
/** Bytes of headers in one block, and of a connection's own needs: settings, pings, empty frames. */
const HEADERS = 65_536
const ASIDE = 1_048_576
/** Frames of data beyond one for each of so many bytes: a frame costs as much as some thousand bytes. */
const MOST_PIECES = 1024
const SMALL = 128
/** Milliseconds between two looks at the bytes that have come; frames without content tell nobody of themselves. */
const LOOK = 20

export interface Session {
  /** Begins a request. */
  readonly request: ClientHttp2Session['request']
  /** Rejected when the session breaks, ends, or has sent too much. */
  readonly broken: Promise<never>
  close(): void
}

/** `limit`: bytes that the body of the answer may have. */
export function sessionOn(socket: Socket, origin: string, limit: number): Session {
  const session = connect(origin, {
    createConnection: () => socket,
    // A megabyte: of streams that no check opens there is none to be kept.
    maxSessionMemory: 2,
    maxHeaderListPairs: 256,
    settings: { enablePush: false, maxHeaderListSize: HEADERS },
  })
  const before = socket.bytesRead
  const meter = setInterval(() => {
    if (socket.bytesRead - before > limit + ASIDE)
      session.destroy(new Fault('too-big', `more than ${limit} bytes of a body and ${ASIDE} beside it`))
  }, LOOK)
  const broken = new Promise<never>((_resolve, reject) => {
    session.on('error', reject)
    session.once('close', () => {
      clearInterval(meter)
      reject(new Error('closed before the response'))
    })
  })
  // It may fail when nobody waits for it any more.
  broken.catch(() => {})
  const request: Session['request'] = (headers, options) =>
    limited(session, session.request(headers, options))
  return {
    request,
    broken,
    close() {
      clearInterval(meter)
      session.destroy()
    },
  }
}

function limited(session: ClientHttp2Session, stream: ClientHttp2Stream): ClientHttp2Stream {
  let interim = 0
  // An error that comes when nobody waits any more must not end lvsd.
  stream.on('error', () => {})
  const push = stream.push.bind(stream)
  let pieces = 0
  let bytes = 0
  // Node hands on each frame of data as it comes, a buffer each; a listener would hear of them when all are read.
  stream.push = (piece: Buffer | null, encoding) => {
    bytes += piece?.length ?? 0
    if (++pieces > MOST_PIECES + bytes / SMALL)
      session.destroy(new Fault('too-big', `${pieces} frames for ${bytes} bytes of the body`))
    return push(piece, encoding)
  }
  stream.on('headers', headers => {
    if (++interim > MOST_INTERIM)
      session.destroy(
        new Fault('garbage', `more than ${MOST_INTERIM} interim answers, the last one ${headers[':status']}`),
      )
  })
  return stream
}
