/** Keys of a real server and of a fallback, and their short forms. */
import { marks, z } from '../../check/option-types.js'
import { checksFields } from './check-fields.js'
import { ADDRESS, threshold, weight } from './field-types.js'
import { later, mapping, shortOr } from './forms.js'

/** Family of a real server or fallback that is given by name. */
const memberFamily = z
  .enum(['ipv4', 'ipv6'])
  .optional()
  .describe(
    'Family of the address that a name is to have. Default: that of the service; only tunnels reach the other one.',
  )

/** How packets are forwarded to a real server or a fallback. */
export const forwardingFields = {
  forwarding: z
    .enum(['gate', 'masq', 'ipip', 'gue', 'gre'])
    .default('masq')
    .describe('gate: direct routing. masq: NAT. ipip, gue, gre: tunnels.'),
  'tunnel-port': z.int().min(1).max(65_535).optional().describe('UDP port of a gue tunnel.'),
  'tunnel-checksum': z
    .enum(['none', 'csum', 'remcsum'])
    .default('none')
    .describe('Checksum of gue and gre tunnels; remcsum is for gue alone.'),
}

export const realAttributeFields = {
  ...forwardingFields,
  weight: weight().default(1).describe('Share of new connections; 0 drains the server: no new ones.'),
  upper: threshold().default(0).describe('Connections at which the server gets no new ones; 0 is no limit.'),
  lower: threshold()
    .default(0)
    .describe('Connections below which it gets new ones again; 0 is three quarters of upper.'),
}

export const realFields = {
  address: z
    .union([z.string(), z.array(z.string()).min(1)])
    .register(marks, { shown: `${ADDRESS}, or a list` })
    .describe(
      "Address or name and port: '[2001:db8::1]:80', 192.0.2.1:80, web1.example:80. Default port: the service's. A list, ['[2001:db8::1]:80', '192.0.2.1:80'], is short for a real server at each of them, with the same keys: each address is checked, and goes and comes, for itself; `lvsd drain` and other commands on one of them mean all, unless `--only` is given.",
    ),
  family: memberFamily,
  ...realAttributeFields,
  ...checksFields,
}

/** Keys of a real server that a service or `defaults` may set for all its real servers. */
export const sharedRealFields = { ...realAttributeFields, ...checksFields }

export const fallbackFields = later(() => ({
  address: z
    .string()
    .register(marks, { shown: ADDRESS })
    .describe("Address or name and port, as for a real server. Default port: the service's."),
  family: memberFamily,
  ...forwardingFields,
}))

const SERVER = 'a text or a mapping with an address'

export const fallbackNode = shortOr(
  z.string().describe("'[2001:db8::99]:80', with the forwarding after it where it differs; or none."),
  mapping('a fallback', SERVER, fallbackFields),
  {
    keys: ['address', 'forwarding'],
    none: true,
    expected: SERVER,
    nothing: '; to cancel the default write none',
    wrong: {
      code: 'BAD_FALLBACK',
      form: "expected an address, then the forwarding if needed: '[2001:db8::1]:80 masq'; for anything else write a mapping",
    },
  },
).register(marks, { shown: 'fallback' })

export const realNode = shortOr(
  z.string().describe("'[2001:db8::1]:80 masq 2': address, then forwarding and weight where they differ."),
  mapping('a real server', SERVER, realFields, 'address'),
  {
    keys: ['address', 'forwarding', 'weight'],
    expected: SERVER,
    wrong: {
      code: 'BAD_REAL',
      form: "expected an address, then forwarding and weight if needed: '[2001:db8::1]:80 masq 2'; for anything else write a mapping",
    },
  },
)
