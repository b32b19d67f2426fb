/** Protocols of the scripted servers: the parts that health checks use. */
import { createHash, createHmac } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { ldap, mysql, pgsql } from './binary-protocols.js'
import type { Protocol } from './servers.js'

/** Secret of the RADIUS server. */
const SECRET = 'parity'
/** Address that the name server returns. */
const ANSWER = [192, 0, 2, 53]

/** Answers line by line. A null answer closes the connection. */
function lines(
  socket: Socket,
  greeting: string,
  answer: (word: string, line: string) => string | null,
  isLast: (word: string) => boolean = word => word === 'QUIT',
): void {
  let text = ''
  if (greeting !== '') socket.write(greeting)
  socket.on('end', () => socket.end())
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end).trim()
      text = text.slice(end + 1)
      const word = (line.split(' ')[0] ?? '').toUpperCase()
      const said = answer(word, line)
      if (said !== null) socket.write(`${said}\r\n`)
      if (isLast(word)) socket.end()
    }
  })
}

const tcp: Protocol = { stream: socket => void socket.on('end', () => socket.end()).resume() }

/**
 * `/moved` redirects to `/`. A right answer contains `ok`. Also serves as a proxy, whose requests have a complete URL.
 */
const http: Protocol = {
  stream: (socket, isRight) => {
    let head = ''
    socket.on('end', () => socket.end())
    socket.on('data', chunk => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      const isMoved = head.startsWith('GET /moved ')
      const isHead = head.startsWith('HEAD ')
      const body = isRight ? 'all is ok\n' : 'all is bad\n'
      const status = isMoved ? '302 Found\r\nLocation: /' : '200 OK'
      socket.end(
        `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${isHead ? '' : body}`,
      )
    })
  },
}

const smtp: Protocol = {
  stream: (socket, isRight) =>
    lines(socket, isRight ? '220 lab ESMTP\r\n' : '554 lab is closed\r\n', word =>
      word === 'QUIT' ? '221 bye' : '250 lab',
    ),
}

const pop: Protocol = {
  stream: (socket, isRight) =>
    lines(socket, '+OK lab\r\n', word => {
      if (word === 'CAPA') return '+OK\r\nUSER\r\n.'
      if (word === 'APOP' || word === 'AUTH') return '-ERR no'
      return word === 'PASS' && !isRight ? '-ERR no' : '+OK 0 0'
    }),
}

const imap: Protocol = {
  stream: (socket, isRight) =>
    lines(
      socket,
      '* OK IMAP4rev1 lab\r\n',
      (tag, line) => {
        const word = line.split(' ')[1]?.toUpperCase()
        if (word === 'CAPABILITY') return `* CAPABILITY IMAP4rev1\r\n${tag} OK done`
        if (word === 'LOGOUT') return `* BYE\r\n${tag} OK done`
        return word === 'LOGIN' && !isRight ? `${tag} NO` : `${tag} OK done`
      },
      () => false,
    ),
}

const nntp: Protocol = {
  stream: (socket, isRight) =>
    lines(socket, isRight ? '200 lab\r\n' : '400 lab is closed\r\n', () => '205 bye'),
}

const pong = (isRight: boolean) => (isRight ? 'PONG\n' : 'PANG\n')

const simpletcp: Protocol = {
  stream: (socket, isRight) => void socket.on('data', () => socket.end(pong(isRight))),
  datagram: (_, isRight) => pong(isRight),
}

function sipAnswer(request: string, isRight: boolean): string {
  const echoed = request.match(/^(?:Via|From|To|Call-ID|CSeq):.*$/gim) ?? []
  const status = isRight ? '200 OK' : '503 Service Unavailable'
  return [`SIP/2.0 ${status}`, ...echoed.map(line => line.trim()), 'Content-Length: 0', '', ''].join('\r\n')
}

const sip: Protocol = {
  stream: (socket, isRight) => {
    let text = ''
    socket.on('end', () => socket.end())
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      if (text.includes('\r\n\r\n')) socket.write(sipAnswer(text, isRight))
    })
  },
  datagram: (message, isRight) => sipAnswer(message.toString('latin1'), isRight),
}

/** Answers any query with one A record or, if wrong, with NXDOMAIN. */
function dnsAnswer(query: Buffer, isRight: boolean): Buffer {
  const end = query.indexOf(0, 12) + 5
  const header = Buffer.from([0, 0, 0x85, isRight ? 0x80 : 0x83, 0, 1, 0, isRight ? 1 : 0, 0, 0, 0, 0])
  query.copy(header, 0, 0, 2)
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ANSWER])
  return Buffer.concat([header, query.subarray(12, end), ...(isRight ? [record] : [])])
}

const dns: Protocol = {
  stream: (socket, isRight) =>
    void socket.on('data', chunk => {
      const answer = dnsAnswer((chunk as Buffer).subarray(2), isRight)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(answer.length)
      socket.end(Buffer.concat([length, answer]))
    }),
  datagram: dnsAnswer,
}

/** Answers Access-Accept or Access-Reject, with the authenticators that the request requires (RFC 2865, RFC 3579). */
const radius: Protocol = {
  datagram: (request, isRight) => {
    const asked = request.subarray(4, 20)
    const signature = Buffer.concat([Buffer.from([80, 18]), Buffer.alloc(16)])
    const head = Buffer.from([isRight ? 2 : 3, request[1] ?? 0, 0, 20 + signature.length])
    createHmac('md5', SECRET)
      .update(Buffer.concat([head, asked, signature]))
      .digest()
      .copy(signature, 2)
    const authenticator = createHash('md5')
      .update(Buffer.concat([head, asked, signature, Buffer.from(SECRET)]))
      .digest()
    return Buffer.concat([head, authenticator, signature])
  },
}

/** Sends a file over a data connection that it accepts (PASV, EPSV) or opens (PORT, EPRT). */
const ftp: Protocol = {
  stream: (socket, isRight) => {
    let door: Server | null = null
    let receiver: Promise<Socket> | null = null
    const open = (say: (port: number) => string) => {
      door?.close()
      const waiting = createServer()
      door = waiting
      receiver = new Promise(resolve => waiting.on('connection', resolve))
      waiting.listen(0, socket.localAddress, () => {
        socket.write(`${say((waiting.address() as AddressInfo).port)}\r\n`)
      })
      return null
    }
    const call = (host: string, port: number) => {
      receiver = Promise.resolve(connect({ host, port }))
      return '200 fine'
    }
    const deliver = () => {
      void receiver?.then(connection => {
        connection.on('error', () => connection.destroy())
        connection.on('close', () => socket.write('226 done\r\n'))
        connection.resume().end(isRight ? 'all is ok\n' : 'all is bad\n')
      })
      return '150 coming'
    }
    const answers: Readonly<Record<string, (line: string) => string | null>> = {
      USER: () => '331 password',
      PASS: () => '230 welcome',
      QUIT: () => '221 bye',
      EPSV: () => open(port => `229 here (|||${port}|)`),
      PASV: () =>
        open(port => `227 here (${[...numbers(socket.localAddress ?? ''), port >> 8, port & 255]})`),
      PORT: line => {
        const [a, b, c, d, high = 0, low = 0] = numbers(line)
        return call(`${a}.${b}.${c}.${d}`, high * 256 + low)
      },
      EPRT: line => {
        const [, , host = '', port] = line.split('|')
        return call(host, Number(port))
      },
      RETR: deliver,
    }
    lines(socket, '220 lab\r\n', (word, line) => answers[word]?.(line) ?? (answers[word] ? null : '200 fine'))
    socket.on('close', () => door?.close())
  },
}

function numbers(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number)
}

export const protocols = {
  tcp,
  http,
  https: { ...http, tls: true },
  smtp,
  pop,
  pops: { ...pop, tls: true },
  imap,
  imaps: { ...imap, tls: true },
  nntp,
  simpletcp,
  sip,
  dns,
  radius,
  ftp,
  ldap,
  ldaps: { ...ldap, tls: true },
  mysql,
  pgsql,
} satisfies Record<string, Protocol>
