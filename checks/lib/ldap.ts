/** Shared by ldap and ldaps: a bind, a search for one entry, and the judge of the result. */

import type { Socket } from 'node:net'
import { type Answer, down, type RunContext, type Target, up } from '../../src/check/check.js'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import { compileMatch, showMatch, tooSlow } from '../../src/probe/match-text.js'
import { gathered } from '../../src/probe/pace.js'
import { open } from './connect.js'
import { Heard } from './heard.js'
import {
  BIND_RESPONSE,
  bindRequest,
  EXTENDED_RESPONSE,
  type Message,
  NotLdap,
  SEARCH_DONE,
  SEARCH_ENTRY,
  searchRequest,
  startTlsRequest,
  takeMessage,
  unbindRequest,
} from './ldap-messages.js'
import type { Encryption } from './login.js'
import { matchOf, matchOptions, matchProblem } from './match.js'
import { connectTls, tlsAnswer } from './tls.js'

/** ID of the first message. */
const FIRST = 1
/** Maximum size of a message in bytes: a name without attributes. */
const LIMIT = 65_536
/** Maximum number of messages in a run: two results, one entry, and references to other servers. */
const MOST_MESSAGES = 64

export function ldapOptions(kit: OptionKit) {
  return {
    request: kit.text(
      '',
      'Name (DN) of the entry to look for; empty is the root entry that every server has',
    ),
    ...matchOptions(kit),
    login: kit.maybeText('Name (DN) to bind with; without one the bind is anonymous'),
    passwd: kit.secret(null, 'Password for login'),
  }
}

export type LdapOptions = Parsed<ReturnType<typeof ldapOptions>>

/** Returns the error in the options, or null. */
export function ldapProblem(options: LdapOptions): OptionProblem | null {
  const { login, passwd } = options
  // RFC 4513, 5.1.2: a bind with a name but no password succeeds anonymously, so it would prove nothing.
  if (login !== null && !passwd)
    return problemOf('login', 'login needs passwd: LDAP treats a name without a password as anonymous')
  if (passwd !== null && login === null) return problemOf('passwd', 'passwd needs login')
  return matchProblem(options)
}

/** Returns what a passing answer has, for people. */
export function ldapExpectation(options: LdapOptions): string {
  const { login, request } = options
  const match = matchOf(options)
  const entry = request === '' ? 'the root entry' : `the entry ${request}`
  return `${login === null ? 'an anonymous bind' : `a bind as ${login}`}, and ${entry}${match ? ` with ${showMatch(match)} in its name` : ''}`
}

/** Binds and searches one entry, as ldirectord does. `receive` must occur in its name. */
export async function askLdap(
  target: Target,
  { tls, starttls }: Encryption,
  options: LdapOptions,
  context: RunContext,
): Promise<Answer> {
  try {
    let socket = await open(target, tls, context)
    try {
      if (starttls) {
        const refused = await askForTls(socket, context)
        if (refused) return refused
        const { text: host } = target.address
        socket = await connectTls({ host, port: target.port, name: null, socket }, starttls, context)
      }
      return await talk(socket, options, context)
    } finally {
      socket.destroy()
    }
  } catch (error) {
    if (error instanceof NotLdap) return down('garbage', error.message)
    const answer = tlsAnswer(error)
    if (answer) return answer
    throw error
  }
}

/** Requests TLS. Returns null if the server agrees. */
async function askForTls(socket: Socket, { phase }: RunContext): Promise<Answer | null> {
  socket.write(startTlsRequest(FIRST))
  phase('first byte')
  const heard = new Heard()
  // Unlike in `messages`, the connection must stay open.
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    heard.push(chunk)
    const next = takeMessage(heard.peek(), LIMIT)
    if (!next) continue
    const { message, rest } = next
    if (message.kind !== EXTENDED_RESPONSE) return down('garbage', 'no answer to the request for TLS')
    // Unencrypted data received before TLS may come from an attacker and must not be used as an answer.
    if (rest.length > 0) return down('garbage', 'more than the answer to the request for TLS')
    return message.code === 0 ? null : refusal(message, 'the request for TLS')
  }
  return down('closed', 'closed without an answer to the request for TLS')
}

async function talk(socket: Socket, options: LdapOptions, { phase }: RunContext): Promise<Answer> {
  const { request, login, passwd } = options
  const names: string[] = []
  socket.write(bindRequest(FIRST + 1, login ?? '', passwd ?? ''))
  phase('first byte')
  let isBound = false
  for await (const message of messages(socket)) {
    if ('code' in message && message.code !== 0)
      return refusal(message, message.kind === SEARCH_DONE ? `the search for ${nameOf(request)}` : 'the bind')
    if (message.kind === SEARCH_ENTRY && names.push(message.name) > 1) return judge(names, options)
    if (message.kind === BIND_RESPONSE) {
      if (isBound) throw new NotLdap('two answers to one bind')
      isBound = true
      socket.write(searchRequest(FIRST + 2, request))
      phase('body')
    }
    if (message.kind === SEARCH_DONE) {
      socket.write(unbindRequest(FIRST + 3))
      return judge(names, options)
    }
  }
  return down('closed', 'closed before the answer was complete')
}

async function* messages(socket: Socket): AsyncIterable<Message> {
  const heard = new Heard()
  let count = 0
  for await (const chunk of gathered(socket)) {
    heard.push(chunk)
    for (let next = takeMessage(heard.peek(), LIMIT); next; next = takeMessage(heard.peek(), LIMIT)) {
      if (++count > MOST_MESSAGES) throw new NotLdap(`more than ${MOST_MESSAGES} messages`)
      heard.take(heard.length - next.rest.length)
      yield next.message
    }
  }
}

function judge(names: readonly string[], options: LdapOptions): Answer {
  const [name = ''] = names
  if (names.length !== 1)
    return down('unexpected', `${names.length} entries for ${nameOf(options.request)}, expected one`)
  const match = matchOf(options)
  const found = match ? compileMatch(match).begin().occursIn(Buffer.from(name)) : true
  if (match && found === null) return tooSlow(showMatch(match))
  if (match && !found) return down('unexpected', `no ${showMatch(match)} in ${nameOf(name)}`)
  return up(`found ${nameOf(name)}`)
}

function nameOf(dn: string): string {
  return dn === '' ? 'the root entry' : dn.slice(0, 200)
}

/** RFC 4511, appendix A: the result codes that help an operator. */
const CODES: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  13: 'confidentialityRequired',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
}

function refusal({ code, text }: { code: number; text: string }, what: string): Answer {
  const said = text === '' ? '' : `: ${text.replace(/\p{Cc}+/gu, ' ').slice(0, 200)}`
  return down('status', `${what} failed with ${CODES[code] ?? 'code'} (${code})${said}`)
}
