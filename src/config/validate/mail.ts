/** Who gets mails about a service: its own keys, laid over those of the defaults. */
import type { MailPolicy } from '../../core/model.js'
import type { RawEntry } from '../raw.js'
import { mapEntries, readFields, readValue } from '../read-fields.js'
import { mailFields } from '../schema/mail-fields.js'
import { type Context, type DefaultsFields, type ServiceFields, textOf } from './context.js'
import { inherit } from './layers.js'

/** Null where nobody gets any. */
export function readMail(own: ServiceFields, defaults: DefaultsFields, context: Context): MailPolicy | null {
  const entry = own.entry('mail')
  const layers = [...layerOf(entry, context), ...layerOf(defaults.entry('mail'), context)]
  if (entry && textOf(entry.value) === 'none') return null
  const to = inherit(mailFields, 'to', layers)
  if (entry && to === undefined && layers.length > 0)
    context.report.warn(
      'MAIL_TO_NOBODY',
      entry.keyAt,
      'no mail is sent: neither this service nor defaults says to whom',
    )
  if (to === undefined || to.length === 0) return null
  return {
    to,
    from: inherit(mailFields, 'from', layers) ?? null,
    repeat: inherit(mailFields, 'repeat', layers),
    during: inherit(mailFields, 'during', layers),
    server: inherit(mailFields, 'server', layers),
  }
}

interface Layer {
  readonly values: { readonly [K in keyof typeof mailFields]?: unknown }
}

/** The keys of a mapping; of a text or a list, the recipients. Empty where there is nothing, or nothing right. */
function layerOf(entry: RawEntry | undefined, { report }: Context): readonly Layer[] {
  if (!entry || textOf(entry.value) === 'none') return []
  if (entry.value.kind === 'map') {
    const entries = mapEntries(entry, 'a mapping', report) ?? []
    return [readFields(entries, mailFields, { what: 'mail', at: entry.keyAt }, report)]
  }
  const to = readValue(entry, mailFields.to, report)
  return to ? [{ values: { to: to.value } }] : []
}
