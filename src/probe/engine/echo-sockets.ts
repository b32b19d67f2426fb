/** The ICMP sockets of the engine: one per address family and source serves all targets. */
import type { Address, Family } from '../../core/address.js'
import { bindTo, openIcmpSocket, setReceiveBuffer } from '../../system/datagram-sockets.js'
import { EPOLLIN } from '../../system/epoll.js'
import {
  callError,
  closeDescriptor,
  EAGAIN,
  EINTR,
  type FixedMemory,
  fixedMemory,
} from '../../system/numeric-calls.js'
import { receiveBytes, sendBytesTo, socketAddress } from '../../system/sockets.js'
import { Echoes, ICMP_PORT, type Request } from '../icmp-echoes.js'
import type { ProbeLoop } from './reactor.js'
import type { Watcher } from './watchers.js'

/** Bytes. The replies of thousands of targets can arrive at once; the kernel's default size would drop some. */
const RECEIVE_BUFFER = 1 << 20
const DATAGRAM = 64 * 1024
/** Maximum number of replies that are read in a row. */
const MOST_REPLIES = 256

export class EchoSockets {
  readonly #reactor: ProbeLoop
  readonly #sockets = new Map<string, EchoSocket>()

  constructor(reactor: ProbeLoop) {
    this.#reactor = reactor
  }

  /** Returns the socket, and opens it if needed. Throws a SystemError. */
  of(family: Family, source: Address | null): EchoSocket {
    const key = source?.text ?? family
    let socket = this.#sockets.get(key)
    if (!socket) {
      const forget = () => this.#sockets.delete(key)
      socket = new EchoSocket(this.#reactor, family, source, forget)
      this.#sockets.set(key, socket)
    }
    return socket
  }

  close(): void {
    for (const socket of [...this.#sockets.values()]) socket.close()
  }
}

class EchoSocket extends Echoes implements Watcher {
  readonly #reactor: ProbeLoop
  readonly #isBound: boolean
  readonly #onClose: () => void
  readonly #fd: number
  readonly #place: number
  readonly #hasIpHeader: boolean
  readonly #buffer = fixedMemory(DATAGRAM)
  #isClosed = false

  constructor(reactor: ProbeLoop, family: Family, source: Address | null, onClose: () => void) {
    super(family)
    this.#reactor = reactor
    this.#isBound = source !== null
    this.#onClose = onClose
    const { fd, raw } = openIcmpSocket(family)
    this.#fd = fd
    this.#hasIpHeader = raw && family === 'ipv4'
    try {
      setReceiveBuffer(fd, RECEIVE_BUFFER)
      if (source) bindTo(fd, source)
      this.#place = reactor.watch(fd, EPOLLIN, this)
      if (this.#place < 0) throw callError(this.#place, 'epoll_ctl')
    } catch (error) {
      closeDescriptor(fd)
      throw error
    }
  }

  send({ packet, address, sequence }: Request): void {
    const data: FixedMemory = fixedMemory(packet.length)
    data.bytes.set(packet)
    const sent = sendBytesTo(this.#fd, data, socketAddress(address, ICMP_PORT[this.family]))
    if (sent < 0) this.#reactor.afterReading(() => this.failed(sequence, callError(sent, 'send')))
  }

  override forget(request: Request): void {
    super.forget(request)
    // The source may cease to be an address of this machine. Only a new socket notices that.
    if (this.#isBound && this.underway === 0) this.close()
  }

  ready(): void {
    for (let i = 0; i < MOST_REPLIES && !this.#isClosed; i++) {
      const length = receiveBytes(this.#fd, this.#buffer)
      if (length === EAGAIN || length === EINTR) return
      if (length < 0) this.#broke(callError(length, 'recvmsg'))
      else this.heard(this.#buffer.bytes.subarray(0, length), this.#hasIpHeader)
    }
  }

  /** Closes the socket and fails all runs. The next run opens a new socket. */
  #broke(error: Error): void {
    this.close()
    this.failAll(error)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClose()
    this.#reactor.unwatch(this.#place)
    closeDescriptor(this.#fd)
  }
}
