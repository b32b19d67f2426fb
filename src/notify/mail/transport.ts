/** One try to hand a mail to a mail server or to sendmail. The one file that imports nodemailer, when it is needed. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type LookupFunction, type Socket } from 'node:net'
import { bareAddress } from '../../core/mail-address.js'
import type { MailServer } from '../../core/model.js'
import { locateProgram } from '../../system/find-program.js'
import { runCommand } from '../../system/processes.js'
import type { Delivery } from './delivery-queue.js'
import type { MailMessage } from './message.js'

/** Port of SMTP inside TLS; elsewhere TLS is used where the server offers it. */
const SMTPS = 465
/** Where sendmail lies, beside the folders of PATH. */
const SENDMAIL_FOLDERS = ['/usr/sbin', '/usr/lib', '/usr/bin']
const SENDMAIL_GRACE = 2000

export interface DeliverParts {
  /** The name of this host: for the greeting, and for addresses without a domain. */
  readonly host: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Looks the name of a mail server up; absent: as Node does. */
  readonly lookup?: LookupFunction
}

/** Loads what is needed to send, before there is anything to send: it takes some 40 ms. */
export async function prepareDelivery(): Promise<void> {
  // What is wrong with it is told with the first mail.
  await import('nodemailer').catch(() => {})
}

/** One try: for whom, and until when. */
interface Try extends DeliverParts {
  readonly message: MailMessage
  readonly to: readonly string[]
  readonly signal: AbortSignal
}

/** Gives what tries to deliver to these recipients until aborted. What goes wrong is in its result. */
export function deliverer(
  parts: DeliverParts,
): (message: MailMessage, to: readonly string[], signal: AbortSignal) => Promise<Delivery> {
  return async (message, to, signal) => {
    const one = { ...parts, message, to, signal }
    const { server } = message.route
    try {
      return await (server ? bySmtp(one, server) : bySendmail(one))
    } catch (error) {
      return failed(to, ended(signal, error))
    }
  }
}

// ---------------------------------------------------------------- a server

/**
 * Mail between servers is encrypted where that is possible, and goes on where not: certificates are not verified.
 * `plain`: without TLS, although the server offers it.
 */
async function bySmtp(one: Try, server: MailServer, plain = false): Promise<Delivery> {
  const { to, host, signal } = one
  const { createTransport } = await import('nodemailer')
  const course = followed()
  const transport = createTransport({
    ...server,
    getSocket: (_, done) => {
      connected(server, one).then(connection => done(null, { connection }), done)
    },
    name: host,
    secure: server.port === SMTPS,
    ignoreTLS: plain,
    opportunisticTLS: true,
    tls: { rejectUnauthorized: false },
    logger: course.logger,
    transactionLog: true,
  })
  try {
    const { rejectedErrors = [] } = await transport.sendMail({ ...messageOf(one), signal })
    return verdict(to, rejectedErrors, host)
  } catch (error) {
    const { responseCode, rejectedErrors } = error as Refusal
    if (course.stage === 'handed over' && responseCode === undefined) return unknown(to, ended(signal, error))
    if (course.stage === 'securing' && !signal.aborted && !plain) return bySmtp(one, server, true)
    if (rejectedErrors?.length) return verdict(to, rejectedErrors, host)
    throw error
  }
}

/**
 * How far a try has come. `securing`: TLS has been asked for, and no mail has been spoken of since. `handed over`: the
 * final dot is on its way, from where on the server may have the mail though it says nothing.
 */
type Stage = 'greeting' | 'securing' | 'mail' | 'handed over'

/** Reads from nodemailer's log, which has each command, how far it is. */
function followed() {
  const hear = (entry: unknown, text: unknown) => {
    const { tnx, outByteCount } = entry as { readonly tnx?: string; readonly outByteCount?: number }
    if (tnx === 'message' && outByteCount !== undefined) course.stage = 'handed over'
    if (tnx !== 'client') return
    if (text === 'STARTTLS') course.stage = 'securing'
    if (/^MAIL FROM/i.test(String(text))) course.stage = 'mail'
  }
  const logger = { trace: hear, debug: hear, info: hear, warn: hear, error: hear, fatal: hear }
  const course = { stage: 'greeting' as Stage, logger }
  return course
}

/** Names are looked up as everywhere in lvsd, /etc/hosts and both families included. */
async function connected({ host, port }: MailServer, { signal, lookup }: Try): Promise<Socket> {
  const socket = connect({ host, port, ...(lookup && { lookup }) })
  // For errors between the connection and the moment when nodemailer listens.
  socket.on('error', () => {})
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

// ---------------------------------------------------------------- sendmail

/** As a command that is killed when it hangs; it gets the whole mail, and the recipients as arguments. */
async function bySendmail(one: Try): Promise<Delivery> {
  const { to, signal, env = process.env } = one
  const { createTransport } = await import('nodemailer')
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
  const { message, envelope } = await composer.sendMail(messageOf(one))
  const folders = [...(env.PATH ?? '').split(':'), ...SENDMAIL_FOLDERS].filter(Boolean)
  const program = locateProgram('sendmail', folders)
  if ('why' in program) throw program.isAbsent ? new NoSendmail() : new Error(program.why)
  const { code, output } = await runCommand({
    file: program.path,
    argv: ['-i', '-f', envelope.from || '', ...envelope.to],
    env: { PATH: folders.join(':') },
    input: message.toString(),
    signal,
    grace: SENDMAIL_GRACE,
    // A mail server's own sendmail goes on with the delivery behind it.
    sort: 'hook',
  })
  signal.throwIfAborted()
  if (code === 0) return { again: [], refused: [], fault: null }
  const end = code === null ? 'ended by a signal' : `exit ${code}`
  return failed(to, { code: end, message: `sendmail: ${end} ${output}`.trim() })
}

class NoSendmail extends Error {
  readonly code = 'ENOENT'
  constructor() {
    super('this machine has no sendmail: name a mail server (smtp, or mail: server:)')
  }
}

// ---------------------------------------------------------------- the message

/** `to`: those who do not have it yet; all of them stand in the head of the mail. */
function messageOf({ message, to, host }: Try) {
  const { route, subject, text, at } = message
  const from = withDomain(route.from ?? 'root', host)
  return {
    from,
    to: route.to.map(each => withDomain(each, host)),
    envelope: { from: bareAddress(from), to: to.map(each => bareAddress(withDomain(each, host))) },
    subject,
    text,
    date: new Date(at),
    messageId: messageIdOf(message, host),
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

const messageIds = new WeakMap<MailMessage, string>()

/** The same at each try, so that whoever gets two copies all the same can tell. */
function messageIdOf(message: MailMessage, host: string): string {
  const known = messageIds.get(message) ?? `<${randomUUID()}@${host}>`
  messageIds.set(message, known)
  return known
}

/** `root` is root at this host. */
function withDomain(address: string, host: string): string {
  const bare = bareAddress(address)
  return bare.includes('@') ? address : `${address.slice(0, address.lastIndexOf(bare))}${bare}@${host}`
}

// ---------------------------------------------------------------- what went wrong

interface Refusal {
  readonly code?: string | undefined
  readonly message: string
  readonly responseCode?: number | undefined
  readonly recipient?: string | undefined
  readonly rejectedErrors?: readonly Refusal[] | undefined
}

/** Recipients whom the server has refused for now may be tried again; those whom it will never have may not. */
function verdict(to: readonly string[], errors: readonly Refusal[], host: string): Delivery {
  const refusals = new Map(errors.map(error => [error.recipient, error]))
  const refusalOf = (each: string) => refusals.get(bareAddress(withDomain(each, host)))
  const rejected = to.filter(each => refusalOf(each))
  const isForGood = (each: string) => (refusalOf(each)?.responseCode ?? 0) >= 500
  return {
    again: rejected.filter(each => !isForGood(each)),
    refused: rejected.filter(isForGood),
    fault: errors[0] ? faultOf(errors[0]) : null,
  }
}

/** Another try could bring a second copy. */
function unknown(to: readonly string[], { code, message }: Refusal): Delivery {
  const words = `${message} after the mail was handed over: the server may have it or not, and it is not sent again`
  return { again: [], refused: to, fault: faultOf({ code: code ?? 'unknown', message: words }) }
}

function failed(to: readonly string[], error: Refusal): Delivery {
  const isForGood = (error.responseCode ?? 0) >= 500
  return { again: isForGood ? [] : to, refused: isForGood ? to : [], fault: faultOf(error) }
}

function faultOf({ responseCode, code, message }: Refusal) {
  return { code: String(responseCode ?? code ?? 'error'), message: message.slice(0, 500) }
}

/** An abort is the end of our patience, whatever the library calls it. */
function ended(signal: AbortSignal, error: unknown): Refusal {
  return signal.aborted ? { code: 'ETIMEDOUT', message: wordsOf(signal.reason) } : (error as Refusal)
}

function wordsOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
