/** Keys of `mail`, and the type of a service's lines for mails. */

import { marks, z } from '../../check/option-types.js'
import { distinctAddresses, isMailAddress, readMailServer } from '../../core/mail-address.js'
import type { DaemonPhase } from '../../core/model.js'
import { didYouMean } from '../../util/closest-match.js'
import { parseDuration } from '../../util/duration.js'
import { later, mapping, orNull, shortOr } from './forms.js'

const PHASES = ['starting', 'running', 'reloading', 'stopping'] as const satisfies DaemonPhase[]

/** One line of text for a mail, or null. */
export function mailLine() {
  return z
    .string()
    .regex(/^\P{Cc}+$/u, { error: 'expected one line of text' })
    .nullable()
    .default(null)
}

const mailAddress = () =>
  z
    .string()
    .refine(isMailAddress, {
      error: 'expected a mail address: ops@example.com or Operators <ops@example.com>',
    })
    .register(marks, { shown: 'mail address' })

/** Recipients, sender, conditions and server of mails. A service may override single keys. */
export const mailFields = later(() => ({
  to: z
    .union([mailAddress(), z.array(mailAddress())])
    .register(marks, { shown: 'recipients' })
    .transform(to => distinctAddresses([to].flat()))
    .optional()
    .describe('Who gets the mails; each of several gets all of them.'),
  from: orNull(mailAddress()).describe('The sender. Default: root at the name of this host.'),
  repeat: z
    .union([z.number(), z.string()])
    .register(marks, { shown: 'duration or none' })
    .transform((value, context) => {
      const ms = value === 'none' ? null : (parseDuration(value) ?? undefined)
      if (ms !== undefined) return ms
      context.addIssue({ code: 'custom', message: 'expected a duration such as 10m or 2h, or none' })
      return z.NEVER
    })
    .prefault('none')
    .describe(
      'A mail about a real server that is still down is repeated after this time; none: no repetition.',
    ),
  during: z
    .union([z.string(), z.array(z.string())])
    .register(marks, { shown: 'all, none or a list' })
    .transform((value, context) => {
      if (value === 'all' || value === 'none') return value === 'all' ? [...PHASES] : []
      const words = [value].flat()
      const wrong = words.find(word => !(PHASES as readonly string[]).includes(word))
      if (wrong === undefined) return PHASES.filter(phase => words.includes(phase))
      const message = `expected all, none, or a list of ${PHASES.join(', ')}, not "${wrong}"${didYouMean(wrong, PHASES)}`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .prefault('all')
    .describe(
      'What lvsd must be doing for a mail to be sent: all, none, or a list of starting, running, reloading and stopping.',
    ),
  server: z
    .string()
    .register(marks, { shown: 'mail server and port' })
    .transform((text, context) => {
      if (text === 'sendmail') return null
      const server = readMailServer(text)
      if (server) return server
      context.addIssue({
        code: 'custom',
        message: "expected a mail server: mail.example.com, '[2001:db8::25]:587', or sendmail",
      })
      return z.NEVER
    })
    .prefault('sendmail')
    .describe(
      'Mail server: name or address, and the port where it is not 25. Default: the command sendmail of this machine.',
    ),
}))

/** Recipients only, or a mapping. */
export const mailNode = shortOr(
  z.union([
    z.string().describe('A recipient alone; none: no mails.'),
    z.array(z.string()).describe('The recipients alone.'),
  ]),
  mapping('mail', 'a mapping', mailFields),
  { keys: ['to'], none: true, expected: 'recipients, or a mapping with to' },
).register(marks, { shown: 'recipients or mapping' })
