/** Reads replies that start with a three-digit code, as in SMTP, FTP and NNTP. */
import { brief, type Dialogue } from './dialogue.js'

export interface Reply {
  readonly code: string
  /** The text of each line after the code. */
  readonly lines: readonly string[]
  /** Code and first line, for people. */
  readonly shown: string
}

/** Reads the next reply. Between its first line, `220-`, and its last line, `220 `, any text is allowed. */
export async function hearReply(dialogue: Dialogue): Promise<Reply> {
  const first = await dialogue.line()
  const [, code, dash] = /^([1-5]\d\d)([ -]|$)/.exec(first) ?? []
  if (code === undefined) throw dialogue.fault('garbage', first, 'a code of three digits')
  const lines = [first]
  while (dash === '-' && !isLast(lines, code)) lines.push(await dialogue.line())
  return { code, lines: lines.map(line => line.replace(/^\d{3}[ -]?/, '')), shown: brief(first) }
}

function isLast(lines: readonly string[], code: string): boolean {
  const last = lines.at(-1) ?? ''
  return last === code || last.startsWith(`${code} `)
}

/** Reads the next reply, whose code must start with `start`. Throws a `CheckFailure` otherwise. */
export async function expectReply(dialogue: Dialogue, start: string): Promise<Reply> {
  const reply = await hearReply(dialogue)
  if (!reply.code.startsWith(start)) throw dialogue.fault('status', reply.shown, start.padEnd(3, 'x'))
  return reply
}
