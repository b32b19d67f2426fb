/** Makes one attempt to deliver alerts to a receiver: a webhook, an Alertmanager or a command. */
import type { LookupFunction } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { ALERT_SCHEMA } from '../../api/versions.js'
import type { AlertDocument } from '../../api/webhook-types.js'
import type { AlertCommand, Alertmanager, AlertReceiver, Webhook } from '../../core/alert-receiver.js'
import { locateProgram, USUAL_PATH } from '../../system/find-program.js'
import { runCommand } from '../../system/processes.js'
import { harmless } from '../../util/foreign-text.js'
import type { Delivery, Fault } from '../delivery-queue.js'
import { entryOf, headlineOf, type Notice, type Sender } from './alert.js'
import { amAlertOf } from './alertmanager.js'
import { type Posted, post } from './http-post.js'
import { signatureHeaders } from './signature.js'

export interface TransportParts extends Sender {
  readonly lookup?: LookupFunction | undefined
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
}

/** What came of an attempt. */
export interface Attempt extends Pick<Delivery, 'output'> {
  /** What the receiver answered, for people. */
  readonly answer: string
  readonly fault: Fault | null
  readonly isWorthRetrying: boolean
  readonly wait: number
}

/** Alerts for one destination. */
export interface Batch {
  /** The same in each attempt. */
  readonly id: string
  readonly notices: readonly Notice[]
}

/** Alerts in one request to an Alertmanager. */
const MOST_IN_REQUEST = 500
/** Milliseconds from TERM to KILL for a command at its deadline. */
const GRACE = 2000

/** Returns the names of the destinations of a receiver. Each has a queue of its own. */
export function destinationsOf(receiver: AlertReceiver): readonly string[] {
  const { name } = receiver
  return receiver.kind === 'alertmanager' ? receiver.urls.map(url => `${name} ${originOf(url)}`) : [name]
}

/** Returns scheme, host and port: the path of a webhook may be a secret. */
export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'an invalid URL'
}

/** Never rejects. `destination` is one of `destinationsOf`. */
export function attempt(
  receiver: AlertReceiver,
  destination: string,
  batch: Batch,
  parts: TransportParts,
  signal: AbortSignal,
): Promise<Attempt> {
  if (receiver.kind === 'webhook') return toWebhook(receiver, batch, parts, signal)
  if (receiver.kind === 'command') return toCommand(receiver, batch, parts, signal)
  const url = receiver.urls[destinationsOf(receiver).indexOf(destination)] ?? ''
  return toAlertmanager(receiver, url, batch, parts, signal)
}

/** Alerts for which JSON is made before the event loop, and every check with it, runs again. */
const SLICE = 25

/** Returns the members of a JSON list. */
async function jsonOf(notices: readonly Notice[], form: (notice: Notice) => unknown): Promise<string> {
  const texts: string[] = []
  for (const [i, notice] of notices.entries()) {
    if (i % SLICE === 0) await setImmediate()
    texts.push(JSON.stringify(form(notice)))
  }
  return texts.join(',')
}

export function documentOf(
  receiver: string,
  { id, notices }: Batch,
  { host, version }: Sender,
): AlertDocument {
  const alerts = notices.map(notice => entryOf(notice, host))
  return { schema: ALERT_SCHEMA, id, host, version, receiver, alerts }
}

async function toWebhook(
  { name, url, headers, secret, ca }: Webhook,
  batch: Batch,
  parts: TransportParts,
  signal: AbortSignal,
): Promise<Attempt> {
  const { now = Date.now, lookup, version } = parts
  const head = JSON.stringify(documentOf(name, { ...batch, notices: [] }, parts))
  const entries = await jsonOf(batch.notices, notice => entryOf(notice, parts.host))
  // The list is the last member of the document.
  const body = head.replace(/\]\}$/, () => `${entries}]}`)
  const own = {
    'user-agent': `lvsd/${version}`,
    'x-lvsd-delivery': batch.id,
    ...(secret !== null && signatureHeaders(secret, body, now())),
  }
  return post({ url, body, ca, signal, lookup, headers: { ...own, ...headers } })
}

async function toAlertmanager(
  { headers, ca }: Alertmanager,
  url: string,
  { notices }: Batch,
  parts: TransportParts,
  signal: AbortSignal,
): Promise<Attempt> {
  const { now = Date.now, lookup, version } = parts
  const own = { 'user-agent': `lvsd/${version}` }
  let last: Posted = { answer: 'nothing to send', fault: null, isWorthRetrying: false, wait: 0 }
  for (let at = 0; at < notices.length && last.fault === null; at += MOST_IN_REQUEST) {
    const some = notices.slice(at, at + MOST_IN_REQUEST)
    const body = `[${await jsonOf(some, notice => amAlertOf(notice, now(), parts))}]`
    const target = { url: `${url}/api/v2/alerts`, ca, lookup, signal }
    last = await post({ ...target, body, headers: { ...own, ...headers } })
  }
  return last
}

/** Runs the program with the alerts in its environment and as its input. It is killed with its children at the deadline. */
async function toCommand(
  { name, argv: [program = '', ...words] }: AlertCommand,
  batch: Batch,
  parts: TransportParts,
  signal: AbortSignal,
): Promise<Attempt> {
  const document = documentOf(name, batch, parts)
  const located = locateProgram(program)
  if ('why' in located) return failed('not-run', located.why)
  try {
    const {
      code,
      signal: by,
      output,
    } = await runCommand({
      file: located.path,
      argv: words,
      env: environmentOf(document),
      input: `${JSON.stringify(document)}\n`,
      signal,
      grace: GRACE,
    })
    const kept = harmless(output)
    if (signal.aborted) return failed('ETIMEDOUT', `killed: ${(signal.reason as Error).message}`, kept)
    if (code === 0) return { ...failed('', 'exit 0', kept), fault: null }
    const end = code === null ? `ended by ${by}` : `exit ${code}`
    return failed(end, end, kept)
  } catch (error) {
    return failed('not-run', (error as Error).message)
  }
}

/** A command is not run again: it may have done a part of its work. */
function failed(code: string, answer: string, output = ''): Attempt {
  const fault = { code, message: answer }
  return { answer, fault, isWorthRetrying: false, wait: 0, ...(output !== '' && { output }) }
}

/** Returns the variables of a command. With several alerts those of a single one are empty. */
export function environmentOf({ alerts, host, receiver }: AlertDocument): Readonly<Record<string, string>> {
  const [first] = alerts
  const only = alerts.length === 1 ? first : undefined
  const isFiring = alerts.some(({ status }) => status === 'firing')
  const isCritical = alerts.some(({ severity }) => severity === 'critical')
  return {
    PATH: USUAL_PATH,
    LVSD_RECEIVER: receiver,
    LVSD_HOST: host,
    LVSD_COUNT: String(alerts.length),
    LVSD_STATUS: isFiring ? 'firing' : 'resolved',
    LVSD_SEVERITY: isCritical ? 'critical' : 'warning',
    LVSD_SUMMARY: withoutNul(headlineOf(alerts)),
    LVSD_ALERT: only?.alert ?? '',
    LVSD_SERVICE: withoutNul(only?.service ?? ''),
    LVSD_REAL: withoutNul(only?.real ?? ''),
    LVSD_STARTS_AT: only?.startsAt ?? '',
    LVSD_ENDS_AT: only?.endsAt ?? '',
    LVSD_EVENT: String(only?.event.event ?? ''),
    LVSD_EVENT_ID: String(only?.event.id ?? ''),
  }
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', ' ')
}
