/**
 * The ICMP socket: one for each family serves all targets. A reply finds its request by sequence number, and counts
 * only with the secret that went out with the request: raw sockets hear the replies to everybody's pings.
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import type { Address, Family } from '../core/address.js'
import { close, openIcmpSocket, openUdpSocket, replaceDescriptor, setReceiveBuffer } from '../system/libc.js'
import { echoRequest, readEchoReply } from './icmp-packet.js'

/** What an echoer tells the run that sent a request. */
export interface EchoListener {
  /** The reply has come, with so many bytes of data. */
  heard(bytes: number): void
  failed(error: Error): void
}

/** A request, to be sent once or more often; the same sequence number each time. */
export interface Request {
  readonly sequence: number
  readonly address: Address
  readonly packet: Buffer
  readonly data: Buffer
}

/** Replies of thousands of targets come at once: the kernel's default would drop some. */
const RECEIVE_BUFFER = 1 << 20
/** The port of a raw IPv6 socket's destination must be the protocol or 0, which Node refuses; others ignore it. */
const PORT: Readonly<Record<Family, number>> = { ipv4: 1, ipv6: 58 }

const echoers = new Map<Family, IcmpSocket>()

/** The family's one socket, opened when first asked for. Throws where the kernel does not allow it. */
export function echoerOf(family: Family): IcmpSocket {
  let echoer = echoers.get(family)
  if (!echoer) {
    echoer = new IcmpSocket(family)
    echoers.set(family, echoer)
  }
  return echoer
}

export class IcmpSocket {
  readonly #family: Family
  readonly #socket: Socket
  readonly #hasIpHeader: boolean
  readonly #awaited = new Map<number, { readonly request: Request; readonly run: EchoListener }>()
  readonly #identifier = randomBytes(2).readUInt16BE()
  readonly #secret = randomBytes(8)
  #count = randomBytes(2).readUInt16BE()

  constructor(family: Family) {
    this.#family = family
    this.#socket = createSocket({
      type: family === 'ipv6' ? 'udp6' : 'udp4',
      // Node would look up each literal again with each request.
      lookup: (host, _options, found) => found(null, host, family === 'ipv6' ? 6 : 4),
    })
    this.#hasIpHeader = adoptIcmp(this.#socket, family) && family === 'ipv4'
    this.#socket.on('message', datagram => this.#heard(datagram))
    this.#socket.on('error', error => this.#broke(error))
    // Runs under way are kept alive by whoever keeps their time.
    this.#socket.unref()
  }

  /** A request with `size` bytes of data, of which the first twelve tell it from all others. */
  request(address: Address, size: number, run: EchoListener): Request {
    const sequence = this.#freeSequence()
    const data = Buffer.alloc(Math.max(size, 12), 0x55)
    data.set(this.#secret)
    data.writeUInt32BE(this.#count, 8)
    const sent = data.subarray(0, size)
    const packet = echoRequest(this.#family, { identifier: this.#identifier, sequence, data: sent })
    const request = { sequence, address, packet, data: sent }
    this.#awaited.set(sequence, { request, run })
    return request
  }

  send({ packet, address, sequence }: Request): void {
    this.#socket.send(packet, PORT[this.#family], address.text, error => {
      if (error) this.#awaited.get(sequence)?.run.failed(error)
    })
  }

  forget({ sequence }: Request): void {
    this.#awaited.delete(sequence)
  }

  #freeSequence(): number {
    if (this.#awaited.size > 0xffff) throw new Error('65536 echo requests are under way')
    do this.#count = (this.#count + 1) >>> 0
    while (this.#awaited.has(this.#count & 0xffff))
    return this.#count & 0xffff
  }

  #heard(datagram: Buffer): void {
    const reply = readEchoReply(this.#family, datagram, this.#hasIpHeader)
    const awaited = reply && this.#awaited.get(reply.sequence)
    if (awaited?.request.data.equals(reply?.data ?? NOTHING)) awaited.run.heard(awaited.request.data.length)
  }

  /** The next run opens another socket. */
  #broke(error: Error): void {
    echoers.delete(this.#family)
    for (const { run } of [...this.#awaited.values()]) run.failed(error)
    this.#awaited.clear()
    this.#socket.close()
  }
}

const NOTHING = Buffer.alloc(0)

/** Puts an ICMP socket under one of Node's UDP sockets; true where it is a raw one. */
function adoptIcmp(socket: Socket, family: Family): boolean {
  const { fd, raw } = openIcmpSocket(family)
  try {
    setReceiveBuffer(fd, RECEIVE_BUFFER)
    if (raw) adoptRaw(socket, fd, family)
    else socket.bind({ fd })
    return raw
  } catch (error) {
    close(fd)
    throw error
  }
}

/** Node refuses raw sockets, so it is given a UDP socket whose descriptor then becomes the raw one. */
function adoptRaw(socket: Socket, fd: number, family: Family): void {
  const standIn = openUdpSocket(family)
  socket.bind({ fd: standIn })
  replaceDescriptor(fd, standIn)
}
