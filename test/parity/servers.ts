/** Servers on addresses of the lab whose behaviour the scenarios set. */
import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { packageRoot } from '../../src/system/version.js'
import { protocols } from './protocols.js'

export type Kind = keyof typeof protocols

/** `down`: no listener. `silent`: accepts connections and sends nothing. `wrong`: sends wrong answers. */
export type Mood = 'up' | 'down' | 'silent' | 'wrong'

/** Behaviour of one kind of server, over streams, datagrams or both. */
export interface Protocol {
  readonly tls?: true
  stream?(socket: Socket, isRight: boolean): void
  datagram?(message: Buffer, isRight: boolean): string | Uint8Array
}

const helper = (name: string) => readFileSync(join(packageRoot, 'test/support', name))

/** One server. Its initial state is down. */
export class ScriptedServer {
  readonly #protocol: Protocol
  readonly #address: string
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  #mood: Mood = 'down'
  #server: Server | null = null
  #datagrams: Datagrams | null = null

  constructor(kind: Kind, address: string, port: number) {
    this.#protocol = protocols[kind]
    this.#address = address
    this.#port = port
  }

  async become(mood: Mood): Promise<void> {
    this.#mood = mood
    if (mood === 'down') return this.#close()
    if (this.#protocol.stream && !this.#server) await this.#listen()
    if (this.#protocol.datagram && !this.#datagrams) await this.#bind()
  }

  async #listen(): Promise<void> {
    const answer = (socket: Socket) => {
      socket.on('error', () => socket.destroy())
      if (this.#mood === 'silent') socket.resume()
      else this.#protocol.stream?.(socket, this.#mood === 'up')
    }
    const server = this.#protocol.tls
      ? createTlsServer({ cert: helper('localhost.crt'), key: helper('localhost.key') }, answer)
      : createServer({ allowHalfOpen: true }, answer)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server = server
    await once(server.listen(this.#port, this.#address), 'listening')
  }

  async #bind(): Promise<void> {
    const socket = createSocket(isIPv6(this.#address) ? 'udp6' : 'udp4')
    socket.on('error', () => {})
    socket.on('message', (message, from) => {
      if (this.#mood === 'silent') return
      const answer = this.#protocol.datagram?.(message, this.#mood === 'up')
      if (answer !== undefined) socket.send(answer, from.port, from.address)
    })
    this.#datagrams = socket
    socket.bind(this.#port, this.#address)
    await once(socket, 'listening')
  }

  #close(): void {
    this.#server?.close()
    this.#datagrams?.close()
    this.#server = null
    this.#datagrams = null
    for (const socket of this.#sockets) socket.destroy()
  }
}
