/** Shared by pop and pops, which differ in their port and in where TLS starts. */
import { createHash } from 'node:crypto'
import { type Answer, type RunContext, type Target, up } from '../../src/check/check.js'
import { brief, converse, type Dialogue } from './dialogue.js'
import { cramMd5, type Encryption, type LoginOptions } from './login.js'

/** Reads the greeting, logs in if configured, and quits. */
export function askPop(
  target: Target,
  context: RunContext,
  { login, passwd }: LoginOptions,
  { tls, starttls }: Encryption,
): Promise<Answer> {
  return converse(target, context, tls, async dialogue => {
    const greeting = await expectOk(dialogue)
    if (starttls) {
      await ask(dialogue, 'STLS')
      await dialogue.startTls(starttls)
    }
    if (login !== null) await logIn(dialogue, greeting, login, passwd ?? '')
    await dialogue.leave('QUIT')
    return up(brief(greeting) + (login === null ? '' : `, logged in as ${login}`))
  })
}

/** Logs in with the strongest method that the server offers, as in ldirectord: APOP, CRAM-MD5, else user and password. */
async function logIn(dialogue: Dialogue, greeting: string, login: string, passwd: string): Promise<void> {
  const stamp = /<[^<>@\s]+@[^<>\s]+>/.exec(greeting)?.[0]
  if (stamp !== undefined) {
    const digest = createHash('md5').update(stamp + passwd)
    await ask(dialogue, `APOP ${login} ${digest.digest('hex')}`)
  } else if (
    (await capabilities(dialogue)).some(line => /^SASL /i.test(line) && /\bCRAM-MD5\b/i.test(line))
  ) {
    dialogue.send('AUTH CRAM-MD5', 'AUTH CRAM-MD5')
    const line = await dialogue.line()
    const challenge = /^\+ (\S+)/.exec(line)?.[1]
    if (challenge === undefined) throw dialogue.fault('status', line, 'a challenge')
    dialogue.send(cramMd5(challenge, login, passwd), 'AUTH CRAM-MD5')
    await expectOk(dialogue)
  } else {
    await ask(dialogue, `USER ${login}`)
    await ask(dialogue, `PASS ${passwd}`)
  }
}

/** Returns the capabilities, one per line; empty if the server does not know the command. */
async function capabilities(dialogue: Dialogue): Promise<readonly string[]> {
  dialogue.send('CAPA')
  const lines = [await dialogue.line()]
  if (!isOk(lines[0] ?? '')) return []
  while (lines.at(-1) !== '.') lines.push(await dialogue.line())
  return lines
}

function ask(dialogue: Dialogue, command: string): Promise<string> {
  dialogue.send(command)
  return expectOk(dialogue)
}

async function expectOk(dialogue: Dialogue): Promise<string> {
  const line = await dialogue.line()
  if (isOk(line)) return line
  throw dialogue.fault(/^-ERR\b/i.test(line) ? 'status' : 'garbage', line, '+OK')
}

function isOk(line: string): boolean {
  return /^\+OK(\s|$)/i.test(line)
}
