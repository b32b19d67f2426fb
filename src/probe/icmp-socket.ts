/**
 * The ICMP sockets: one per address family and source serves all targets. A reply is matched to its request by sequence number,
 * and is valid only if it contains the secret of the request, because a raw socket receives the replies to all
 * programs' pings.
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import type { Address, Family } from '../core/address.js'
import {
  bindTo,
  close,
  openIcmpSocket,
  openUdpSocket,
  replaceDescriptor,
  setReceiveBuffer,
} from '../system/libc.js'
import { echoRequest, readEchoReply } from './icmp-packet.js'

/** Receives the outcome of an echo request. */
export interface EchoListener {
  /** The reply has arrived with `bytes` bytes of data. */
  heard(bytes: number): void
  failed(error: Error): void
}

/** An echo request. It can be sent several times with the same sequence number. */
export interface Request {
  readonly sequence: number
  readonly address: Address
  readonly packet: Buffer
  readonly data: Buffer
}

/** Bytes. The replies of thousands of targets can arrive at once; the kernel's default size would drop some. */
const RECEIVE_BUFFER = 1 << 20
/** A raw IPv6 socket requires the protocol number or 0 as port, and Node refuses 0. Other sockets ignore it. */
const PORT: Readonly<Record<Family, number>> = { ipv4: 1, ipv6: 58 }

const echoers = new Map<string, IcmpSocket>()

/**
 * Returns the shared socket of the family and source, and opens it if needed. With source null the kernel chooses.
 * Throws a SystemError if the kernel does not allow it, or if the source is not an address of this machine.
 */
export function echoerOf(family: Family, source: Address | null): IcmpSocket {
  const key = source?.text ?? family
  let echoer = echoers.get(key)
  if (!echoer) {
    echoer = new IcmpSocket(family, source)
    echoers.set(key, echoer)
  }
  return echoer
}

export class IcmpSocket {
  readonly #family: Family
  readonly #key: string
  readonly #isBound: boolean
  readonly #socket: Socket
  readonly #hasIpHeader: boolean
  readonly #awaited = new Map<number, { readonly request: Request; readonly run: EchoListener }>()
  readonly #identifier = randomBytes(2).readUInt16BE()
  readonly #secret = randomBytes(8)
  #count = randomBytes(2).readUInt16BE()
  #isClosed = false

  constructor(family: Family, source: Address | null) {
    this.#family = family
    this.#key = source?.text ?? family
    this.#isBound = source !== null
    this.#socket = createSocket({
      type: family === 'ipv6' ? 'udp6' : 'udp4',
      // Without this function Node would look up the literal address for each request.
      lookup: (host, _options, found) => found(null, host, family === 'ipv6' ? 6 : 4),
    })
    try {
      this.#hasIpHeader = adoptIcmp(this.#socket, family, source) && family === 'ipv4'
    } catch (error) {
      this.#socket.close()
      throw error
    }
    this.#socket.on('message', datagram => this.#heard(datagram))
    this.#socket.on('error', error => this.#broke(error))
    // The timers of the runs keep the process alive.
    this.#socket.unref()
  }

  /** Creates a request with `size` bytes of data. The first 12 bytes are unique: a secret and a counter. */
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
    // The source may cease to be an address of this machine. Only a new socket notices that.
    if (this.#isBound && this.#awaited.size === 0) this.#close()
  }

  #close(): void {
    if (echoers.get(this.#key) === this) echoers.delete(this.#key)
    if (!this.#isClosed) this.#socket.close()
    this.#isClosed = true
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

  /** Closes the socket and fails all runs. The next run opens a new socket. */
  #broke(error: Error): void {
    echoers.delete(this.#key)
    for (const { run } of [...this.#awaited.values()]) run.failed(error)
    this.#awaited.clear()
    this.#close()
  }
}

const NOTHING = Buffer.alloc(0)

/** Makes a UDP socket of Node use an ICMP socket. Returns true if it is a raw one. */
function adoptIcmp(socket: Socket, family: Family, source: Address | null): boolean {
  const { fd, raw } = openIcmpSocket(family)
  try {
    setReceiveBuffer(fd, RECEIVE_BUFFER)
    if (source) bindTo(fd, source)
    if (raw) adoptRaw(socket, fd, family)
    else socket.bind({ fd })
    return raw
  } catch (error) {
    close(fd)
    throw error
  }
}

/** Node refuses raw sockets. It therefore gets a UDP socket, whose descriptor is then replaced by the raw socket. */
function adoptRaw(socket: Socket, fd: number, family: Family): void {
  const standIn = openUdpSocket(family)
  socket.bind({ fd: standIn })
  replaceDescriptor(fd, standIn)
}
