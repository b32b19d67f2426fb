/** Echo requests under way on one socket, and how replies are matched to them. */
import type { Address, Family } from '../core/address.js'
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

/** A raw IPv6 socket requires the protocol number or 0 as port, and Node refuses 0. Other sockets ignore it. */
export const ICMP_PORT: Readonly<Record<Family, number>> = { ipv4: 1, ipv6: 58 }

export abstract class Echoes {
  readonly family: Family
  readonly #awaited = new Map<number, { readonly request: Request; readonly run: EchoListener }>()
  readonly #identifier = random(2).readUInt16BE()
  readonly #secret = random(8)
  #count = random(2).readUInt16BE()

  constructor(family: Family) {
    this.family = family
  }

  /** Sends a request. A failure is told to its run later. */
  abstract send(request: Request): void

  /** Creates a request with `size` bytes of data. The first 12 bytes are unique: a secret and a counter. */
  request(address: Address, size: number, run: EchoListener): Request {
    const sequence = this.#freeSequence()
    const data = Buffer.alloc(Math.max(size, 12), 0x55)
    data.set(this.#secret)
    data.writeUInt32BE(this.#count, 8)
    const sent = data.subarray(0, size)
    const packet = echoRequest(this.family, { identifier: this.#identifier, sequence, data: sent })
    const request = { sequence, address, packet, data: sent }
    this.#awaited.set(sequence, { request, run })
    return request
  }

  forget({ sequence }: Request): void {
    this.#awaited.delete(sequence)
  }

  /** Number of requests under way. */
  get underway(): number {
    return this.#awaited.size
  }

  protected failed(sequence: number, error: Error): void {
    this.#awaited.get(sequence)?.run.failed(error)
  }

  protected failAll(error: Error): void {
    for (const { run } of [...this.#awaited.values()]) run.failed(error)
    this.#awaited.clear()
  }

  protected heard(datagram: Buffer, hasIpHeader: boolean): void {
    const reply = readEchoReply(this.family, datagram, hasIpHeader)
    const awaited = reply && this.#awaited.get(reply.sequence)
    if (awaited?.request.data.equals(reply?.data ?? NOTHING)) awaited.run.heard(awaited.request.data.length)
  }

  #freeSequence(): number {
    if (this.#awaited.size > 0xffff) throw new Error('65536 echo requests are under way')
    do this.#count = (this.#count + 1) >>> 0
    while (this.#awaited.has(this.#count & 0xffff))
    return this.#count & 0xffff
  }
}

const NOTHING = Buffer.alloc(0)

/** Loads the module with the first ping: a thread needs 3 ms for it. */
function random(bytes: number): Buffer {
  return process.getBuiltinModule('node:crypto').randomBytes(bytes)
}
