/** Faults of a web server, each with the reason that the result must have. They work in plain text and in TLS. */
import type { Socket } from 'node:net'

/** Handles a connection once the request begins to arrive. */
export type Behaviour = (socket: Socket) => void

const PAGE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** The checks have the options `receive: ok` and `limit: 100000`, and a deadline of 120 ms for the reason `timeout`. */
export const FAULTS: readonly (readonly [phrase: string, reason: string, behaviour: Behaviour])[] = [
  ['answers 500', 'status', socket => socket.end(PAGE.replace('200 OK', '500 Oh'))],
  [
    'redirects',
    'status',
    socket => socket.end('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'),
  ],
  ['sends another body', 'unexpected', socket => socket.end(PAGE.replace('\r\nok', '\r\nno'))],
  ['breaks off in the body', 'truncated', socket => socket.end(PAGE.replace('Length: 2', 'Length: 20'))],
  ['breaks off between chunks', 'truncated', socket => socket.end(`${CHUNKED}2\r\nok\r\n`)],
  ['breaks off in the headers', 'truncated', socket => socket.end('HTTP/1.1 200 OK\r\nContent-')],
  ['speaks another protocol', 'garbage', socket => socket.end('220 mail ESMTP\r\n'.repeat(100))],
  ['sends a chunk that is none', 'garbage', socket => socket.end(`${CHUNKED}zz\r\nok\r\n`)],
  ['hangs up without a word', 'closed', socket => socket.end()],
  ['stays silent', 'timeout', () => {}],
  ['drips', 'timeout', drip],
  [
    'sends headers without end',
    'too-big',
    socket => pour(socket, 'HTTP/1.1 200 OK\r\n', 'X-More: and more\r\n'),
  ],
  ['sends a body without end', 'too-big', socket => pour(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'and more\n')],
]

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

/** Sends one byte every 20 ms, so that no gap is long, but the answer never ends. */
function drip(socket: Socket): void {
  let at = 0
  const timer = setInterval(() => socket.write(PAGE[at++] ?? ''), 20)
  socket.once('close', () => clearInterval(timer))
}

function pour(socket: Socket, start: string, again: string): void {
  const more = again.repeat(1000)
  const write = () => {
    while (!socket.destroyed && socket.write(more));
  }
  socket.write(start)
  socket.on('drain', write)
  write()
}
