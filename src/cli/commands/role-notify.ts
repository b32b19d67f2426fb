/** lvsd role-notify: tells the running lvsd a state of VRRP. keepalived runs it. */
import { notifyRole } from '../../api/client.js'
import type { NotifyRequest } from '../../api/role-types.js'
import { LONGEST_NAME, VRRP_STATES } from '../../core/vrrp-role.js'
import { printable } from '../../util/printable.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { defineCommand, EXIT } from '../command.js'
import { usageError } from '../parse.js'

export const command = defineCommand({
  name: 'role-notify',
  summary: 'Tell the running lvsd a state of VRRP; a command for keepalived',
  details: `keepalived appends the four words: in a vrrp_instance or vrrp_sync_group,

    notify "/usr/local/bin/lvsd role-notify"

MASTER makes this director active, every other state makes it standby, as far as the virtual address does not say
otherwise: see role in cluster of the configuration. States of other instances than the configured one do not count.
keepalived does not wait for one such command before it runs the next; lvsd takes them in the order of their starts.`,
  arguments: {
    KIND: { about: 'INSTANCE or GROUP', choices: ['INSTANCE', 'GROUP'] },
    NAME: { about: 'name of the vrrp_instance or vrrp_sync_group' },
    STATE: {
      about: 'MASTER, BACKUP, FAULT, STOP or DELETED',
      choices: ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED'],
    },
    PRIORITY: { about: 'priority of the instance', optional: true },
  },
  options: {
    ...socketOption,
    json: { short: 'j', about: 'the outcome as JSON' },
  },
  examples: [['lvsd role-notify INSTANCE VI_1 MASTER 100', 'what keepalived runs']],
  async run(context) {
    const word = wordOf(context.arguments)
    if (!word)
      throw usageError(
        'expected INSTANCE or GROUP, a name, MASTER, BACKUP, FAULT, STOP or DELETED, and a priority',
        'role-notify',
      )
    const answer = await askDaemon(notifyRole(socketPath(context.options.socket, context.env), word))
    const { outcome, role } = answer
    if (context.options.json) context.printData(JSON.stringify({ schema: 1, ...answer }, null, 2))
    else context.print(`${OUTCOMES[outcome](word)}; this director is ${role}`)
    return EXIT.ok
  },
})

const OUTCOMES = {
  counts: () => 'lvsd knows the state',
  late: () => 'lvsd knows a later state',
  other: ({ kind, name }: NotifyRequest) =>
    `the ${kind.toLowerCase()} ${printable(name)} is not the one of "role" in the configuration, so it does not count`,
  'not asked': () => 'lvsd takes no role from VRRP',
}

interface Words {
  readonly KIND: string
  readonly NAME: string
  readonly STATE: string
  readonly PRIORITY: string | undefined
}

function wordOf({ KIND, NAME, STATE, PRIORITY = '0' }: Words): NotifyRequest | null {
  const kind = (['INSTANCE', 'GROUP'] as const).find(each => each === KIND)
  const state = VRRP_STATES.find(each => each === STATE)
  const name = NAME.replace(/^"(.*)"$/, '$1')
  const isFit = name !== '' && name.length <= LONGEST_NAME && /^-?\d{1,3}$/.test(PRIORITY)
  return kind && state && isFit ? { kind, name, state, priority: Number(PRIORITY), began: began() } : null
}

/** Milliseconds of the machine's monotonic clock: the same for all processes. */
function began(): number {
  return Math.round(Number(process.hrtime.bigint()) / 1e6 - process.uptime() * 1000)
}
