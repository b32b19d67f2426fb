/**
 * Asks on the links of this machine who has an address: by an ARP probe (RFC 5227) for IPv4, by a neighbour solicitation
 * (RFC 4861) for IPv6. One packet for each question; Node's event loop does not wait.
 */
import { type Address, addressFromBytes, bytesOf } from '../core/address.js'
import type { AddressAnswer, AddressQuestion, EthernetLink } from '../core/address-conflict.js'
import { EPOLLIN } from '../system/epoll.js'
import { errorName } from '../system/libc.js'
import { arpAddress, openArp, openIcmpv6 } from '../system/link-sockets.js'
import { LoopEpoll } from '../system/loop-epoll.js'
import { closeDescriptor, fixedCopy, fixedMemory } from '../system/numeric-calls.js'
import { bindSocket, limitReceived, receiveBytes, sendBytesTo, socketAddress } from '../system/sockets.js'
import type { Clock } from '../util/clock.js'
import { decodeArpReply, encodeArpProbe } from './arp-packet.js'
import { ADVERTISEMENT, decodeAdvertisement, encodeSolicitation, solicitedNode } from './neighbour-packet.js'

/** An interface on which is asked. */
export interface AskingLink extends EthernetLink {
  /** Its link-local address, the source of solicitations; null: nothing is asked over IPv6. */
  readonly source: Address | null
}

export interface AskedAddresses {
  readonly answers: readonly AddressAnswer[]
  /** Those whose packet was sent. */
  readonly asked: readonly AddressQuestion[]
  /** An errno name where this process may not ask, or the kernel cannot; null: it can. */
  readonly refusal: string | null
}

export interface AskParts {
  readonly questions: readonly AddressQuestion[]
  readonly links: ReadonlyMap<number, AskingLink>
  readonly clock: Pick<Clock, 'alarm'>
  /** Ends it early, with what has come so far. */
  readonly signal?: AbortSignal
}

/** Milliseconds between two groups of questions, and questions in a group: 50 a second. */
const EVERY = 100
const GROUP = 5
/** Milliseconds after the last question for its answers. */
const PATIENCE = 1000
/** Packets that are read in a row, and answers that are kept for each question. */
const MOST_PACKETS = 64
const MOST_ANSWERS = 8
/** Bytes: of the socket, where other packets of the link may wait too, and of one packet. */
const RECEIVED = 64 * 1024
const PACKET = 2048
/** Broadcast on an Ethernet. */
const EVERYBODY = Uint8Array.of(255, 255, 255, 255, 255, 255)
/** Errors of sockets that will not go away while this process runs. */
const FOR_GOOD = new Set(['EPERM', 'EACCES', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ENOSYS'])

/** Resolves a second after the last question was sent. Throws an Error where the machine has no such calls. */
export async function askAddresses({ questions, links, clock, signal }: AskParts): Promise<AskedAddresses> {
  const asking = new Asking(links)
  try {
    for (let from = 0; from < questions.length && !signal?.aborted; from += GROUP) {
      if (from > 0) await pause(clock, EVERY, signal)
      for (const question of questions.slice(from, from + GROUP)) asking.ask(question)
    }
    if (asking.asked.length > 0) await pause(clock, PATIENCE, signal)
    return asking.result
  } finally {
    asking.close()
  }
}

function pause(clock: Pick<Clock, 'alarm'>, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const end = () => {
      signal?.removeEventListener('abort', end)
      disarm()
      resolve()
    }
    const disarm = clock.alarm(ms, end)
    signal?.addEventListener('abort', end)
  })
}

/** The socket for one family on one link. */
interface LinkSocket {
  readonly fd: number
  readonly link: AskingLink
  readonly isIpv6: boolean
}

class Asking {
  readonly asked: AddressQuestion[] = []
  readonly #links: ReadonlyMap<number, AskingLink>
  readonly #epoll: LoopEpoll
  readonly #sockets: LinkSocket[] = []
  /** Indexes in `#sockets` by link and family; an errno name: it cannot be opened. */
  readonly #places = new Map<string, number | string>()
  readonly #asked = new Set<string>()
  readonly #answers = new Map<string, AddressAnswer>()
  readonly #counts = new Map<string, number>()
  readonly #buffer = fixedMemory(PACKET)
  #refusal: string | null = null

  constructor(links: ReadonlyMap<number, AskingLink>) {
    this.#links = links
    this.#epoll = new LoopEpoll(tag => {
      const socket = this.#sockets[tag]
      if (socket) this.#read(socket)
    })
  }

  get result(): AskedAddresses {
    return { answers: [...this.#answers.values()], asked: this.asked, refusal: this.#refusal }
  }

  /** A link that has just gone down is not asked on. */
  ask(question: AddressQuestion): void {
    const link = this.#links.get(question.link)
    const socket = link && this.#socketFor(link, question.address)
    if (!socket) return
    this.#asked.add(keyOf(question.address.text, link.index))
    if (send(socket, question.address) >= 0) this.asked.push(question)
  }

  close(): void {
    for (const { fd } of this.#sockets) closeDescriptor(fd)
    this.#epoll.close()
  }

  #socketFor(link: AskingLink, { family }: Address): LinkSocket | null {
    const isIpv6 = family === 'ipv6'
    if (isIpv6 && !link.source) return null
    const key = `${link.index} ${family}`
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.#open(link, isIpv6)
      this.#places.set(key, place)
      if (typeof place === 'string' && FOR_GOOD.has(place)) this.#refusal ??= place
    }
    return typeof place === 'string' ? null : (this.#sockets[place] ?? null)
  }

  #open(link: AskingLink, isIpv6: boolean): number | string {
    const fd = isIpv6 ? openIcmpv6(ADVERTISEMENT) : openArp()
    if (fd < 0) return errorName(-fd)
    limitReceived(fd, RECEIVED)
    const own = isIpv6 && link.source ? socketAddress(inZone(link.source, link), 0) : arpAddress(link.index)
    const failed = Math.min(bindSocket(fd, own), 0) || this.#epoll.add(fd, EPOLLIN, this.#sockets.length, 0)
    if (failed < 0) {
      closeDescriptor(fd)
      // The link or its address has just gone.
      return errorName(-failed)
    }
    this.#sockets.push({ fd, link, isIpv6 })
    return this.#sockets.length - 1
  }

  /** Takes answers to questions of this machine alone. */
  #read({ fd, link, isIpv6 }: LinkSocket): void {
    for (let i = 0; i < MOST_PACKETS; i++) {
      const length = receiveBytes(fd, this.#buffer)
      if (length < 0) return
      const packet = this.#buffer.bytes.subarray(0, length)
      const found = isIpv6 ? decodeAdvertisement(packet) : decodeArpReply(packet)
      if (found) this.#take(addressFromBytes(found.address), found.hardware, link)
    }
  }

  #take(address: Address, bytes: Uint8Array, link: AskingLink): void {
    const key = keyOf(address.text, link.index)
    const count = this.#counts.get(key) ?? 0
    const hardware = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':')
    const answer = `${key} ${hardware}`
    if (!this.#asked.has(key) || count >= MOST_ANSWERS || this.#answers.has(answer)) return
    this.#counts.set(key, count + 1)
    this.#answers.set(answer, { address, link: link.index, hardware })
  }
}

/** Returns a negative errno if the kernel refuses. */
function send({ fd, link, isIpv6 }: LinkSocket, address: Address): number {
  const [own, target] = [hardwareBytes(link.hardware), bytesOf(address)]
  const packet = isIpv6 ? encodeSolicitation(own, target) : encodeArpProbe(own, target)
  const to = isIpv6
    ? socketAddress(inZone(addressFromBytes(solicitedNode(target)), link), 0)
    : arpAddress(link.index, EVERYBODY)
  const data = fixedCopy(packet)
  return data ? sendBytesTo(fd, data, to) : 0
}

function inZone(address: Address, { index }: AskingLink): Address {
  return { ...address, zone: String(index) }
}

function hardwareBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), byte => Number.parseInt(byte, 16))
}

function keyOf(text: string, link: number): string {
  return `${link} ${text}`
}
