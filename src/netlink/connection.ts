/**
 * Exchanges messages with one generic netlink family. The kernel processes a request during the `send` system call, so
 * its answers are in the socket's buffer when `send` returns. Therefore nothing in this file waits, and an answer that
 * is missing then never arrives.
 */
import { errorName, SystemError } from '../system/libc.js'
import type { Layout, Values } from './attribute.js'
import { NetlinkError } from './error.js'
import { type Coder, coder, control, type Family, type Request } from './family.js'
import { decodeMessages, encodeMessages, errnoOf, flag, genericPart, type Message, type } from './message.js'
import { printAnswer, printRequest, type Trace } from './print.js'

/** Sends datagrams to the kernel, or to its replacement in tests, and receives its answers. */
export interface Socket {
  send(datagram: Uint8Array): void
  /** Receives one datagram and returns its length in bytes; null if none is available. Throws a SystemError. */
  receive(into: Uint8Array): number | null
  close(): void
}

export interface Connection<L extends Layout> {
  /**
   * Sends at most `batchSize` requests in one datagram. The kernel executes them in order and continues after a failed
   * one. Returns, for each request, null or the errno name. Throws a NetlinkError ENOBUFS if answers were lost: the
   * kernel has then processed all requests, and only a new dump shows the outcome.
   */
  batch(requests: readonly Request<L>[]): (string | null)[]
  /** Returns all items of one kind. */
  dump(request: Request<L>): Values<L>[]
  /**
   * Hands the attributes of all items of one kind to `visit`, undecoded. They are valid during the call. `begin` is called
   * first, and again if the dump has to be repeated: what was visited is then void.
   */
  scan(request: Request<L>, to: Visitor): void
  /** Returns the single answer to a request. */
  get(request: Request<L>): Values<L>
  /** Reads the family's number again, which changes when its module is reloaded. Returns true if it has changed. */
  lookUp(): boolean
  close(): void
}

export interface Visitor {
  begin(): void
  visit(data: Buffer, start: number, end: number): void
}

/** Maximum number of messages in one datagram. The kernel processes a whole datagram without yielding the CPU. */
export const batchSize = 256

/** Maximum attempts to dump a table that changes meanwhile. The last result is used as it is. */
const dumpAttempts = 4

/** Looks up the family and connects to it. Throws a NetlinkError ENOENT if the kernel does not have the family. */
export function openConnection<L extends Layout>(
  socket: Socket,
  family: Family<L>,
  trace: Trace | null = null,
): Connection<L> {
  const wire = openWire(socket, trace)
  const ours = coder(family)
  const controls = coder(control)
  let number = lookUp()

  function lookUp(): number {
    const request = { command: 'GETFAMILY', values: { FAMILY_NAME: family.name } }
    const { FAMILY_ID } = getOne(wire, type.GENERIC_CONTROL, controls, request)
    if (FAMILY_ID === undefined) throw new NetlinkError('EBADMSG', `the family ${family.name} has no number`)
    return FAMILY_ID
  }

  return {
    batch(requests) {
      if (requests.length === 0) return []
      const first = wire.send(number, flag.ACK, ours, requests)
      const outcome: (string | null)[] = requests.map(() => null)
      for (const message of wire.answers(ours)) {
        const i = message.sequence - first
        if (message.type !== type.ERROR || i < 0 || i >= outcome.length) continue
        const errno = errnoOf(message)
        if (errno !== 0) outcome[i] = errorName(errno)
        if (i === outcome.length - 1) return outcome
      }
      throw lost()
    },

    dump(request) {
      let items: Values<L>[] = []
      this.scan(request, {
        begin() {
          items = []
        },
        visit: (data, start, end) => items.push(ours.decode(data, start, end)),
      })
      return items
    },

    scan(request, to) {
      for (let attempt = 0; attempt < dumpAttempts; attempt++)
        if (scanOnce(wire, { number, coder: ours, request, to })) return
    },

    get: request => getOne(wire, number, ours, request),

    lookUp() {
      const before = number
      number = lookUp()
      return number !== before
    },

    close: () => socket.close(),
  }
}

function getOne<L extends Layout>(wire: Wire, to: number, coder: Coder<L>, request: Request<L>): Values<L> {
  const sequence = wire.send(to, 0, coder, [request])
  for (const message of wire.answers(coder)) {
    if (message.sequence !== sequence) continue
    if (message.type === type.ERROR) throw refusal(request, errnoOf(message))
    return decodeBody(coder, message)
  }
  throw lost()
}

interface Scan<L extends Layout> {
  readonly number: number
  readonly coder: Coder<L>
  readonly request: Request<L>
  readonly to: Visitor
}

/** Returns false if a change interrupted the dump. */
function scanOnce<L extends Layout>(wire: Wire, { number, coder, request, to }: Scan<L>): boolean {
  const sequence = wire.send(number, flag.DUMP, coder, [request])
  let interrupted = false
  to.begin()
  for (const message of wire.answers(coder)) {
    if (message.sequence !== sequence) continue
    interrupted ||= (message.flags & flag.DUMP_INTERRUPTED) !== 0
    if (message.type === type.DONE || message.type === type.ERROR) {
      const errno = errnoOf(message)
      if (errno !== 0) throw refusal(request, errno)
      return !interrupted
    }
    const { start, end } = genericPart(message)
    to.visit(message.data, start, end)
  }
  throw lost()
}

function decodeBody<L extends Layout>(coder: Coder<L>, message: Message): Values<L> {
  const { start, end } = genericPart(message)
  return coder.decode(message.data, start, end)
}

function refusal(request: { command: string }, errno: number): NetlinkError {
  return new NetlinkError(errorName(errno), `${request.command}: ${errorName(errno)}`)
}

function lost(): NetlinkError {
  return new NetlinkError('ENOBUFS', "the kernel's answers did not fit into the socket's buffer")
}

// ---------------------------------------------------------------- one socket's datagrams

interface Wire {
  /** Sends requests in one datagram, with `flags` on the last. Returns the sequence number of the first. */
  send<L extends Layout>(to: number, flags: number, coder: Coder<L>, requests: readonly Request<L>[]): number
  /** Returns the messages available in the socket. A message is valid until the next one is read. */
  answers<L extends Layout>(coder: Coder<L>): Generator<Message>
}

function openWire(socket: Socket, trace: Trace | null): Wire {
  // The kernel uses dump datagrams of up to 32 KiB if the receive buffer is large enough.
  const buffer = Buffer.allocUnsafeSlow(65536)
  let last = 0

  return {
    send(to, flags, coder, requests) {
      if (last + requests.length > 0xffffffff) last = 0
      const first = last + 1
      last += requests.length
      const messages = requests.map(({ command, values }, i) => {
        const sequence = first + i
        trace?.(printRequest(coder, command, sequence, values))
        return {
          header: {
            type: to,
            flags: flag.REQUEST | (sequence === last ? flags : 0),
            sequence,
            command: coder.commandNumber(command),
            version: coder.version,
          },
          body: coder.encode(values),
        }
      })
      socket.send(encodeMessages(messages))
      return first
    },

    *answers(coder) {
      for (let length = receive(); length !== null; length = receive())
        for (const message of decodeMessages(buffer, length)) {
          trace?.(printAnswer(coder, message))
          yield message
        }
    },
  }

  function receive(): number | null {
    const length = receiveOrLoss()
    if (length !== 'lost') return length
    // Discards the answers that did arrive: they are useless without the rest.
    while (receiveOrLoss() !== null);
    throw lost()
  }

  function receiveOrLoss(): number | null | 'lost' {
    try {
      return socket.receive(buffer)
    } catch (error) {
      if (error instanceof SystemError && error.code === 'ENOBUFS') return 'lost'
      throw error
    }
  }
}
