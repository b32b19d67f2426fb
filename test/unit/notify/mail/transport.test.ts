/** Mails to real mail servers on ::1 and through a sendmail, with all that can go wrong. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { lookupBy } from '../../../../src/names/net-lookup.js'
import type { MailMessage, Route } from '../../../../src/notify/mail/message.js'
import { deliverer } from '../../../../src/notify/mail/transport.js'
import { temporaryFolder } from '../../../support/folder.js'
import { tcpServer } from '../../../support/servers.js'
import { type SmtpHow, smtpServer } from '../../../support/smtp-server.js'

const SUBJECT = '[Käse] Deleted real server: [2001:db8:1::11]:80 ([2001:db8::1]:80)'
const TEXT = `ldirectord host: director1\nLog-Message: ${SUBJECT}\nDaemon-Status: running\n\n.\nComment: Grüße\n`
const AT = Date.parse('2026-11-22T01:58:54Z')
const BOTH = ['a@one.example', 'Bob Roe <b@two.example>']

function letter(route: Partial<Route>): MailMessage {
  return {
    route: { to: BOTH, from: null, server: null, ...route },
    subject: SUBJECT,
    text: TEXT,
    at: AT,
    items: [],
    more: 0,
  }
}

const deliver = deliverer({ host: 'director1.example' })

function toPort(
  port: number,
  {
    signal = AbortSignal.timeout(20_000),
    host = '::1',
    to = BOTH,
    ...route
  }: Partial<Route> & { signal?: AbortSignal; host?: string } = {},
) {
  return deliver(letter({ server: { host, port }, to, ...route }), to, signal)
}

const WELL = { again: [], refused: [], fault: null }

describe('transport: a mail through a mail server', () => {
  it('goes over IPv6 to each of several recipients', async () => {
    const { port, mails } = await smtpServer()
    assert.deepEqual(await toPort(port), WELL)
    const [mail] = mails
    assert.deepEqual(
      [mails.length, mail?.from, mail?.to],
      [1, 'root@director1.example', ['a@one.example', 'b@two.example']],
    )
    assert.equal(mail?.subject, SUBJECT)
    assert.match(mail?.text ?? '', /^To: a@one.example, Bob Roe <b@two.example>$/m)
    assert.match(mail?.text ?? '', /^From: root@director1.example$/m)
    assert.match(mail?.text ?? '', /^Date: Sun, 22 Nov 2026 01:58:54 \+0000$/m)
    assert.match(mail?.text ?? '', /^Auto-Submitted: auto-generated$/m)
    assert.match(mail?.text ?? '', /\n\nldirectord host: director1\n/)
    assert.match(mail?.text ?? '', /\nDaemon-Status: running\n\n\.\nComment: Gr=C3=BC=C3=9Fe/)
  })

  it('resolves the host name of the mail server with the given function', async () => {
    const { port, mails } = await smtpServer()
    const lookup = lookupBy({
      addresses: async (host, family) =>
        host === 'mail.example' && family === 'ipv6' ? { addresses: ['::1'] } : { code: 'ENOTFOUND' },
    })
    const send = (host: string) =>
      deliverer({ host: 'director1.example', lookup })(
        letter({ server: { host, port } }),
        BOTH,
        AbortSignal.timeout(20_000),
      )
    assert.deepEqual(await send('mail.example'), WELL)
    assert.equal(mails.length, 1)
    assert.match(
      (await send('lost.example')).fault?.message ?? '',
      /lost.example does not resolve \(ENOTFOUND\)/,
    )
  })

  it('has the configured sender in the header and in the envelope', async () => {
    const { port, mails } = await smtpServer()
    await toPort(port, { from: '"ldirectord Alerts" <alerts@example.com>', to: ['root'] })
    assert.deepEqual([mails[0]?.from, mails[0]?.to], ['alerts@example.com', ['root@director1.example']])
    assert.match(mails[0]?.text ?? '', /^From: ldirectord Alerts <alerts@example.com>$/m)
  })

  it('is sent to a mail server by host name, over the address family on which the server listens', async () => {
    const { port, mails } = await smtpServer({}, '127.0.0.1')
    assert.deepEqual(await toPort(port, { host: 'localhost' }), WELL)
    assert.equal(mails.length, 1)
  })

  it('is sent over STARTTLS if the server offers it, with any certificate', async () => {
    const { port, mails } = await smtpServer({ tls: true })
    assert.deepEqual(await toPort(port), WELL)
    assert.equal(mails[0]?.secure, true)
  })

  it('is sent without TLS if the server offers STARTTLS and the handshake fails or the server refuses it', async () => {
    const reply = (line: string) => (line === 'STARTTLS' ? '454 not now' : undefined)
    for (const how of [{ tls: 'broken' }, { tls: true, reply }] satisfies SmtpHow[]) {
      const { port, mails } = await smtpServer(how)
      assert.deepEqual(await toPort(port), WELL)
      assert.equal(mails[0]?.secure, false)
    }
  })
})

describe('transport: a mail that the mail server does not accept', () => {
  const at = (verb: string, reply: string | null) => ({
    reply: (line: string) => (line.startsWith(verb) && (verb !== '' || line === '') ? reply : undefined),
  })
  const AGAIN: readonly [string, SmtpHow, string][] = [
    ['greets with 421', at('', '421 busy'), '421'],
    ['answers RCPT with 450', at('RCPT', '450 greylisted'), '450'],
    ['answers DATA with 452', at('DATA', '452 disk full'), '452'],
    ['answers the final dot with 451', at('.', '451 try again'), '451'],
    ['closes before the greeting', at('', 'hang up'), 'ECONNECTION'],
    ['closes after RCPT', at('RCPT', 'hang up'), 'ECONNECTION'],
  ]
  for (const [phrase, how, code] of AGAIN)
    it(`is marked for another attempt when the server ${phrase}`, async () => {
      const { port } = await smtpServer(how)
      const { again, refused, fault } = await toPort(port)
      assert.deepEqual([again, refused, fault?.code], [BOTH, [], code], JSON.stringify(fault))
    })

  const REFUSED: readonly [string, SmtpHow, string][] = [
    ['greets with 554', at('', '554 go away'), '554'],
    ['answers MAIL with 550', at('MAIL', '550 not you'), '550'],
    ['answers RCPT with 550', at('RCPT', '550 nobody here'), '550'],
    ['answers the final dot with 554', at('.', '554 looks like spam'), '554'],
  ]
  for (const [phrase, how, code] of REFUSED)
    it(`is marked as refused when the server ${phrase}`, async () => {
      const { port } = await smtpServer(how)
      const { again, refused, fault } = await toPort(port)
      assert.deepEqual([again, refused, fault?.code], [[], BOTH, code], JSON.stringify(fault))
    })

  it('is still delivered to the recipients that the server accepts', async () => {
    const replies: Record<string, string> = { now: '450 later', never: '550 nobody' }
    const reply = (line: string) => replies[/TO:<(\w+)@/.exec(line)?.[1] ?? '']
    const { port, mails } = await smtpServer({ reply })
    const to = ['fine@a.example', 'Not <now@b.example>', 'never@c.example']
    const { again, refused, fault } = await toPort(port, { to })
    assert.deepEqual([again, refused], [['Not <now@b.example>'], ['never@c.example']])
    assert.match(fault?.code ?? '', /450|550/)
    assert.deepEqual(mails[0]?.to, ['fine@a.example'])
  })

  it('reports the error code when the connection is refused or the host name does not exist', async () => {
    const { port } = await smtpServer()
    const unused = await deliver(
      letter({ server: { host: '::1', port: 1 } }),
      BOTH,
      AbortSignal.timeout(20_000),
    )
    assert.deepEqual([unused.again, unused.fault?.code], [BOTH, 'ECONNREFUSED'])
    const { fault } = await toPort(port, { host: 'no-such-host.invalid' })
    assert.match(fault?.code ?? '', /ENOTFOUND|EAI_AGAIN/)
  })

  it('stops at the abort signal if the server is silent after any command', async () => {
    const silences = [at('', null), at('EHLO', null), at('MAIL', null), at('RCPT', null), at('DATA', null)]
    await Promise.all(
      silences.map(async how => {
        const { port } = await smtpServer(how)
        const { again, fault } = await toPort(port, { signal: AbortSignal.timeout(200) })
        assert.deepEqual([again, fault?.code], [BOTH, 'ETIMEDOUT'])
      }),
    )
  })

  /** A server that takes all and then, at `verb`, resets or closes the connection; it counts connections and final dots. */
  const breaking = async (verb: string, how: 'reset' | 'close', { tls = false } = {}) => {
    const seen = { connections: 0, dots: 0 }
    const server = await tcpServer(socket => {
      seen.connections++
      const at = (line: string, reply: string) => {
        if (!line.startsWith(verb)) return void socket.write(`${reply}\r\n`)
        if (how === 'reset') socket.resetAndDestroy()
        else socket.end()
      }
      let isData = false
      let rest = ''
      socket.on('error', () => {})
      socket.on('data', chunk => {
        const lines = (rest + chunk).split('\r\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          if (isData && line !== '.') continue
          isData = line.startsWith('DATA')
          if (line === '.') seen.dots++
          at(line, isData ? '354 go' : line.startsWith('EHLO') && tls ? '250-x\r\n250 STARTTLS' : '250 ok')
        }
      })
      at('', '220 hello')
    })
    return { ...server, seen }
  }

  for (const how of ['reset', 'close'] as const)
    it(`is not sent again if the connection ends after the final dot: ${how}`, async () => {
      const { port, seen } = await breaking('.', how)
      const { again, refused, fault } = await toPort(port)
      assert.deepEqual([again, refused, seen], [[], BOTH, { connections: 1, dots: 1 }])
      assert.match(fault?.message ?? '', /may or may not have it, so lvsd does not send it again/)
    })

  it('is not sent again if the server is silent after the final dot', async () => {
    const { port } = await smtpServer(at('.', null))
    const { again, refused, fault } = await toPort(port, { signal: AbortSignal.timeout(2500) })
    assert.deepEqual([again, refused, fault?.code], [[], BOTH, 'ETIMEDOUT'])
  })

  it('is marked for another attempt, without an immediate attempt without TLS, if the connection ends before the final dot', async () => {
    for (const verb of ['EHLO', 'MAIL', 'RCPT', 'DATA'])
      for (const how of ['reset', 'close'] as const) {
        const { port, seen } = await breaking(verb, how)
        const { again } = await toPort(port)
        assert.deepEqual([again, seen], [BOTH, { connections: 1, dots: 0 }], `${how} at ${verb}`)
      }
  })

  it('is sent at once without TLS if the connection ends during the TLS handshake', async () => {
    for (const how of ['reset', 'close'] as const) {
      const { port, seen } = await breaking('STARTTLS', how, { tls: true })
      assert.deepEqual(await toPort(port), WELL)
      assert.deepEqual(seen, { connections: 2, dots: 1 })
    }
  })

  it('has the same Message-ID in each attempt', async () => {
    let reply = '451 later'
    const { port, mails } = await smtpServer({ reply: line => (line === '.' && reply ? reply : undefined) })
    const one = letter({ server: { host: '::1', port } })
    const texts: string[] = []
    for (const next of ['250 ok', '250 ok']) {
      reply = next
      await deliver(one, BOTH, AbortSignal.timeout(20_000))
      texts.push(/^Message-ID: (<.+@director1.example>)$/im.exec(mails.at(-1)?.text ?? '')?.[1] ?? '')
    }
    assert.notEqual(texts[0], '')
    assert.equal(texts[0], texts[1])
  })

  it('stops at the abort signal if the server is slow', async () => {
    const { port } = await tcpServer(socket => {
      const timer = setInterval(() => socket.write('2'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    const { fault } = await toPort(port, { signal: AbortSignal.timeout(200) })
    assert.equal(fault?.code, 'ETIMEDOUT')
  })
})

describe('transport: a mail through sendmail', () => {
  const fake = (script: string) => {
    const path = temporaryFolder()
    const file = join(path, 'sendmail')
    writeFileSync(file, `#!/bin/sh\ncd ${path}\n${script}\n`)
    chmodSync(file, 0o755)
    const by = deliverer({ host: 'director1.example', env: { PATH: `${path}:/bin:/usr/bin` } })
    const send = (signal = AbortSignal.timeout(20_000)) => by(letter({}), BOTH, signal)
    return { send, file, read: (name: string) => readFileSync(join(path, name), 'utf8') }
  }

  it('has the recipients as arguments and the mail as input', async () => {
    const { send, read } = fake('echo "$@" >args; cat >mail')
    assert.deepEqual(await send(), WELL)
    assert.equal(read('args'), '-i -f root@director1.example a@one.example b@two.example\n')
    assert.match(
      read('mail'),
      /From: root@director1.example\nTo: a@one.example, Bob Roe <b@two.example>\nSubject: /,
    )
    assert.match(read('mail'), /\n\nldirectord host: director1\nLog-Message: /)
    assert.doesNotMatch(read('mail'), /\r/)
  })

  it('is marked for another attempt if sendmail fails; the error has its exit code and output', async () => {
    const { again, fault } = await fake('echo queue is full >&2; exit 75').send()
    assert.deepEqual([again, fault], [BOTH, { code: 'exit 75', message: 'sendmail: exit 75 queue is full' }])
  })

  it('fails and kills sendmail if sendmail hangs', async () => {
    const { again, fault } = await fake('sleep 60').send(AbortSignal.timeout(200))
    assert.deepEqual([again, fault?.code], [BOTH, 'ETIMEDOUT'])
  })

  it('is not given to a sendmail file that another user can change', async () => {
    const { send, file } = fake('echo >args')
    chmodSync(file, 0o777)
    const { again, fault } = await send()
    assert.deepEqual(again, BOTH)
    assert.match(fault?.message ?? '', /sendmail may be written by others/)
    assert.equal(existsSync(join(dirname(file), 'args')), false)
  })

  it('counts as accepted if sendmail exits with 0 without reading all of it', async () => {
    assert.deepEqual(await fake('exit 0').send(), WELL)
  })
})
