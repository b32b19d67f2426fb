/** Reads who gets mails about a service: the keys of the service, then those of the defaults. */
import { mergeLayers, outputOf } from '../read/layers.js'
import { mailFields } from '../schema/mail-fields.js'
import type { MailPolicy } from '../schema/model-keys.js'
import type { Context, DefaultsFields, ServiceFields } from './context.js'

/** Returns null if there is no recipient. */
export function readMail(own: ServiceFields, defaults: DefaultsFields, context: Context): MailPolicy | null {
  if (own.values.mail === null) return null
  const layers = [own.values.mail, defaults.values.mail].filter(layer => layer != null)
  if (own.values.mail && !mergeLayers(mailFields, layers).entry('to'))
    context.report.warn(
      'MAIL_TO_NOBODY',
      own.keyAt('mail'),
      'no mail is sent: neither this service nor defaults has a recipient (to)',
    )
  const { to, ...policy } = outputOf(mailFields, layers)
  return to === undefined || to.length === 0 ? null : { to, ...policy }
}
