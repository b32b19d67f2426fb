/** A server that answers as it should, but for what chance makes of it. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { certificate } from '../support/servers.js'
import type { Talk } from './kinds.js'
import { mutated } from './mutate.js'
import { Chance } from './random.js'

export interface Spoiler {
  readonly port: number
  /** What the next connections are told comes of this seed. */
  begin(seed: number): void
  close(): void
}

/** The seed of the case in which nothing is spoilt. */
export const WELL = 0

/** What one case says: the answers as they should be, some of them spoilt; the same for the same seed. */
export function answersOf(talk: Talk, seed: number): (number: number, asked: Buffer) => Buffer | null {
  const chance = new Chance(seed)
  const spoilt = chance.below(talk.answers.length)
  const andAlso = chance.once(4) ? chance.below(talk.answers.length) : spoilt
  const own = chance.below(2 ** 31)
  const order = seed !== WELL && chance.once(20) ? chance.below(talk.answers.length) : 0
  return (number, asked) => {
    const answer = talk.answers[(number + order) % talk.answers.length]
    if (number >= talk.answers.length || !answer) return null
    const bytes = typeof answer === 'function' ? answer(asked) : answer
    const others = talk.answers.filter(Buffer.isBuffer)
    return seed !== WELL && (number === spoilt || number === andAlso)
      ? mutated(bytes, new Chance(own + number), others.length > 0 ? others : [bytes])
      : bytes
  }
}

/** `each`: a seed for each connection, or each datagram, in place of `begin`. */
export function spoiler(talk: Talk, each?: () => number): Promise<Spoiler> {
  return talk.transport === 'udp' ? udpSpoiler(talk, each) : tcpSpoiler(talk, each)
}

async function tcpSpoiler(talk: Talk, each?: () => number): Promise<Spoiler> {
  let seed = 0
  const sockets = new Set<Socket>()
  const handle = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => sockets.delete(socket))
    serve(socket, talk, each?.() ?? seed)
  }
  const server =
    talk.transport === 'tls'
      ? createTlsServer({ ...certificate, ALPNProtocols: talk.alpn ?? ['http/1.1'] }, handle)
      : createServer({ allowHalfOpen: true }, handle)
  server.on('tlsClientError', () => {})
  server.listen(0, '::1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    begin(next) {
      seed = next
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function serve(socket: Socket, talk: Talk, seed: number): void {
  const answerTo = answersOf(talk, seed)
  const chance = new Chance(seed + 1)
  let number = 0
  const say = (asked: Buffer) => {
    const answer = answerTo(number++, asked)
    if (answer) write(socket, answer, chance)
    // Most hang up once they have nothing more to say, or soon; the others stay, and the deadline comes.
    if (number >= talk.answers.length && !stays) socket.end()
  }
  const stays = seed === WELL || chance.once(8)
  if (!stays) setTimeout(() => socket.end(), 150)
  if (talk.greets) say(Buffer.alloc(0))
  socket.on('data', asked => number < talk.answers.length && say(asked))
}

/** At once, in two pieces, or in many. */
function write(socket: Socket, bytes: Buffer, chance: Chance): void {
  const way = chance.below(4)
  if (way > 1 || bytes.length < 2) socket.write(bytes)
  else if (way === 1) {
    const at = 1 + chance.below(bytes.length - 1)
    socket.write(bytes.subarray(0, at))
    setImmediate(() => socket.destroyed || socket.write(bytes.subarray(at)))
  } else
    for (let at = 0; at < Math.min(bytes.length, 50); at++)
      socket.write(bytes.subarray(at, at === 49 ? bytes.length : at + 1))
}

async function udpSpoiler(talk: Talk, each?: () => number): Promise<Spoiler> {
  let answerTo = answersOf(talk, 0)
  let number = 0
  const socket = createSocket('udp6').bind(0, '::1')
  socket.on('message', (asked, { port, address }) => {
    const answer = each ? answersOf(talk, each())(0, asked) : answerTo(number++, asked)
    // One that is longer than a datagram is cut, as a network would lose it.
    if (answer) socket.send(answer.subarray(0, 60_000), port, address, () => {})
  })
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    begin(seed) {
      answerTo = answersOf(talk, seed)
      number = 0
    },
    close: () => socket.close(),
  }
}
