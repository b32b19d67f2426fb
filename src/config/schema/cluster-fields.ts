/** The keys of `cluster`: what a director does that is one of several. */
import { marks, z } from '../../check/option-types.js'
import { parseAddress } from '../../core/address.js'
import { LONGEST_HEARTBEAT, SHORTEST_HEARTBEAT } from '../../core/membership.js'
import { connectivityNode } from './connectivity-fields.js'
import { interval, optionalPath, path } from './field-types.js'
import { later, mapping, orNull, shortOr } from './forms.js'
import { redisNode } from './redis-fields.js'

/** A virtual address. */
function virtual() {
  return z.string().transform((text, context) => {
    const address = parseAddress(text)
    if (address?.zone === null) return address
    const message = address
      ? 'expected an address without a zone; `interface` names the interface'
      : `expected an address${text.includes('/') ? ' without a prefix length' : ''}, such as 2001:db8::80`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

function vrrpName() {
  return z
    .string()
    .regex(/^[^"\p{Cc}]{1,128}$/u, { error: 'expected the name of a vrrp_instance or a vrrp_sync_group' })
    .register(marks, { shown: 'name' })
    .optional()
}

export const roleFields = later(() => ({
  from: z
    .enum(['always-active', 'file', 'vrrp', 'redis'])
    .default('always-active')
    .describe(
      'Who says whether this director is active or standby. always-active: it is active. file: the first word of a file, active or standby; words of VRRP and Pacemaker (MASTER, BACKUP, FAULT, Promoted) count, too. While the file is missing, this director is standby. vrrp: it is active while a virtual address is on this machine, or as keepalived says. redis: the one that holds the lease of the site in Redis is active; while Redis is away, the role stays as it is.',
    ),
  path: optionalPath().describe('With file: the file, such as /run/lvsd/role.'),
  address: z
    .union([virtual(), z.array(virtual()).min(1)])
    .transform(one => (Array.isArray(one) ? one : [one]))
    .register(marks, { shown: 'address or list of addresses' })
    .optional()
    .describe(
      "With vrrp: the virtual address that keepalived moves, '2001:db8::80', or several; one of them on this machine is enough. One that is tentative or a duplicate (dadfailed) does not count. Where keepalived says something else, its word counts if it came by the FIFO, and after the address.",
    ),
  interface: z
    .string()
    .regex(/^[^\s/]{1,15}$/, { error: 'expected the name of an interface, such as eth0' })
    .register(marks, { shown: 'name' })
    .optional()
    .describe(
      'With vrrp: the address counts on this interface only. Default: on all but lo, where real servers have it.',
    ),
  instance: vrrpName().describe('With vrrp: the `vrrp_instance` whose states count: VI_1.'),
  group: vrrpName().describe('With vrrp: the `vrrp_sync_group` whose states count, in place of an instance.'),
  fifo: optionalPath().describe(
    'With vrrp: the `notify_fifo` of keepalived, such as /run/lvsd/vrrp. lvsd makes it. Without it keepalived may run `lvsd role-notify`.',
  ),
  lease: interval()
    .refine(ms => ms >= 1000 && ms <= 60_000, { error: 'expected 1s to 60s' })
    .prefault('5s')
    .describe(
      'With redis: how long the lease lasts; it is prolonged three times in this time. After the end of the active director another one is active this much later at most.',
    ),
}))

export const standbyFields = later(() => ({
  table: z
    .enum(['same', 'keep', 'empty'])
    .default('same')
    .describe(
      "What a standby does with the kernel's table. same: it keeps it up to date, so that a takeover needs nothing. keep: it writes nothing. empty: it removes the services of lvsd, for directors that are also real servers.",
    ),
  checks: z
    .enum(['on', 'slow', 'off'])
    .default('on')
    .describe(
      'Whether a standby checks the real servers. slow: at intervals ten times as long. off: not at all, so that a takeover begins with the health that was known last.',
    ),
}))

export const trackFileFields = later(() => ({
  path: path().describe('The file, such as /run/lvsd/priority; the `file` of a `track_file` of keepalived.'),
  weight: z
    .int()
    .min(1)
    .max(254)
    .default(50)
    .describe(
      'The file has minus this number while the network is lost. keepalived adds it to the priority; 254 is a FAULT, and so is any number in a sync group.',
    ),
}))

const trackFileNode = shortOr(
  z.string().describe('The path alone.'),
  mapping('track-file', 'a mapping with path and weight', trackFileFields),
  { keys: ['path'], expected: 'a path, or a mapping with path and weight' },
).register(marks, { shown: 'path or mapping' })

function group() {
  return z.string().transform((text, context) => {
    const address = parseAddress(text)
    const isGroup =
      address?.family === 'ipv6' ? text.toLowerCase().startsWith('ff') : /^2(2[4-9]|3\d)\./.test(text)
    if (address && address.zone === null && isGroup) return address.text
    const message = 'expected a multicast address, such as 224.0.0.81 or ff02::81'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

export const syncFields = later(() => ({
  interface: z
    .string()
    .regex(/^[^\s/]{1,15}$/, { error: 'expected the name of an interface, such as eth0' })
    .register(marks, { shown: 'name' })
    .describe('The interface to the other director.'),
  id: z
    .int()
    .min(0)
    .max(255)
    .default(0)
    .describe('`syncid`: the same on both directors. 0 takes messages of all.'),
  run: z
    .enum(['role', 'both', 'none'])
    .default('role')
    .describe(
      'role: the master runs while this director is active, the backup while it is standby. both: both run at all times. none: lvsd starts and stops none, and shows what runs.',
    ),
  group: orNull(group())
    .register(marks, { shown: 'address' })
    .describe('Multicast group. Default: 224.0.0.81.'),
  port: orNull(z.int().min(1).max(65_535)).describe('UDP port. Default: 8848.'),
  ttl: orNull(z.int().min(1).max(255)).describe('Hop limit of the messages. Default: 1.'),
  'max-length': orNull(z.int().min(1024).max(65_000)).describe(
    'Maximum bytes of a message. Default: by the MTU of the interface.',
  ),
}))

export const clusterFields = later(() => ({
  site: z
    .string()
    .regex(/^[\w.-]{1,64}$/, { error: 'expected a name of letters, digits, ".", "-" and "_"' })
    .register(marks, { shown: 'name' })
    .default('default')
    .describe('Name of the group of directors that serve the same virtual addresses.'),
  role: mapping('role', 'a mapping with from', roleFields)
    .optional()
    .describe('Whether this director is active or standby, and who says so. Default: always-active.'),
  sync: orNull(mapping('sync', 'a mapping with interface and id', syncFields)).describe(
    "The kernel's sync daemon, which copies connections to the other director, so that they survive a takeover. Default: lvsd does not touch it. It excludes real servers of the other family.",
  ),
  standby: mapping('standby', 'a mapping with table and checks', standbyFields)
    .optional()
    .describe('What this director does while it is standby.'),
  heartbeat: interval()
    .refine(ms => ms >= SHORTEST_HEARTBEAT && ms <= LONGEST_HEARTBEAT, { error: 'expected 200ms to 60s' })
    .prefault('1s')
    .describe(
      'With redis: how often a director tells the others that it lives. After three times this without a sign it counts as gone. Directors may have different ones: that of the sender counts.',
    ),
  redis: orNull(redisNode).describe(
    'The Redis through which the directors of the site share what they know. Default: they share nothing.',
  ),
  observers: orNull(z.int().min(1).max(16)).describe(
    'With redis: how many of the living directors check each real server; the others hear what they say. Default: all check all, and each goes by its own checks. With 1, a single director decides: prefer 2 or 3.',
  ),
  agree: z
    .enum(['majority', 'all', 'any'])
    .default('majority')
    .describe(
      'With observers: how many of them must find a server down. majority: more than half; with half and half it is up. all: each of them. any: one.',
    ),
  connectivity: connectivityNode
    .optional()
    .describe(
      'By what lvsd judges whether this director has lost its network. It then keeps its table. Default: by nothing.',
    ),
  'track-file': orNull(trackFileNode).describe(
    'A file that tells keepalived whether this director has its network: 0, or a negative number that lowers its priority. Default: none.',
  ),
}))

export const clusterNode = mapping('cluster', 'a mapping with role', clusterFields)
