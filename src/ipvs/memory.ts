/**
 * An IPVS table in memory, for unit tests, for `plan` without privileges, and for the demo. It replaces the netlink
 * socket, so the real encoder and decoder are used; the rules are in memory-table.ts. Counters stay 0 without `clients`.
 */
import { constants } from 'node:os'
import type { Timeouts } from '../core/model.js'
import type { Layout } from '../netlink/attribute.js'
import type { Socket } from '../netlink/connection.js'
import { type Coder, coder, control } from '../netlink/family.js'
import {
  decodeMessages,
  encodeEnd,
  encodeMessages,
  flag,
  genericPart,
  type Message,
  type,
} from '../netlink/message.js'
import { type Command, daemonState, type IpvsValues, ipvs } from './attributes.js'
import { type Client, connect } from './client.js'
import { keyOf, type MemoryTable, type Modules, memoryTable } from './memory-table.js'
import { type Clients, withTraffic } from './memory-traffic.js'

/**
 * Returns an errno name to refuse a command, else null. The key is `keyOfService`, or for a real server `keyOfService`,
 * a space and `keyOfReal`.
 */
export type Refusal = (command: Command, key: string) => string | null

export interface MemoryKernel extends Client {
  /** A client of the same table that acts as another program. Rules set with `refuse` and `hide` do not apply to it. */
  readonly byHand: Client
  /** Sets the rule that refuses commands; null removes it. */
  refuse(rule: Refusal | null): void
  /** Omits the matching entries from dumps, as when another entry is deleted meanwhile; null removes the rule. */
  hide(rule: ((key: string) => boolean) | null): void
  /** Starts the connection synchronization daemon; null stops it. */
  synchronize(as: 'master' | 'backup' | null): void
}

/** `through` may put a socket of its own before that of the table. */
export function memoryKernel(
  modules?: Modules,
  clients?: Clients,
  through = (socket: Socket) => socket,
): MemoryKernel {
  const rules = memoryTable(modules)
  const table = clients ? withTraffic(rules, clients) : rules
  let rule: Refusal | null = null
  let hidden: ((key: string) => boolean) | null = null
  const refusal: Refusal = (command, key) => rule?.(command, key) ?? null
  const client = connect(through(memorySocket(table, refusal, () => hidden)))
  return {
    ...client,
    byHand: connect(memorySocket(table, () => null)),
    refuse(next) {
      rule = next
    },
    hide(next) {
      hidden = next
    },
    synchronize(as) {
      rules.syncDaemons.clear()
      if (as) rules.syncDaemons.set(daemonState[as === 'master' ? 'MASTER' : 'BACKUP'], {})
    },
  }
}

/** An arbitrary family number above 16; lower numbers are reserved for netlink. */
const familyNumber = 28
/** Maximum size of a dump datagram in bytes, as in the kernel. */
const datagramSize = 32768

function memorySocket(
  table: MemoryTable,
  refuse: Refusal,
  hidden: () => ((key: string) => boolean) | null = () => null,
): Socket {
  const waiting: Buffer[] = []
  const ours = coder(ipvs)
  const controls = coder(control)

  return {
    send(datagram) {
      for (const message of decodeMessages(Buffer.from(datagram))) waiting.push(...answersTo(message))
    },
    receive(into) {
      const datagram = waiting.shift()
      if (!datagram) return null
      into.set(datagram)
      return datagram.length
    },
    close() {
      waiting.length = 0
    },
  }

  function answersTo(message: Message): Buffer[] {
    if (message.type === type.GENERIC_CONTROL)
      return [answer(controls, 'NEWFAMILY', message, [{ FAMILY_ID: familyNumber, FAMILY_NAME: ipvs.name }])]
    const { command: number, start, end } = genericPart(message)
    const command = ours.commandName(number) as Command
    const values = ours.decode(message.data, start, end)
    const code = refuse(command, keyOf(values)) ?? null
    if (code) return [refusal(message, code)]
    if (message.flags & flag.DUMP) return dump(message, command, values)
    if (command === 'GET_CONFIG') return [answer(ours, 'SET_CONFIG', message, [configOf(table.timeouts)])]
    if (command === 'GET_SERVICE') return oneService(message, values)
    const refused = table.change(command, values)
    if (refused) return [refusal(message, refused)]
    return message.flags & flag.ACK ? [encodeEnd('ERROR', message.sequence, 0)] : []
  }

  function dump(message: Message, command: Command, values: IpvsValues): Buffer[] {
    const datagrams: Buffer[] = []
    const isHidden = hidden()
    const all = itemsOf(command, values)
    // The keys of thousands of entries take long.
    const items = isHidden ? all.filter(item => !isHidden(keyOf({ ...values, ...item }))) : all
    // An item needs at most 512 bytes.
    const perDatagram = datagramSize / 512
    for (let from = 0; from < items.length; from += perDatagram)
      datagrams.push(
        answer(ours, answerCommand[command] ?? command, message, items.slice(from, from + perDatagram)),
      )
    return [...datagrams, encodeEnd('DONE', message.sequence, 0)]
  }

  function oneService(message: Message, values: IpvsValues): Buffer[] {
    const SERVICE = table.services().find(held => keyOf({ SERVICE: held }) === keyOf(values))
    return [SERVICE ? answer(ours, 'NEW_SERVICE', message, [{ SERVICE }]) : refusal(message, 'ESRCH')]
  }

  function itemsOf(command: Command, values: IpvsValues): IpvsValues[] {
    if (command === 'GET_SERVICE') return table.services().map(SERVICE => ({ SERVICE }))
    if (command === 'GET_DEST') return table.reals(values.SERVICE ?? {}).map(DEST => ({ DEST }))
    if (command === 'GET_DAEMON')
      return [...table.syncDaemons].map(([STATE, daemon]) => ({ DAEMON: { ...daemon, STATE } }))
    return []
  }
}

/** The command that the kernel writes into the items of a dump. */
const answerCommand: Partial<Record<Command, Command>> = {
  GET_SERVICE: 'NEW_SERVICE',
  GET_DEST: 'NEW_DEST',
  GET_DAEMON: 'NEW_DAEMON',
}

function answer<L extends Layout>(
  coder: Coder<L>,
  command: string,
  { sequence, flags }: Message,
  items: readonly Parameters<Coder<L>['encode']>[0][],
): Buffer {
  const isPart = flags & flag.DUMP
  return encodeMessages(
    items.map(values => ({
      header: {
        type: familyNumber,
        flags: isPart ? flag.MULTI : 0,
        sequence,
        command: coder.commandNumber(command),
        version: coder.version,
      },
      body: coder.encode(values),
    })),
  )
}

function refusal({ sequence }: Message, code: string): Buffer {
  return encodeEnd('ERROR', sequence, constants.errno[code as keyof typeof constants.errno])
}

function configOf({ tcp, tcpFin, udp }: Timeouts): IpvsValues {
  return { TIMEOUT_TCP: tcp, TIMEOUT_TCP_FIN: tcpFin, TIMEOUT_UDP: udp }
}
