/** A small mail server on ::1 that accepts mails, and fails in ways that the test sets. */
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { certificate, type Loopback, tcpServer } from './servers.js'

export interface TakenMail {
  readonly from: string
  readonly to: readonly string[]
  readonly secure: boolean
  /** Header and body with LF line ends and without dot stuffing. */
  readonly text: string
  readonly subject: string
}

export interface SmtpHow {
  /** Offers STARTTLS. `broken`: does not speak TLS afterwards. */
  readonly tls?: boolean | 'broken'
  /**
   * Returns the reply to a line or, for '', the greeting. null: no reply; undefined: the usual reply; 'hang up': closes
   * the connection.
   */
  readonly reply?: (line: string) => string | null | undefined
}

export async function smtpServer(how: SmtpHow = {}, host: Loopback = '::1') {
  const mails: TakenMail[] = []
  const server = await tcpServer(socket => talk(socket, how, mails), host)
  return { ...server, mails }
}

function talk(socket: Socket, how: SmtpHow, mails: TakenMail[], secure = false): void {
  let from = ''
  let to: string[] = []
  let text: string[] | null = null
  let isOver = false
  const say = (line: string, usual: string) => {
    const reply = how.reply?.(line)
    const words = reply === undefined ? usual : reply
    if (words === 'hang up') socket.destroy()
    else if (words !== null) socket.write(`${words}\r\n`)
    return words?.startsWith('2') === true
  }
  const hear = (line: string) => {
    if (text !== null) {
      if (line !== '.') return void text.push(line.replace(/^\./, ''))
      const whole = text.join('\n')
      text = null
      if (say('.', '250 taken')) mails.push({ from, to, secure, text: whole, subject: subjectOf(whole) })
      return
    }
    const verb = line.slice(0, 4).toUpperCase()
    const address = /<(.*)>/.exec(line)?.[1] ?? ''
    if (verb === 'EHLO') say(line, how.tls && !secure ? '250-test\r\n250 STARTTLS' : '250 test')
    else if (verb === 'STAR') {
      isOver = say(line, '220 go ahead')
      if (isOver) secured(socket, how, mails)
    } else if (verb === 'MAIL') {
      from = address
      to = []
      say(line, '250 ok')
    } else if (verb === 'RCPT') {
      if (say(line, '250 ok')) to.push(address)
    } else if (verb === 'DATA') {
      if ((how.reply?.(line) ?? '354').startsWith('354')) text = []
      say(line, '354 go ahead')
    } else if (verb === 'QUIT') {
      say(line, '221 bye')
      socket.end()
    } else say(line, '500 what?')
  }
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (!isOver) hear(line)
  })
  if (!secure) say('', '220 test ESMTP')
}

function secured(socket: Socket, how: SmtpHow, mails: TakenMail[]): void {
  socket.removeAllListeners('data')
  if (how.tls === 'broken') return void socket.end('this is no TLS\r\n')
  const tls = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(certificate) })
  tls.on('error', () => {})
  talk(tls, how, mails, true)
}

/** Returns the subject with its encoded words (RFC 2047) decoded. */
function subjectOf(text: string): string {
  const folded = /^Subject: (.*(?:\n[ \t].*)*)/m.exec(text)?.[1] ?? ''
  const plain = folded.replace(/\?=\n?\s*=\?UTF-8\?Q\?/gi, '').replace(/\n\s/g, ' ')
  return plain.replace(/=\?UTF-8\?Q\?(.*?)\?=/gi, (_, word: string) =>
    Buffer.from(
      word
        .replaceAll('_', ' ')
        .replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    ).toString(),
  )
}
