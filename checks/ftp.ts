import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type Answer, defineCheck, type RunContext, type Target, up } from '../src/check/check.js'
import { problemOf } from '../src/check/option-problem.js'
import type { Match } from '../src/check/probe-spec.js'
import { compileJudge } from '../src/probe/matcher.js'
import { gathered } from '../src/probe/pace.js'
import { connectTo, destinationOf } from './lib/destination.js'
import { converse, type Dialogue } from './lib/dialogue.js'
import {
  encryptionOf,
  encryptionOptions,
  encryptionProblem,
  loginOptions,
  loginProblem,
} from './lib/login.js'
import { matchOf, matchOptions, matchProblem } from './lib/match.js'
import { expectReply, hearReply } from './lib/replies.js'
import { connectTls, type TlsOptions } from './lib/tls.js'

/** Reads the greeting of an FTP server, logs in if configured, and searches a file if `receive` or `text` is set. */
export const check = defineCheck({
  name: 'ftp',
  summary: 'reads the greeting of an FTP server; can use TLS, log in and search a file',
  defaultPort: 21,

  options: kit => ({
    ...loginOptions(kit, 'by default anonymous where a file is fetched, and else none'),
    request: kit.text('/', 'File to fetch where receive or text says what must be in it'),
    ...matchOptions(kit),
    ...encryptionOptions(kit),
    limit: kit.number(1_048_576, 'Bytes of the file that are searched', { min: 1, max: 16_777_216 }),
  }),

  validate(options) {
    if (/[\r\n\0]/.test(options.request)) return problemOf('request', 'request must be one line')
    return loginProblem(options) ?? matchProblem(options) ?? encryptionProblem(options)
  },

  // A file comes over another connection, to another port.
  takesPath: ({ receive, text }) => (receive === null ? text === null || 'text' : 'receive'),
  run(target, options, context) {
    const { tls, starttls } = encryptionOf(options)
    return converse(target, context, tls, async dialogue => {
      const { shown } = await expectReply(dialogue, '2')
      if (starttls) {
        dialogue.send('AUTH TLS', 'AUTH TLS')
        await expectReply(dialogue, '234')
        await dialogue.startTls(starttls)
      }
      const match = matchOf(options)
      const login = options.login ?? (match ? 'anonymous' : null)
      if (login !== null) await logIn(dialogue, login, options.passwd ?? 'lvsd@')
      const found =
        match && (await search(dialogue, { ...options, target, match, context, tls: tls ?? starttls }))
      if (found?.ok === false) return found
      await dialogue.leave('QUIT')
      const encrypted = tls || starttls ? ', TLS' : ''
      return found ?? up(shown + encrypted + (login === null ? '' : `, logged in as ${login}`))
    })
  },
})

/** Some servers require no password for some users. */
async function logIn(dialogue: Dialogue, login: string, passwd: string): Promise<void> {
  dialogue.send(`USER ${login}`)
  const { code, shown } = await hearReply(dialogue)
  if (code.startsWith('2')) return
  if (code !== '331') throw dialogue.fault('status', shown, '331')
  dialogue.send(`PASS ${passwd}`)
  await expectReply(dialogue, '2')
}

interface Search {
  readonly request: string
  readonly limit: number
  readonly target: Target
  readonly match: Match
  readonly context: RunContext
  /** Also used for the second connection. */
  readonly tls: TlsOptions | null
}

/** Fetches and searches the file over a second connection. A transfer that ends before the match fails the check. */
async function search(
  dialogue: Dialogue,
  { target, match, request, limit, context, tls }: Search,
): Promise<Answer> {
  // RFC 4217: PBSZ must precede PROT, and has no effect with TLS.
  for (const command of [...(tls ? ['PBSZ 0', 'PROT P'] : []), 'TYPE I']) {
    dialogue.send(command)
    await expectReply(dialogue, '2')
  }
  const port = await passivePort(dialogue, target)
  let data: Socket = connectTo({ ...destinationOf(target), port }, { signal: context.signal })
  // Without a listener, an error after the run would end the process.
  data.on('error', () => {})
  try {
    await once(data, 'connect')
    dialogue.send(`RETR ${request}`)
    await expectReply(dialogue, '1')
    if (tls) data = await encrypt(data, dialogue, { target, context, tls })
    const hearing = compileJudge({ kind: 'match', match, limit })()
    for await (const chunk of gathered(data)) {
      const answer = hearing.push(chunk)
      if (answer) return answer
    }
    await expectReply(dialogue, '2')
    return hearing.end()
  } finally {
    data.destroy()
  }
}

/**
 * Starts TLS on the second connection with the session of the first one. Many servers require this as proof that both
 * connections belong to the same client.
 */
function encrypt(
  socket: Socket,
  { session }: Dialogue,
  { target, context, tls }: { target: Target; context: RunContext; tls: TlsOptions },
): Promise<Socket> {
  return connectTls(
    { host: target.address.text, port: target.port, name: null, socket, session },
    tls,
    context,
  )
}

/** Returns the port of the second connection. Its address is that of the target; the address in a PASV reply is ignored. */
async function passivePort(dialogue: Dialogue, { address }: Target): Promise<number> {
  if (address.family === 'ipv6') {
    dialogue.send('EPSV')
    const { shown } = await expectReply(dialogue, '229')
    const [, port] = /\(\|\|\|(\d{1,5})\|\)/.exec(shown) ?? []
    return portOr(dialogue, Number(port), shown)
  }
  dialogue.send('PASV')
  const { shown } = await expectReply(dialogue, '227')
  const [, high, low] = /\d+,\d+,\d+,\d+,(\d{1,3}),(\d{1,3})/.exec(shown) ?? []
  return portOr(dialogue, Number(high) * 256 + Number(low), shown)
}

function portOr(dialogue: Dialogue, port: number, shown: string): number {
  if (port >= 1 && port <= 65_535) return port
  throw dialogue.fault('garbage', shown, 'a port')
}
