/**
 * Servers that are as hostile as they can be, in a process of their own, so that what they pour out does not slow the test
 * that watches the daemon. Prints `{ NAME: [port, port, port] }` when all listen on ::1; a line `close NAME INDEX` on the
 * standard input shuts one of them as if its process had been killed, and the time of that is printed, in milliseconds of the epoch.
 */
import { once } from 'node:events'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { certificate } from '../support/servers.js'

type Talk = (socket: Socket) => void

/** Says these bytes to whoever has said something, and leaves the connection open. */
const says =
  (bytes: string | Uint8Array): Talk =>
  socket => {
    socket.once('data', () => socket.write(bytes))
  }

/** Says these bytes at once. */
const greets =
  (bytes: string | Uint8Array): Talk =>
  socket => {
    socket.resume()
    socket.write(bytes)
  }

/** Says `start`, then `again` for as long as it is read. */
const pours =
  (start: string | Uint8Array, again: string | Uint8Array): Talk =>
  socket => {
    socket.resume()
    const unit = Buffer.from(again)
    const more = Buffer.concat(Array.from({ length: Math.ceil(16_384 / unit.length) }, () => unit))
    const pour = () => {
      for (let i = 0; i < 16 && !socket.destroyed; i++) if (!socket.write(more)) return
      setImmediate(pour)
    }
    socket.write(start)
    socket.on('drain', pour)
    pour()
  }

/** Says the bytes one by one, as fast as they go out. */
const inSingleBytes =
  (text: string): Talk =>
  socket => {
    socket.setNoDelay(true)
    socket.once('data', () => {
      const bytes = Buffer.from(text)
      let at = 0
      const next = () => {
        if (socket.destroyed || at >= bytes.length) return
        socket.write(bytes.subarray(at, ++at))
        setImmediate(next)
      }
      next()
    })
  }

function page(body: string, head = 'HTTP/1.1 200 OK'): string {
  return `${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}

/** A name server over TCP that answers with `records` as it finds them: raw resource records for the question's name. */
function nameServer(records: (count: number) => Buffer, count: number): Talk {
  return socket =>
    socket.once('data', query => {
      const question = query.subarray(14)
      const head = Buffer.from(query.subarray(2, 14))
      head.writeUInt16BE(0x8180, 2)
      head.writeUInt16BE(count, 6)
      const end = question.indexOf(0) + 5
      const body = Buffer.concat([head, question.subarray(0, end), records(count)])
      const length = Buffer.alloc(2)
      length.writeUInt16BE(Math.min(body.length, 65_535))
      socket.write(Buffer.concat([length, body.subarray(0, 65_535)]))
    })
}

/** TXT records that each make `(a+)+$` search for long. */
function texts(count: number): Buffer {
  const text = `${'a'.repeat(26)}00001!`
  const record = Buffer.concat([
    Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 1, 0, text.length + 1, text.length]),
    Buffer.from(text),
  ])
  return Buffer.concat(Array.from({ length: count }, () => record))
}

/** Names that are nothing but pointers, each to the one before. */
function pointers(count: number): Buffer {
  const parts: Buffer[] = []
  const chain = Buffer.alloc(16_000)
  for (let i = 0; i < chain.length; i += 2) chain.writeUInt16BE(0xc000 | (i === 0 ? 12 : 12 + 20 + i - 2), i)
  parts.push(Buffer.concat([Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 1]), lengthOf(chain.length), chain]))
  for (let i = 1; i < count; i++)
    parts.push(Buffer.from([0xff, 0x00, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]))
  return Buffer.concat(parts)
}

function lengthOf(number: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(number)
  return bytes
}

/** Lets anybody in and answers every query with so many rows. */
function postgres(rows: readonly string[]): Talk {
  const message = (type: string, body: Buffer) => {
    const head = Buffer.alloc(5)
    head.write(type, 'latin1')
    head.writeUInt32BE(body.length + 4, 1)
    return Buffer.concat([head, body])
  }
  const ready = message('Z', Buffer.from('I'))
  const row = (text: string) => {
    const head = Buffer.alloc(6)
    head.writeUInt16BE(1)
    head.writeUInt32BE(text.length, 2)
    return message('D', Buffer.concat([head, Buffer.from(text)]))
  }
  const column = Buffer.concat([
    Buffer.from([0, 1]),
    Buffer.from('text\0'),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]),
  ])
  const answer = Buffer.concat([
    message('T', column),
    ...rows.map(row),
    message('C', Buffer.from(`SELECT ${rows.length}\0`)),
    ready,
  ])
  return socket => {
    let isIn = false
    socket.on('data', () => {
      if (!isIn) socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ready]))
      else socket.write(answer)
      isIn = true
    })
  }
}

const BLANKS = `<html>${' '.repeat(60)}no`
const AS = `${'a'.repeat(60)}!`
const OPTIONS = 'a'.repeat(28)

const TALKS: Readonly<Record<string, Talk>> = {
  // The servers that do as they should.
  page: says(page('<html>OK aab line one!')),
  line: greets('OK aab line one!\r\n'),
  redis: says('+PONG\r\n'),
  pop: greets('+OK ready\r\n'),
  imap: greets('* OK [CAPABILITY IMAP4rev1] ready\r\n'),
  pgsql: postgres(['aab OK']),
  txt: nameServer(count => texts(count), 1),
  plug: greets('ok\n'),
  // Redis.
  'redis-one-more': says('+PONG\r\n$-1\r\n'),
  'redis-nulls': says('$-1\r\n$-1\r\n'),
  'redis-null-lists': says('*-1\r\n*-1\r\n'),
  'redis-deep': says('*1\r\n'.repeat(20_000)),
  'redis-long': says('$536870912\r\n'),
  'redis-many': says(`*100000000\r\n${':1\r\n'.repeat(10_000)}`),
  'redis-endless': pours('+', 'PONG'),
  // Pages and lines for expressions.
  'page-blanks': says(page(BLANKS)),
  'page-as': says(page(AS)),
  'page-options': says(page(OPTIONS)),
  'page-large': says(page('a'.repeat(500_000))),
  'line-blanks': greets(`${BLANKS}\r\n`),
  'line-as': greets(`${AS}\r\n`),
  'line-options': greets(`${OPTIONS}\r\n`),
  'lines-endless': pours('', `${AS}\r\n`),
  'txt-many': nameServer(texts, 1300),
  pointers: nameServer(pointers, 3000),
  'rows-many': postgres(Array.from({ length: 1500 }, () => `${'a'.repeat(26)}00001!`)),
  'zeros-to-pgsql': says(Buffer.alloc(65_536)),
  // Protocols.
  'pop-greeting': greets(`+OK <${'a@'.repeat(32_600)}\r\n`),
  'imap-capabilities': greets(`* OK ${'[CAPABILITY '.repeat(5400)}\r\n`),
  'http-100-endless': pours('', 'HTTP/1.1 100 Continue\r\n\r\n'),
  'http-chunks': pours('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\na\r\n'),
  'http-single-bytes': inSingleBytes(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(60_000)}\r\n\r\n`),
  'http-phrase': says(page('', `HTTP/1.1 503 ${'\x1b]0;owned\x07 very long '.repeat(3000)}`)),
  'http-headers': pours('HTTP/1.1 200 OK\r\n', 'X-More: and more\r\n'),
  garbage: pours('', Buffer.from('\x00\xff\x16\x03\x01\x80', 'latin1')),
  // For plug-ins.
  bad: greets('bad\n'),
}

/** The same over TLS. */
const TLS_TALKS = ['page', 'page-blanks', 'page-as', 'http-100-endless', 'http-chunks', 'garbage']

const servers = new Map<string, readonly Server[]>()

async function listen(name: string, make: () => Server): Promise<number[]> {
  const three = [make(), make(), make()]
  servers.set(name, three)
  for (const server of three) {
    server.listen(0, '::1')
    await once(server, 'listening')
  }
  return three.map(server => (server.address() as AddressInfo).port)
}

function plain(talk: Talk): Server {
  return createServer(socket => {
    socket.on('error', () => {})
    talk(socket)
  })
}

function overTls(talk: Talk): Server {
  const server = createTlsServer({ ...certificate, ALPNProtocols: ['http/1.1'] }, socket => {
    socket.on('error', () => {})
    talk(socket)
  })
  return server.on('tlsClientError', () => {})
}

/** HTTP/2 that sends interim answers without end. */
function earlyHints(): Server {
  const server = createHttp2Server()
  server.on('sessionError', () => {})
  server.on('stream', stream => {
    stream.on('error', () => {})
    const more = () => {
      for (let i = 0; i < 50 && !stream.destroyed && !stream.closed; i++)
        stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' })
      if (!stream.destroyed && !stream.closed) setImmediate(more)
    }
    more()
  })
  return server
}

const ports: Record<string, number[]> = {}
for (const [name, talk] of Object.entries(TALKS)) ports[name] = await listen(name, () => plain(talk))
for (const name of TLS_TALKS)
  ports[`tls-${name}`] = await listen(`tls-${name}`, () => overTls(TALKS[name] as Talk))
ports['http2-103-endless'] = await listen('http2-103-endless', earlyHints)
process.stdout.write(`${JSON.stringify(ports)}\n`)

process.on('uncaughtException', error => process.stderr.write(`${error.stack}\n`))
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  const [, name = '', index] = /^close (\S+) (\d)/.exec(text) ?? []
  const now = Date.now()
  servers.get(name)?.[Number(index)]?.close()
  process.stdout.write(`${now}\n`)
})
process.stdin.on('end', () => process.exit(0))
