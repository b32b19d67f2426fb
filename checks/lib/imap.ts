/** Shared by imap and imaps, which differ in their port and in where TLS starts. */
import { type Answer, type RunContext, type Target, up } from '../../src/check/check.js'
import { brief, converse, type Dialogue } from './dialogue.js'
import type { Encryption, LoginOptions } from './login.js'

/** Reads the greeting, logs in if configured, and logs out. Does not open a mailbox. */
export function askImap(
  target: Target,
  context: RunContext,
  { login, passwd }: LoginOptions,
  { tls, starttls }: Encryption,
): Promise<Answer> {
  return converse(target, context, tls, async dialogue => {
    const greeting = await dialogue.line()
    if (!/^\* (OK|PREAUTH)\b/i.test(greeting))
      throw dialogue.fault(/^\* BYE\b/i.test(greeting) ? 'status' : 'garbage', greeting, '* OK')
    if (starttls) {
      await ask(dialogue, 'a', 'STARTTLS')
      await dialogue.startTls(starttls)
    }
    if (login !== null) await ask(dialogue, 'b', `LOGIN ${quoted(login)} ${quoted(passwd ?? '')}`)
    await dialogue.leave('c LOGOUT')
    return up(
      brief(greeting.replace(/^\* |\[CAPABILITY [^\][]*\] /gi, '')) +
        (login === null ? '' : `, logged in as ${login}`),
    )
  })
}

/** Sends a tagged command and reads up to the tagged answer. */
async function ask(dialogue: Dialogue, tag: string, command: string): Promise<void> {
  dialogue.send(`${tag} ${command}`, command.split(' ', 1)[0])
  let line = await dialogue.line()
  while (/^\* (?!BYE\b)/i.test(line)) line = await dialogue.line()
  if (new RegExp(`^${tag} OK\\b`, 'i').test(line)) return
  const isAnswer = new RegExp(`^(${tag} (NO|BAD)|\\* BYE)\\b`, 'i').test(line)
  throw dialogue.fault(isAnswer ? 'status' : 'garbage', line, `${tag} OK`)
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
