/** The keys of `cluster: connectivity`: by what the director judges whether it still has its network. */
import { marks, z } from '../../check/option-types.js'
import { isLinkLocal, parseAddress } from '../../core/address.js'
import { interval } from './field-types.js'
import { later, listOf, mapping } from './forms.js'

/** A literal address. Names are refused: to resolve one needs the network that is to be judged. */
function literal(example: string) {
  return z.string().transform((text, context) => {
    const address = parseAddress(text)
    if (address) return address
    const prefix = /\/\d+$/.test(text) ? ' without a prefix length' : ''
    context.addIssue({ code: 'custom', message: `expected an address${prefix}, such as ${example}` })
    return z.NEVER
  })
}

/** An address to ping. */
function pinged() {
  return literal("'fe80::1%eth0' or 192.0.2.1").transform((address, context) => {
    if (!isLinkLocal(address) || address.zone !== null) return address
    context.addIssue({
      code: 'custom',
      message: `a link-local address needs its zone: '${address.text}%eth0'`,
    })
    return z.NEVER
  })
}

/** The target of a route. */
function routed() {
  return literal('2001:db8::1').transform((address, context) => {
    if (!isLinkLocal(address)) return address
    context.addIssue({
      code: 'custom',
      message: 'a link-local address has no route: name its interface in interfaces',
    })
    return z.NEVER
  })
}

export const pingGroupFields = later(() => ({
  ping: z
    .array(pinged())
    .min(1)
    .register(marks, { shown: 'list of addresses' })
    .describe('The addresses to ping.'),
  need: z
    .union([z.enum(['any', 'all']), z.int().min(1)])
    .register(marks, { shown: 'any, all or a number' })
    .default('any')
    .describe('How many of them must answer.'),
}))

const GROUPS = 'a list of groups, each with ping and need'

export const connectivityFields = later(() => ({
  gateways: z
    .array(pinged())
    .register(marks, { shown: 'list of addresses' })
    .default([])
    .describe("The gateways of this director: ['fe80::1%eth0', 192.0.2.1]. One of them must answer pings."),
  groups: listOf(mapping('a group', 'a mapping with ping and need', pingGroupFields), GROUPS)
    .register(marks, { shown: 'list of mappings' })
    .optional()
    .describe('Further addresses to ping, in groups: [{ ping: [2001:db8::1, 2001:db8::2], need: any }].'),
  interfaces: z
    .array(z.string().regex(/^[^\s/]{1,15}$/, { error: 'expected the name of an interface, such as eth0' }))
    .register(marks, { shown: 'list of names' })
    .default([])
    .describe('Interfaces that must be up and have a carrier: [eth0].'),
  routes: z
    .array(routed())
    .register(marks, { shown: 'list of addresses' })
    .default([])
    .describe('Addresses to which this machine must have a route: [2001:db8:5::1].'),
  interval: interval().prefault('1s').describe('From one ping of an address to the next.'),
  timeout: interval().prefault('1s').describe('Time for the reply to a ping; at most the interval.'),
  fall: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe('Pings in a row without a reply after which an address does not answer.'),
  rise: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe(
      'Replies in a row after which it answers again. An interface or a route must work again for as many intervals.',
    ),
}))

export const connectivityNode = mapping(
  'connectivity',
  'a mapping with gateways, groups, interfaces or routes',
  connectivityFields,
)
