/** Replies that begin with a code of three digits, as those of smtp, ftp and nntp do. */
import { brief, type Dialogue } from './dialogue.js'

export interface Reply {
  readonly code: string
  /** What stands behind the code, of each line. */
  readonly lines: readonly string[]
  /** Code and first line, for people. */
  readonly shown: string
}

/** The next reply. Between its first line, `220-`, and its last, `220 `, anything may stand. */
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

/** The next reply, whose code must begin like this. */
export async function expectReply(dialogue: Dialogue, start: string): Promise<Reply> {
  const reply = await hearReply(dialogue)
  if (!reply.code.startsWith(start)) throw dialogue.fault('status', reply.shown, start.padEnd(3, 'x'))
  return reply
}
