/** A mail server in the lab that records the subjects of the mails from each director. */
import { createServer, type Server, type Socket } from 'node:net'

/** An IPv4 address, because ldirectord's `smtp` supports no other. */
export const MAIL_SERVER = '10.1.255.25'

export class MailSink {
  readonly #subjects = new Map<string, string[]>()
  readonly #server: Server = createServer(socket => this.#talk(socket))

  /** Returns the subjects of the mails from this address, in order. */
  subjects(from: string): readonly string[] {
    return this.#subjects.get(from) ?? []
  }

  listen(): void {
    this.#server.listen(25, MAIL_SERVER)
  }

  close(): void {
    this.#server.close()
  }

  #talk(socket: Socket): void {
    const from = socket.remoteAddress ?? ''
    let text = ''
    let mail = ''
    let isMail = false
    socket.on('error', () => socket.destroy())
    socket.write('220 lab ESMTP\r\n')
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end)
        text = text.slice(end + 2)
        if (isMail) mail += `${line}\n`
        if (isMail && line === '.') {
          this.#subjects.set(from, [...this.subjects(from), subjectOf(mail)])
          mail = ''
        }
        if (isMail ? line === '.' : line !== '') socket.write(answerTo(isMail ? '.' : line))
        isMail = isMail ? line !== '.' : /^DATA/i.test(line)
      }
    })
  }
}

/** Returns the subject, unfolded. */
function subjectOf(mail: string): string {
  return /^Subject:[ \t]*(.*(?:\n[ \t].*)*)/im.exec(mail)?.[1]?.replaceAll(/\n[ \t]+/g, ' ') ?? ''
}

function answerTo(line: string): string {
  if (/^DATA/i.test(line)) return '354 go on\r\n'
  return /^QUIT/i.test(line) ? '221 bye\r\n' : '250 fine\r\n'
}
