import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { check as grpc } from '../../../checks/grpc.js'
import { check as https } from '../../../checks/https.js'
import { frame } from '../../support/http2-frame.js'
import { probe } from '../../support/probe.js'
import { tcpServer, tlsServer } from '../../support/servers.js'

const DATA = 0
const HEADERS = 1
const SETTINGS = 4
const PUSH = 5
const PING = 6
const WINDOW = 8
const CONTINUATION = 9
const END_HEADERS = 4
/** A header without an entry in the table of headers; `:status` has the number 8. */
const status = (code: number) => Buffer.from(`\x08\x03${code}`, 'latin1')
const header = (name: string, value: string) =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
const OK = frame(
  HEADERS,
  END_HEADERS,
  1,
  Buffer.concat([status(200), header('content-type', 'application/grpc')]),
)

/** Answers the request with the start, and then this without end. */
function flood(start: Buffer, again: Buffer) {
  return (socket: Socket) => {
    const more = Buffer.concat(Array.from({ length: Math.ceil(16_384 / again.length) }, () => again))
    const pour = () => {
      while (!socket.destroyed && socket.write(more));
    }
    // The check resets the connection.
    socket.on('error', () => {})
    socket.write(frame(SETTINGS, 0, 0))
    socket.once('data', () => {
      socket.write(start)
      socket.on('drain', pour)
      pour()
    })
  }
}

const NONE = Buffer.alloc(0)
const floods: [string, Buffer, Buffer, RegExp][] = [
  ['interim answers', NONE, frame(HEADERS, END_HEADERS, 1, status(103)), /garbage|closed|too-big/],
  ['pings', NONE, frame(PING, 0, 0, Buffer.alloc(8)), /garbage|closed|too-big|timeout/],
  [
    'settings',
    NONE,
    frame(SETTINGS, 0, 0, Buffer.from('000300000064', 'hex')),
    /garbage|closed|too-big|timeout/,
  ],
  ['empty frames of data', OK, frame(DATA, 0, 1), /garbage|truncated|closed|too-big/],
  ['frames of data of one byte', OK, frame(DATA, 0, 1, Buffer.from('x')), /too-big/],
  [
    'window updates',
    NONE,
    frame(WINDOW, 0, 0, Buffer.from('00000001', 'hex')),
    /garbage|truncated|closed|too-big/,
  ],
  [
    'headers',
    frame(HEADERS, 0, 1, status(200)),
    frame(CONTINUATION, 0, 1, header('x', 'y'.repeat(100))),
    /garbage|closed|too-big/,
  ],
  [
    'pushed pages',
    NONE,
    frame(PUSH, END_HEADERS, 1, Buffer.from('00000002', 'hex')),
    /garbage|closed|too-big/,
  ],
  ['frames that nobody knows', NONE, frame(99, 0, 0, Buffer.alloc(10)), /garbage|closed|too-big/],
]

describe('http2-floods: a server of HTTP/2 that never stops sending', function () {
  this.timeout(60_000)
  const options = { limit: 100_000, receive: 'ok', http2: true }
  for (const [phrase, start, again, reason] of floods) {
    it(`${phrase} is down, with https`, async () => {
      const server = await tlsServer(flood(start, again), { ALPNProtocols: ['h2'] })
      const result = await probe(https, server, options, { timeout: 3000 })
      assert.equal(result.ok, false)
      assert.match(result.reason ?? '', reason, result.detail)
      assert.ok(result.ms < 3200, `${result.ms} ms`)
    })

    it(`${phrase} is down, with grpc`, async () => {
      const server = await tcpServer(flood(start, again))
      const result = await probe(grpc, server, {}, { timeout: 3000 })
      assert.equal(result.ok, false)
      assert.match(result.reason ?? '', reason, result.detail)
      assert.ok(result.ms < 3200, `${result.ms} ms`)
    })
  }
})

describe('http2-floods: a wrong frame of HTTP/2 behind the answer', () => {
  const answer = Buffer.concat([
    frame(SETTINGS, 0, 0),
    frame(HEADERS, END_HEADERS, 1, Buffer.concat([status(200), header('content-type', 'application/grpc')])),
    frame(DATA, 0, 1, Buffer.from('00000000020801', 'hex')),
    frame(HEADERS, END_HEADERS | 1, 1, header('grpc-status', '0')),
  ])
  const wrong: [string, Buffer][] = [
    ['settings of a stream', frame(SETTINGS, 0, 3)],
    ['a ping of a stream', frame(PING, 0, 5, Buffer.alloc(8))],
    ['data of no stream', frame(DATA, 0, 0, Buffer.from('x'))],
    ['a frame without its length', frame(WINDOW, 0, 0, Buffer.alloc(3))],
    [
      'a farewell with an error before it',
      Buffer.concat([frame(7, 0, 0, Buffer.from('0000000000000001', 'hex')), frame(SETTINGS, 0, 3)]),
    ],
    ['the first line of another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ]
  // Node 20 ended the whole process where the session was ended while it read.
  for (const [phrase, behind] of wrong)
    it(`ends nothing but the session: ${phrase}`, async () => {
      const say = (socket: Socket) => {
        socket.once('data', () => socket.write(Buffer.concat([answer, behind])))
      }
      const server = await tcpServer(say)
      const secure = await tlsServer(say, { ALPNProtocols: ['h2'] })
      for (let i = 0; i < 5; i++) {
        await probe(grpc, server, {}, { timeout: 500 })
        await probe(https, secure, { http2: true, status: 404 }, { timeout: 500 })
      }
      assert.equal((await probe(https, secure, { http2: true, status: 404 }, { timeout: 500 })).ok, false)
    })
})
