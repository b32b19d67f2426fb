/**
 * The ICMP sockets: one per address family and source serves all targets. A reply is matched to its request by sequence number,
 * and is valid only if it contains the secret of the request, because a raw socket receives the replies to all
 * programs' pings.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { Address, Family } from '../core/address.js'
import { bindTo, openIcmpSocket, openUdpSocket, setReceiveBuffer } from '../system/datagram-sockets.js'
import { close, replaceDescriptor } from '../system/libc.js'
import { Echoes, ICMP_PORT, type Request } from './icmp-echoes.js'

/** Bytes. The replies of thousands of targets can arrive at once; the kernel's default size would drop some. */
const RECEIVE_BUFFER = 1 << 20

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

export class IcmpSocket extends Echoes {
  readonly #key: string
  readonly #isBound: boolean
  readonly #socket: Socket
  readonly #hasIpHeader: boolean
  #isClosed = false

  constructor(family: Family, source: Address | null) {
    super(family)
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
    this.#socket.on('message', datagram => this.heard(datagram, this.#hasIpHeader))
    this.#socket.on('error', error => this.#broke(error))
    // The timers of the runs keep the process alive.
    this.#socket.unref()
  }

  send({ packet, address, sequence }: Request): void {
    this.#socket.send(packet, ICMP_PORT[this.family], address.text, error => {
      if (error) this.failed(sequence, error)
    })
  }

  override forget(request: Request): void {
    super.forget(request)
    // The source may cease to be an address of this machine. Only a new socket notices that.
    if (this.#isBound && this.underway === 0) this.#close()
  }

  #close(): void {
    if (echoers.get(this.#key) === this) echoers.delete(this.#key)
    if (!this.#isClosed) this.#socket.close()
    this.#isClosed = true
  }

  /** Closes the socket and fails all runs. The next run opens a new socket. */
  #broke(error: Error): void {
    echoers.delete(this.#key)
    this.failAll(error)
    this.#close()
  }
}

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
