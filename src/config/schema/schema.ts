/**
 * The schema of the configuration: the type, default and description of every key; the short form and name of every
 * mapping. The reader (read/read-node.ts), the types and defaults of `Settings` and of a service's plain keys, the JSON
 * Schema and config/reference.md all use it. The options of a check come from the check itself. validate/ judges
 * combinations of keys.
 */
import { duration, marks, z } from '../../check/option-types.js'
import { SCHEDULERS } from '../../core/schedulers.js'
import { DEFAULT_MARKS } from '../../core/service-path.js'
import { plainValue, sysctlName, sysctlParts } from '../../core/sysctl.js'
import { alertNode } from './alert-fields.js'
import { apiNode } from './api-fields.js'
import { pathWord } from './check-fields.js'
import { clusterNode } from './cluster-fields.js'
import { onDownNode, panicNode } from './down-fields.js'
import {
  ADDRESS,
  flag,
  interval,
  intervalOrAuto,
  intervalOrNone,
  MAX_SECONDS,
  MAX_U32,
  optionalPath,
  path,
  percent,
  seconds,
  shellCommand,
} from './field-types.js'
import { later, listOf, mapping, members, oneOrMore, orNull, shortOr } from './forms.js'
import { mailLine, mailNode } from './mail-fields.js'
import { fallbackNode, realNode, sharedRealFields } from './real-fields.js'
import { dampingNode, slowStartNode } from './steering-fields.js'

export const SCHEDULER_FLAGS = [
  'sh-fallback',
  'sh-port',
  'mh-fallback',
  'mh-port',
  'flag-1',
  'flag-2',
  'flag-3',
] as const

export const persistenceFields = later(() => ({
  timeout: seconds().prefault('300s').describe('How long a client stays with its real server.'),
  prefix: z
    .int()
    .min(0)
    .max(128)
    .optional()
    .describe(
      'Clients that share this prefix share a server: 1 to 128 for IPv6, 0 to 32 for IPv4. Default: all bits.',
    ),
  // A number becomes text, so that validation reports a prefix length such as 24 with a message of its own.
  netmask: z
    .preprocess(value => (typeof value === 'number' ? String(value) : value), z.string())
    .register(marks, { shown: 'IPv4 netmask' })
    .optional()
    .describe('The prefix of an IPv4 service as a netmask: 255.255.255.0.'),
  engine: z
    .enum(['sip'])
    .nullable()
    .default(null)
    .describe('Persistence engine: sip, for SIP calls over UDP.'),
}))

const persistenceNode = shortOr(
  z.union([z.number(), z.string()]).describe('The timeout alone: 300s.'),
  mapping('persistence', 'a mapping with timeout and prefix', persistenceFields),
  { keys: ['timeout'], none: true, expected: 'a timeout, or a mapping with timeout and prefix' },
).register(marks, { shown: 'duration or mapping' })

/** How a service distributes connections. */
export const schedulingFields = {
  scheduler: z
    .string()
    .default('wlc')
    .describe(`How connections are spread: ${SCHEDULERS.join(', ')}, or another that the kernel has.`),
  'scheduler-flags': z
    .array(z.enum(SCHEDULER_FLAGS))
    .register(marks, { shown: 'list of flags' })
    .default([])
    .describe('Flags of the sh and mh schedulers; flag-1 to flag-3 for others.'),
  persistence: persistenceNode
    .optional()
    .describe('Keeps a client with one real server: a timeout, or a mapping; none cancels the default.'),
  'one-packet': flag('UDP: each packet is scheduled on its own.'),
}

/** Plain keys of a service: `Service` has the values unchanged, under the same names. */
const plainFields = {
  fallbackcommand: shellCommand().describe(
    'Run through the shell, with start or stop, the virtual address and the protocol behind it, when the last real server goes or the first is back.',
  ),
  monitorfile: optionalPath().describe(
    "Gets a line for every result of a check, as ldirectord's monitorfile does.",
  ),
  quiescent: flag('A failed real server stays in the table at weight 0 (true) or is removed (false).'),
  'on-down': onDownNode
    .register(marks, { shown: 'mapping' })
    .describe(
      'What becomes of a real server that is down; `quiescent` is the short form: true, quiesce; false, remove.',
    ),
  panic: orNull(panicNode).describe(
    'The table stays as it is when many real servers go down at once: a share, or a mapping; none takes the default away.',
  ),
  cleanstop: flag('The service is removed from the kernel when lvsd stops (true) or goes on (false).'),
  'slow-start': orNull(slowStartNode).describe(
    'The weight of a server that comes back rises to its full value: a duration, or a mapping; none cancels the default.',
  ),
  damping: orNull(dampingNode).describe(
    'A server that goes up and down too often is held down for a while: the number of changes, or a mapping; none cancels the default.',
  ),
}

/** Plain keys that `defaults` does not have. */
const ownPlainFields = {
  label: mailLine().describe('Stands in brackets before the subjects of mails about this service.'),
  comment: mailLine().describe('Stands in mails about this service, for their readers.'),
}

/** All plain keys of a service. A new key needs one line above, and the code that uses it. */
export const plainServiceFields = { ...ownPlainFields, ...plainFields }

const lengthOfWindow = () =>
  duration().refine(ms => ms <= MAX_SECONDS * 1000, { error: 'expected at most 744h (31 days)' })

/** A maintenance window. In `defaults` it has no `reals`. */
const commonWindowFields = later(() => ({
  at: z
    .string()
    .register(marks, { shown: 'cron expression' })
    .describe(
      "When it begins: minute, hour, day of the month, month, day of the week. '0 2 * * sun' is each Sunday at 2:00. If both days are given, both must match: '0 2 1-7 * sun' is the first Sunday of a month. L is the last day of a month.",
    ),
  zone: z
    .string()
    .register(marks, { shown: 'time zone' })
    .optional()
    .describe('Zone of the times in at: Europe/Berlin, UTC. Default: that of this machine.'),
  for: lengthOfWindow().describe('How long it lasts, as elapsed time.'),
  drain: lengthOfWindow()
    .optional()
    .describe('Time at its begin in which the servers are only drained (weight 0). Default: none.'),
  reason: z.string().max(512).default('').describe('The reason for people; shown with the window.'),
}))

export const windowFields = later(() => ({
  ...commonWindowFields,
  reals: z
    .array(z.string().min(1))
    .min(1)
    .register(marks, { shown: 'list of real servers' })
    .optional()
    .describe(
      "Its real servers: '[2001:db8::1]:80', the address or the name alone, or the end of either. Default: all of the service.",
    ),
}))

const WINDOW = 'a mapping with at and for'
const WINDOWS = 'a list of windows, each with at and for'

const commonServiceFields = {
  ...schedulingFields,
  path: pathWord()
    .default('real')
    .describe(
      'Which way checks go, unless they say otherwise. `service`: to the virtual address, through each real server, by its forwarding; for kinds that connect to the service alone, such as `http`, `https` and `connect`. `real`: to the address of the real server.',
    ),
  ...plainFields,
  mail: mailNode
    .optional()
    .describe(
      'Who gets a mail when a server goes or comes: recipients, or a mapping, laid over that of defaults; none: nobody.',
    ),
  ...sharedRealFields,
}

export const defaultsFields = {
  ...commonServiceFields,
  fallback: oneOrMore(fallbackNode)
    .register(marks, { shown: 'fallback, or a list' })
    .optional()
    .describe(
      'Used while no real server is up; a server of weight 0 that is up counts as up. Of several, the first of the family of the service is used.',
    ),
  windows: listOf(mapping('a window in defaults', WINDOW, commonWindowFields), WINDOWS)
    .register(marks, { shown: 'list of windows' })
    .optional()
    .describe(
      'Maintenance windows, in which all real servers of a service are out of service. Windows of a service replace these; [] means none.',
    ),
}

const protocolWord = z.enum(['tcp', 'udp', 'sctp'])
const familyWord = z.enum(['ipv4', 'ipv6'])

export const serviceFields = {
  virtual: z
    .union([z.string(), z.array(z.string()).min(1)])
    .register(marks, { shown: `${ADDRESS}, or a list` })
    .optional()
    .describe(
      "Virtual address and port: '[2001:db8::80]:80', 192.0.2.80:80 or www.example:80; without the port where ports has them. Or a list, ['[2001:db8::80]:80', '192.0.2.80:80']: one service that clients reach at each of these addresses, at the same port; no names.",
    ),
  protocol: z
    .union([protocolWord, z.array(protocolWord).min(1)])
    .register(marks, { shown: 'tcp, udp, sctp or a list' })
    .default('tcp')
    .describe(
      'Of a virtual address: tcp, udp or sctp; or a list, [tcp, udp], for a service over each of them.',
    ),
  ports: z
    .array(z.union([z.int().min(0).max(65_535), z.string()]))
    .min(1)
    .register(marks, { shown: 'list of ports' })
    .optional()
    .describe(
      'Several ports of one service, [25, 587], in place of the one in virtual. Each pair of protocol and port is a service of the kernel, NAME/PROTOCOL/PORT; they share the checks of the first, and their health.',
    ),
  fwmark: z
    .int()
    .min(1)
    .max(MAX_U32)
    .optional()
    .describe('Instead of virtual: the mark that the firewall puts on the packets of this service.'),
  family: z
    .union([familyWord, z.array(familyWord).min(1)])
    .register(marks, { shown: 'ipv4, ipv6 or a list' })
    .optional()
    .describe(
      'Needed with fwmark, where a list, [ipv6, ipv4], means the marked packets of both. With a name in virtual, the family that is asked for; default: IPv6, else IPv4, and then that for good.',
    ),
  ...ownPlainFields,
  ...commonServiceFields,
  fallback: oneOrMore(fallbackNode)
    .register(marks, { shown: 'fallback, or a list' })
    .optional()
    .describe(
      'Used while no real server is up; a server of weight 0 that is up counts as up. With none the default is not used. Of a list, each address of the service has the first that it can reach: of its family, or by a tunnel.',
    ),
  windows: listOf(mapping('a window', WINDOW, windowFields), WINDOWS)
    .register(marks, { shown: 'list of windows' })
    .optional()
    .describe(
      'Maintenance windows, in which real servers are out of service. They replace those of defaults.',
    ),
  reals: listOf(realNode, 'a list, each line beginning with "- "')
    .register(marks, { shown: 'list of real servers' })
    .describe('The real servers.'),
}

export const serviceNode = mapping('a service', 'a mapping with virtual (or fwmark) and reals', serviceFields)

/** A timeout in seconds. An absent one is 0: the kernel keeps its value. */
const kernelTimeout = () =>
  seconds()
    .optional()
    .transform(value => value ?? 0)

export const timeoutsFields = later(() => ({
  tcp: kernelTimeout().describe('Of an established TCP connection.'),
  'tcp-fin': kernelTimeout().describe('Of a TCP connection after a FIN.'),
  udp: kernelTimeout().describe('Of a UDP flow.'),
}))

export const marksFields = later(() => ({
  from: z.int().min(1).max(MAX_U32).default(DEFAULT_MARKS.from).describe('The first firewall mark.'),
  count: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(DEFAULT_MARKS.count)
    .describe('Number of marks: one for each real server that is checked so.'),
}))

export const settingsFields = {
  resync: intervalOrAuto()
    .default('auto')
    .describe(
      'Interval at which the whole kernel table is read back and repaired. auto: from 1s to 10s, so that reading costs at most 0.3 % of one processor over minutes.',
    ),
  resolve: interval().prefault('60s').describe('Interval at which names are resolved again.'),
  'conflict-check': intervalOrNone()
    .prefault('60s')
    .describe(
      'How often is asked, by ARP or neighbour solicitation, whether another machine answers for a virtual address that this one has on an Ethernet interface; that is told, and nothing else follows. Also asked after a change of the addresses. none: never.',
    ),
  concurrency: z
    .int()
    .min(1)
    .max(65_535)
    .default(512)
    .describe('Limit of checks that run at the same time. Read at the start.'),
  engine: z
    .enum(['auto', 'portable', 'native'])
    .default('auto')
    .describe(
      "What runs checks that are data, such as `http` and `connect`: `native`, a thread of its own with epoll, which takes least processor time; `portable`, Node's sockets, which take less memory; `auto`, `native` where it works, else `portable`. Read at the start.",
    ),
  'removal-limit': percent()
    .prefault('50%')
    .describe(
      'A reload that removes more than this share of the real servers is refused unless it is forced.',
    ),
  socket: path()
    .default('/run/lvsd/lvsd.sock')
    .describe('Control socket: `lvsd status` asks here. Read at the start.'),
  knock: z
    .boolean()
    .default(true)
    .describe(
      'While a server refuses connections or does not answer them, open a bare TCP connection to it every 200ms (at most 50 a second in all) and reset it at once: the check comes as soon as the server accepts one.',
    ),
  record: orNull(interval()).describe(
    'How long changes of check results are recorded in the state folder, for a later replay: 24h. At most 64 MiB. Default: not at all.',
  ),
  'socket-group': orNull(
    z
      .union([z.string().min(1), z.int().min(0)])
      .register(marks, { shown: 'group' })
      .transform(String),
  ).describe(
    'Members of this group may use the control socket: read the status, drain and disable servers, and reload. Default: only root and the user of lvsd.',
  ),
  'metrics-reals': z
    .int()
    .min(0)
    .max(100_000)
    .default(2000)
    .describe(
      'How many real servers have metrics of their own, the first of the file; those of a service always include all.',
    ),
  state: path()
    .default('/var/lib/lvsd')
    .describe('Folder for what lvsd remembers between runs. Read at the start.'),
  checks: z
    .array(path())
    .register(marks, { path: 'file', shown: 'list of folders' })
    .default([])
    .describe('Folders with checks of your own; relative to the folder of this file.'),
  maintenancedir: optionalPath().describe(
    'Folder in which a file named after a real server (address, address:port, host name) holds that server down.',
  ),
  autoreload: flag(
    'Reads the configuration again whenever its files change; one that has lost real servers or lines, and was not moved into place as a whole, after 10s without a change.',
  ),
  callback: shellCommand().describe(
    'Command that is run, with the path of the configuration behind it, when its file has changed.',
  ),
  timeouts: orNull(mapping('timeouts', 'a mapping with tcp, tcp-fin, udp', timeoutsFields)).describe(
    "The kernel's own connection timeouts, set at the start only; absent ones stay as they are.",
  ),
  marks: orNull(mapping('marks', 'a mapping with from and count', marksFields))
    .register(marks, { shown: 'mapping' })
    .describe(
      'Firewall marks for checks with `path: service`, which nothing else on this machine may use. Default: 65536 marks from 0x4c560000 (1280704512).',
    ),
  'keep-sysctls': flag(
    'true: sysctls keep their values when lvsd ends. false: lvsd restores the former values. A restart is an end, too.',
  ),
  'log-level': z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('The least that is logged. Read at the start.'),
}

/** Values of sysctls by name. Parsed to texts by the name with dots. */
function sysctls() {
  const given = z
    .record(z.string(), z.union([z.number(), z.string()]))
    .register(marks, { shown: 'values by name' })
  return given.transform((values, context) => {
    const parsed: Record<string, string> = {}
    for (const [key, value] of Object.entries(values)) {
      const parts = sysctlParts(key)
      const text = plainValue(String(value))
      const message = problemOfSysctl(parts, text, parsed)
      if (message !== null) context.addIssue({ code: 'custom', path: [key], message })
      else if (parts) parsed[sysctlName(parts)] = text
    }
    return parsed
  })
}

function problemOfSysctl(
  parts: readonly string[] | null,
  text: string,
  before: Readonly<Record<string, string>>,
): string | null {
  if (!parts) return 'only sysctls of the network can be set, by a name such as net.ipv4.vs.conntrack'
  if (Object.hasOwn(before, sysctlName(parts))) return 'the sysctl is set twice'
  return text === '' || /[^ -~]/.test(text) ? 'expected a number, or several' : null
}

export const rootFields = {
  include: z
    .union([z.string().min(1), z.array(z.string().min(1))])
    .register(marks, { shown: 'path, or a list' })
    .optional()
    .describe(
      'Further files: conf.d/*.yaml. Their services, settings, sysctls and alerts count as if they were in this file. Defaults and anchors of a file apply to its own services.',
    ),
  settings: mapping('settings', 'a mapping of settings', settingsFields)
    .optional()
    .describe('Of lvsd itself.'),
  defaults: mapping('defaults', 'a mapping of defaults', defaultsFields)
    .optional()
    .describe('For every service below that does not say otherwise.'),
  sysctls: sysctls()
    .optional()
    .describe(
      'Kernel settings of the network by name, net.ipv4.vs.conntrack: 1; set while lvsd runs, and restored at its end.',
    ),
  alerts: members(alertNode, 'a mapping of receivers by their names')
    .register(marks, { shown: 'mapping by name' })
    .optional()
    .describe('Who is told when something goes down and when it is back, by name.'),
  api: apiNode
    .optional()
    .describe('The API and the page over TCP. Without it they are served on the control socket only.'),
  cluster: clusterNode.optional().describe('This director is one of several. Without it, it serves alone.'),
  services: members(serviceNode, 'a mapping of services by their names')
    .register(marks, { shown: 'mapping by name' })
    .optional()
    .describe('The virtual services by name.'),
}

/** The whole file. Keys that begin with `x-` are allowed, for anchors. */
export const rootSchema = mapping('the file', 'a mapping', rootFields)
