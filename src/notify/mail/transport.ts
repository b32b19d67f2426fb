/** Makes one attempt to pass a mail to a mail server or to sendmail. The only file that imports nodemailer, on demand. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type LookupFunction, type Socket } from 'node:net'
import { bareAddress } from '../../core/mail-address.js'
import type { MailServer } from '../../core/model.js'
import { locateProgram } from '../../system/find-program.js'
import { runCommand } from '../../system/processes.js'
import type { Delivery } from '../delivery-queue.js'
import type { MailMessage } from './message.js'

/** Port for SMTP over TLS. On other ports TLS is used if the server offers it. */
const SMTPS = 465
/** Folders in which sendmail is looked up, in addition to PATH. */
const SENDMAIL_FOLDERS = ['/usr/sbin', '/usr/lib', '/usr/bin']
const SENDMAIL_GRACE = 2000

export interface DeliverParts {
  /** Name of this host, for the greeting and for addresses without a domain. */
  readonly host: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Resolves the name of a mail server; absent means Node's resolver. */
  readonly lookup?: LookupFunction
}

/** Loads nodemailer in advance, because it takes about 40 ms. */
export async function prepareDelivery(): Promise<void> {
  // An error is reported with the first mail.
  await import('nodemailer').catch(() => {})
}

/** One attempt: its mail, recipients and deadline. */
interface Try extends DeliverParts {
  readonly message: MailMessage
  readonly to: readonly string[]
  readonly signal: AbortSignal
}

/** Returns a function that attempts to deliver to these recipients until aborted. Errors are part of its result. */
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
 * Sends by SMTP. TLS is opportunistic, as usual between mail servers: it is used if available, and certificates are not
 * verified. `plain`: without TLS, even if the server offers it.
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
 * Progress of an attempt. `securing`: STARTTLS was sent, but no mail command yet. `handed over`: the final dot was
 * sent; from then on the server may have accepted the mail even if it does not reply.
 */
type Stage = 'greeting' | 'securing' | 'mail' | 'handed over'

/** Determines the progress from nodemailer's log, which contains every command. */
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

/** Connects. The name is resolved as everywhere in lvsd, including /etc/hosts and both address families. */
async function connected({ host, port }: MailServer, { signal, lookup }: Try): Promise<Socket> {
  const socket = connect({ host, port, ...(lookup && { lookup }) })
  // Catches errors that occur before nodemailer adds its listener.
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

/** Runs sendmail, which is killed if it hangs, with the mail as input and the recipients as arguments. */
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
    // The sendmail of a mail server may continue the delivery in the background.
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
    super('this machine has no sendmail: configure a mail server (smtp, or mail: server:)')
  }
}

// ---------------------------------------------------------------- the message

/** Composes the mail. `to` are the recipients of this attempt; the header lists all recipients. */
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

/** Returns the same Message-ID for each attempt, so that duplicates can be recognized. */
function messageIdOf(message: MailMessage, host: string): string {
  const known = messageIds.get(message) ?? `<${randomUUID()}@${host}>`
  messageIds.set(message, known)
  return known
}

/** Appends this host as domain: `root` becomes root at this host. */
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

/** Returns the outcome. Temporarily rejected recipients are retried; permanently rejected ones are not. */
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

/** The outcome if it is unknown whether the server has the mail. Another attempt could duplicate it. */
function unknown(to: readonly string[], { code, message }: Refusal): Delivery {
  const words = `${message} after the mail was sent: the server may or may not have it, so lvsd does not send it again`
  return { again: [], refused: to, fault: faultOf({ code: code ?? 'unknown', message: words }) }
}

function failed(to: readonly string[], error: Refusal): Delivery {
  const isForGood = (error.responseCode ?? 0) >= 500
  return { again: isForGood ? [] : to, refused: isForGood ? to : [], fault: faultOf(error) }
}

function faultOf({ responseCode, code, message }: Refusal) {
  return { code: String(responseCode ?? code ?? 'error'), message: message.slice(0, 500) }
}

/** An abort is a timeout of lvsd, whatever error the library reports. */
function ended(signal: AbortSignal, error: unknown): Refusal {
  return signal.aborted ? { code: 'ETIMEDOUT', message: wordsOf(signal.reason) } : (error as Refusal)
}

function wordsOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
