/** Keys of a check that all kinds have, and the keys for the checks of a service or a real server. */
import { marks, z } from '../../check/option-types.js'
import { interval } from './field-types.js'
import { oneOrMore, shortOr, unreadMapping } from './forms.js'

/** When a check runs, and how many results change the health. Part of `check`. */
export const policyFields = {
  interval: interval().prefault('5s').describe('From the start of one check to the start of the next.'),
  timeout: interval().prefault('3s').describe('For one run, everything included: name, connect, answer.'),
  fall: z.int().min(1).max(1000).default(2).describe('Failures in a row that take a server down.'),
  rise: z.int().min(1).max(1000).default(1).describe('Passes in a row that bring it back.'),
  fastinter: interval()
    .optional()
    .describe('Interval until fall or rise is complete. Default: the interval, but at most 1s.'),
}

/** How the packets of a check reach the real server. */
export const pathWord = () => z.enum(['real', 'service'])

/** Keys of `check` that a check of another kind takes over from `defaults` too. */
export const sharedFields = {
  ...policyFields,
  source: z
    .string()
    .register(marks, { shown: 'address or kernel' })
    .optional()
    .describe(
      'Address of this machine from which the check connects. Default: what the kernel chooses, but never a virtual address; `kernel`: what the kernel chooses, whatever it is.',
    ),
  path: pathWord()
    .optional()
    .describe(
      '`service`: the check goes to the virtual address and port, through this real server, as the packets of clients do. `real`: to the address of the real server. Default: that of the service.',
    ),
}

/** Keys of `check` that all kinds have. The other keys are the options of the kind. */
export const checkFields = {
  kind: z
    .string()
    .optional()
    .describe('The kind of check: http, connect, ping and so on; `lvsd checks` lists them.'),
  ...sharedFields,
  checkport: z
    .union([z.int().min(1).max(65_535), z.string()])
    .register(marks, { shown: 'port' })
    .optional()
    .describe("Port to check, where it is not the real server's: a number or a name of /etc/services."),
  checkaddress: z
    .string()
    .register(marks, { shown: 'address or name' })
    .optional()
    .describe("Address or name of the server to check, where it is not the real server's."),
  sentinel: z
    .boolean()
    .default(false)
    .describe(
      'Keep one idle TCP connection to the server, whose end brings this check forward: a process that dies is noticed in milliseconds. Only for servers that serve others meanwhile, and not where the kernel keeps a connection back until bytes come (TCP_DEFER_ACCEPT: httpd as it is installed, nginx with deferred): its end is not told then.',
    ),
  'early-timeout': z
    .boolean()
    .default(false)
    .describe(
      'Fail before `timeout` if clients of the server get no answer, and seven connects within 250ms none either; only where connects have taken at most 25ms.',
    ),
  connects: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe(
      'TCP connects, which are cheaper, between two runs of this check; after a failure the check itself runs next.',
    ),
}

/** The kind may come from another layer, so the options are read later (`unreadMapping`). */
const check = shortOr(z.string(), unreadMapping('a check', 'a mapping with a kind', checkFields), {
  keys: ['kind'],
  expected: 'a kind, or a mapping with a kind',
  nothing: '; for no check at all write none',
})
export const checkNode = oneOrMore(check).register(marks, { shown: 'check, or a list' })

/** Keys for the checks of a service or a real server. */
export const checksFields = {
  check: checkNode
    .optional()
    .describe('How real servers are checked: a kind, a mapping, or a list of several. `none`: always up.'),
  checks: checkNode.optional().describe('The same as `check`; reads better for several.'),
  need: z
    .union([z.enum(['all', 'any']), z.int().min(1)])
    .register(marks, { shown: 'all, any or a number' })
    .optional()
    .describe('How many of several checks must pass: all (the default), any, or a number.'),
}
