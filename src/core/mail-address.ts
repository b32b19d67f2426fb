/** Parses mail addresses and mail servers from the configuration. */
import { parseHostPort } from './address.js'
import type { MailServer } from './model.js'

/**
 * An address without a display name: no whitespace, brackets, commas, quotes or control characters. The domain is
 * optional, because a local user needs none.
 */
const BARE = /^[^\s\p{Cc}<>()[\],;:\\"@-][^\s\p{Cc}<>()[\],;:\\"@]*(?:@[^\s\p{Cc}<>(),;"@]+)?$/u
const NAMED = /^(?:"[^"\\\p{Cc}]*"|[^"<>,;@\p{Cc}]*)\s*<([^<>]*)>$/u

/** True for `ops@example.com`, `root`, or either with a display name: `Operators <ops@example.com>`. */
export function isMailAddress(text: string): boolean {
  return BARE.test(bareAddress(text))
}

/** Returns the address without its display name. */
export function bareAddress(text: string): string {
  return NAMED.exec(text.trim())?.[1]?.trim() ?? text.trim()
}

/** Removes duplicate addresses; display names are not compared. */
export function distinctAddresses(texts: readonly string[]): readonly string[] {
  const seen = new Map<string, string>()
  for (const text of texts) {
    const key = bareAddress(text).toLowerCase()
    if (!seen.has(key)) seen.set(key, text.trim())
  }
  return [...seen.values()]
}

/** Splits a line of addresses at commas, semicolons or whitespace. A display name may contain spaces. */
export function splitAddresses(line: string): readonly string[] {
  const named = /(?:"[^"]*"|[^",;<>@]*?)\s*<[^<>]*>|[^\s,;]+/g
  return [...line.matchAll(named)].map(([text]) => text.trim()).filter(text => text !== '')
}

const SMTP_PORT = 25

/** Parses `mail.example.com`, `192.0.2.25:587`, `[2001:db8::25]:25` or `2001:db8::25`. Returns null for any other text. */
export function readMailServer(text: string): MailServer | null {
  const parsed = parseHostPort(text)
  const port = parsed?.port == null ? SMTP_PORT : Number(parsed.port)
  if (!parsed || !Number.isInteger(port) || port < 1 || port > 65_535) return null
  return { host: parsed.host, port }
}
