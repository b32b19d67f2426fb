/** A receiver of alerts as configured. */
import type { Severity } from './alert-rules.js'

interface ReceiverPolicy {
  /** Unique in the configuration. */
  readonly name: string
  /** Time limit of an attempt in milliseconds. */
  readonly timeout: number
  /** Key of the signature; null: requests are not signed. */
  readonly secret: string | null
  readonly headers: Readonly<Record<string, string>>
  /** PEM file of the authorities to trust; null: the usual ones. */
  readonly ca: string | null
  /** Patterns of the names of alerts, and of services. */
  readonly events: readonly string[]
  readonly services: readonly string[]
  /** The least severity. */
  readonly severity: Severity
}

export type Webhook = ReceiverPolicy & { readonly kind: 'webhook'; readonly url: string }
/** `urls`: without a slash at their ends. */
export type Alertmanager = ReceiverPolicy & {
  readonly kind: 'alertmanager'
  readonly urls: readonly string[]
}
export type AlertCommand = ReceiverPolicy & { readonly kind: 'command'; readonly argv: readonly string[] }

export type AlertReceiver = Webhook | Alertmanager | AlertCommand
