/** What is wrong with Redis: the reason in one word and as a sentence, from the error of a command or a connection. Pure. */

/** A word for each reason. Those in capitals are the words of Redis. */
export type RedisReason = keyof typeof WORDS

const WORDS = {
  refused: 'nothing accepts connections at its address',
  unreachable: 'its address cannot be reached',
  name: 'its name does not resolve',
  silent: 'it does not answer in time',
  closed: 'it closed the connection',
  busy: 'too many commands wait for its answers',
  size: 'it answers with more than lvsd reads',
  protocol: 'what it answers is not the protocol of Redis',
  thread: 'the thread that reads its answers has ended',
  certificate: 'its certificate is not accepted',
  tls: 'TLS fails',
  file: 'a file for TLS cannot be read',
  sentinels: 'no sentinel names the primary',
  slots: 'no node of the cluster can be asked',
  NOAUTH: 'it wants a password',
  WRONGPASS: 'it does not accept the user name or the password',
  NOPERM: 'the user has no permission',
  READONLY: 'it is a replica and accepts no writes',
  LOADING: 'it still loads its data',
  OOM: 'its memory is full',
  CLUSTERDOWN: 'the cluster does not serve all keys',
  MASTERDOWN: 'it is a replica without its primary',
  MISCONF: 'it accepts no writes, because it cannot store its data',
  NOREPLICAS: 'it accepts no writes, because too few replicas follow it',
  BUSY: 'a script blocks it',
  WRONGTYPE: 'another program has put a value of another type under a key of lvsd',
  clients: 'it accepts no more clients',
  error: 'it answers with an error',
} as const

export interface RedisFault {
  readonly reason: RedisReason
  /** The reason, and what Redis or the system says, in one line. */
  readonly detail: string
}

/** An error of a command. */
export class RedisError extends Error implements RedisFault {
  readonly reason: RedisReason
  readonly detail: string

  constructor({ reason, detail }: RedisFault) {
    super(`Redis: ${detail}`)
    this.reason = reason
    this.detail = detail
  }
}

/**
 * Reasons that concern one command or one key; other commands still work. All others concern the whole connection.
 *
 *   NOPERM     the command, until it is permitted
 *   WRONGTYPE  the key, until it has the type again
 *   error      one command, for example a script
 *   busy       this director: too many commands at once
 */
export function isOfOneCommand(reason: RedisReason): boolean {
  return reason === 'NOPERM' || reason === 'WRONGTYPE' || reason === 'error' || reason === 'busy'
}

/** Codes of errors of lvsd's own. */
export const TLS_FILE_UNREADABLE = 'LVSD_TLS_FILE'
export const ANSWER_REFUSED = { size: 'LVSD_ANSWER_SIZE', protocol: 'LVSD_ANSWER_PROTOCOL' } as const

/** Codes of Node.js and of OpenSSL. */
const CODES: Readonly<Record<string, RedisReason>> = {
  [TLS_FILE_UNREADABLE]: 'file',
  [ANSWER_REFUSED.size]: 'size',
  [ANSWER_REFUSED.protocol]: 'protocol',
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  ENOTFOUND: 'name',
  EAI_AGAIN: 'name',
  ETIMEDOUT: 'silent',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
}

const CERTIFICATE = /^(CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_)/

/** Texts of errors without a code: of Redis, and of the library. */
const TEXTS: readonly (readonly [RegExp, RedisReason])[] = [
  [/^(?:ReplyError: )?(?:Ready check failed: )?-?NOAUTH\b/, 'NOAUTH'],
  [/\bno password is set\b/, 'WRONGPASS'],
  [/^ERR invalid password/, 'WRONGPASS'],
  [/^DENIED Redis is running in protected mode/, 'NOAUTH'],
  [/max number of clients reached/, 'clients'],
  [/All sentinels are unreachable|no sentinel/i, 'sentinels'],
  [/Failed to refresh slots cache|None of startup nodes/i, 'slots'],
  [/Too many Cluster redirections|Cluster isn't ready/, 'CLUSTERDOWN'],
  [/timed? ?out/i, 'silent'],
  [/Connection is closed|connection close|Stream isn't writeable/, 'closed'],
]

/** Texts of the library that say no more than the reason does. */
const NO_NEWS =
  /^(Connection is closed|Stream isn't writeable|Command aborted|connect ETIMEDOUT$|Cluster isn't ready)/

const LONGEST = 200

/** What Redis says if the user may use the command, but with other keys or channels. */
const FOREIGN = /\baccess (one of the|a) (key|channel)s?\b/
const OTHER_NAMES = 'Its ACL has other keys or channels than "prefix" and "site" of the configuration'

/** Returns the fault that an error tells of. `about` names the command or the key: `EVAL`, `{lvsd:berlin}:members`. */
export function faultOf(error: unknown, about: string | null = null): RedisFault {
  if (error instanceof RedisError) return { reason: error.reason, detail: error.detail }
  const { code, message } = innermost(error)
  const reason = reasonOf(code, message)
  return { reason, detail: detailOf(reason, message, about) }
}

/** A fault that no error tells of. */
export function fault(reason: RedisReason, more = ''): RedisFault {
  return { reason, detail: `${WORDS[reason]}${more && `: ${more}`}` }
}

export interface Told {
  readonly code: string
  readonly message: string
}

/** The error within an error of a cluster or of several addresses: the last is the most telling. */
export function innermost(error: unknown): Told {
  const { code, message, lastNodeError, errors } = (error ?? {}) as Record<string, unknown>
  const inner = lastNodeError ?? (Array.isArray(errors) ? errors.at(-1) : undefined)
  if (inner) return innermost(inner)
  return { code: String(code ?? ''), message: String(message ?? error) }
}

function reasonOf(code: string, message: string): RedisReason {
  if (CERTIFICATE.test(code)) return 'certificate'
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return 'tls'
  const known = CODES[code]
  if (known) return known
  for (const [pattern, reason] of TEXTS) if (pattern.test(message)) return reason
  // A script passes an error on with its own words before it: `ERR Error running script … -NOPERM …`.
  for (const [word] of message.matchAll(/\b[A-Z]{3,}\b/g)) if (isWord(word)) return word
  return 'error'
}

function isWord(word: string): word is RedisReason {
  return word in WORDS && /^[A-Z]+$/.test(word)
}

function detailOf(reason: RedisReason, message: string, about: string | null): string {
  const text = message.replace(/\s+/g, ' ').trim().slice(0, LONGEST)
  const place = about !== null && isOfOneCommand(reason) ? ` (${about})` : ''
  const hint = reason === 'NOPERM' && FOREIGN.test(text) ? `. ${OTHER_NAMES}` : ''
  return NO_NEWS.test(text) ? WORDS[reason] : `${WORDS[reason]}${place}: ${text}${hint}`
}
