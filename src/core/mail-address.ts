/** Mail addresses and mail servers, as people write them. */
import { parseHostPort } from './address.js'
import type { MailServer } from './model.js'

/** Without blanks, brackets, commas, quotes and control characters; a domain is not needed on one's own machine. */
const BARE = /^[^\s\p{Cc}<>()[\],;:\\"@-][^\s\p{Cc}<>()[\],;:\\"@]*(?:@[^\s\p{Cc}<>(),;"@]+)?$/u
const NAMED = /^(?:"[^"\\\p{Cc}]*"|[^"<>,;@\p{Cc}]*)\s*<([^<>]*)>$/u

/** `ops@example.com`, `root`, or with a name before it: `Operators <ops@example.com>`. */
export function isMailAddress(text: string): boolean {
  return BARE.test(bareAddress(text))
}

/** The address without the name before it. */
export function bareAddress(text: string): string {
  return NAMED.exec(text.trim())?.[1]?.trim() ?? text.trim()
}

/** The same without those that stand twice, whatever names are before them. */
export function distinctAddresses(texts: readonly string[]): readonly string[] {
  const seen = new Map<string, string>()
  for (const text of texts) {
    const key = bareAddress(text).toLowerCase()
    if (!seen.has(key)) seen.set(key, text.trim())
  }
  return [...seen.values()]
}

/** The addresses of a line, with commas, semicolons or blanks between them; a name in front keeps its blanks. */
export function splitAddresses(line: string): readonly string[] {
  const named = /(?:"[^"]*"|[^",;<>@]*?)\s*<[^<>]*>|[^\s,;]+/g
  return [...line.matchAll(named)].map(([text]) => text.trim()).filter(text => text !== '')
}

const SMTP_PORT = 25

/** `mail.example.com`, `192.0.2.25:587`, `[2001:db8::25]:25`, `2001:db8::25`; null for anything else. */
export function readMailServer(text: string): MailServer | null {
  const bare = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text) ? `[${text}]` : text
  const parsed = parseHostPort(bare)
  const port = parsed?.port == null ? SMTP_PORT : Number(parsed.port)
  if (!parsed || !Number.isInteger(port) || port < 1 || port > 65_535) return null
  return { host: parsed.host, port }
}
