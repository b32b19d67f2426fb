import { once } from 'node:events'
import { connect } from 'node:net'
import { type Answer, defineCheck, type RunContext, type Target, up } from '../src/check.js'
import { compileJudge } from '../src/probe/judge.js'
import type { Match } from '../src/probe/probe.js'
import { converse, type Dialogue } from './_dialogue.js'
import { loginOptions, loginProblem } from './_login.js'
import { matchOf, matchOptions, matchProblem } from './_match.js'
import { expectReply, hearReply } from './_replies.js'

/** Greets a file server, logs in where there is a login, and looks into a file where something is expected in it. */
export const check = defineCheck({
  name: 'ftp',
  summary: 'greets an FTP server; may log in and look into a file',
  defaultPort: 21,

  options: kit => ({
    ...loginOptions(kit, 'by default anonymous where a file is fetched, and else none'),
    request: kit.text('/', 'File to fetch where receive or text says what must be in it'),
    ...matchOptions(kit),
    limit: kit.number(1_048_576, 'Bytes of the file that are searched', { min: 1, max: 16_777_216 }),
  }),

  validate(options) {
    if (/[\r\n\0]/.test(options.request)) return 'request must be one line'
    return loginProblem(options) ?? matchProblem(options)
  },

  run: (target, options, context) =>
    converse(target, context, null, async dialogue => {
      const { shown } = await expectReply(dialogue, '2')
      const match = matchOf(options)
      const login = options.login ?? (match ? 'anonymous' : null)
      if (login !== null) await logIn(dialogue, login, options.passwd ?? 'lvsd@')
      const found = match && (await search(dialogue, { target, match, context, ...options }))
      if (found?.ok === false) return found
      await dialogue.leave('QUIT')
      return found ?? up(shown + (login === null ? '' : `, logged in as ${login}`))
    }),
})

/** Some servers want no password for some users. */
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
}

/** Fetches the file over a second connection. A file that breaks off before the match is the server's fault. */
async function search(
  dialogue: Dialogue,
  { target, match, request, limit, context }: Search,
): Promise<Answer> {
  dialogue.send('TYPE I')
  await expectReply(dialogue, '2')
  const port = await passivePort(dialogue, target)
  const data = connect({ host: target.address.text, port, signal: context.signal })
  try {
    await once(data, 'connect')
    dialogue.send(`RETR ${request}`)
    await expectReply(dialogue, '1')
    const hearing = compileJudge({ kind: 'match', match, limit })()
    for await (const chunk of data) {
      const answer = hearing.push(chunk)
      if (answer) return answer
    }
    await expectReply(dialogue, '2')
    return hearing.end()
  } finally {
    data.destroy()
  }
}

/** The port of the second connection. Its address is the server's own, whatever a PASV reply says. */
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
