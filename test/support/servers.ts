/** Small real servers on this machine, each on a separate port. They are closed after the test. */
import { randomInt } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions as HttpsOptions } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { packageRoot } from '../../src/system/version.js'
import { onCleanup } from './after-each.js'

export interface Listening {
  /** `::1` by default. */
  readonly host: string
  readonly port: number
  /** Returns the number of connections or datagrams so far. */
  count(): number
}

export type Loopback = '::1' | '127.0.0.1'

/** Calls `handler` for each connection. Ignores errors of connections, because checks may close them at any time. */
export function tcpServer(handler: (socket: Socket) => void, host: Loopback = '::1'): Promise<Listening> {
  return listen(createServer({ allowHalfOpen: true }, handler), host)
}

export function httpServer(handler: RequestListener, host: Loopback = '::1'): Promise<Listening> {
  return listen(createHttpServer(handler), host)
}

/** The certificate is self-signed, for `localhost`, `::1` and `127.0.0.1`: see `certificate`. */
export function httpsServer(
  handler: RequestListener,
  options: HttpsOptions = {},
  host: Loopback = '::1',
): Promise<Listening> {
  return listen(createHttpsServer({ ...certificate, ...options }, handler), host, 'secureConnection')
}

export function tlsServer(
  handler: (socket: TLSSocket) => void,
  options: TlsOptions = {},
  host: Loopback = '::1',
): Promise<Listening> {
  return listen(createTlsServer({ ...certificate, ...options }, handler), host)
}

async function listen(server: Server, host: Loopback, tlsEvent?: string): Promise<Listening> {
  const sockets = new Set<Socket>()
  let count = 0
  server.on('connection', (socket: Socket) => {
    count++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  if (tlsEvent) server.on(tlsEvent, (socket: Socket) => socket.on('error', () => {}))
  server.on('tlsClientError', () => {})
  server.on('clientError', (_error, socket: Socket) => socket.destroy())
  server.listen(0, host)
  await once(server, 'listening')
  onCleanup(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(closed => server.close(closed))
  })
  return { host, port: (server.address() as AddressInfo).port, count: () => count }
}

/** Calls `handler` for each datagram. `reply` sends an answer to its sender. */
export async function udpServer(
  handler: (message: Buffer, reply: (answer: string | Uint8Array) => void, from: RemoteInfo) => void,
  host: Loopback = '::1',
): Promise<Listening> {
  const socket: UdpSocket = createSocket(host === '::1' ? 'udp6' : 'udp4')
  let count = 0
  socket.on('message', (message, from) => {
    count++
    handler(message, answer => socket.send(answer, from.port, from.address), from)
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  onCleanup(() => new Promise<void>(closed => socket.close(closed)))
  return { host, port: socket.address().port, count: () => count }
}

/**
 * Returns a TCP port without a listener, below the ephemeral range: no other process gets it before the caller binds it, and none
 * listens there while a test expects nobody.
 */
export async function refusedPort(host: Loopback = '::1'): Promise<number> {
  for (;;) {
    const server = createServer()
    const port = await bound(server, () => server.listen(below(), host))
    await new Promise(closed => server.close(closed))
    if (port !== null) return port
  }
}

/** Returns a UDP port without a listener, as `refusedPort` does. */
export async function refusedUdpPort(host: Loopback = '::1'): Promise<number> {
  for (;;) {
    const socket = createSocket(host === '::1' ? 'udp6' : 'udp4')
    const port = await bound(socket, () => socket.bind(below(), host))
    await new Promise<void>(closed => socket.close(closed))
    if (port !== null) return port
  }
}

/** A random port below the ephemeral range, where servers of other programs are rare. */
function below(): number {
  return randomInt(12_000, 32_000)
}

/** Returns the port that `bind` binds, or null if it is in use. */
async function bound(endpoint: Server | UdpSocket, bind: () => void): Promise<number | null> {
  const isBound = once(endpoint, 'listening').then(
    () => true,
    () => false,
  )
  bind()
  return (await isBound) ? (endpoint.address() as AddressInfo).port : null
}

/** Accepts connections, reads, and sends nothing. */
export function silentServer(host?: Loopback): Promise<Listening> {
  return tcpServer(socket => socket.resume(), host)
}

/** Closes each connection as soon as it is established. */
export function hangUpServer(host?: Loopback): Promise<Listening> {
  return tcpServer(socket => {
    socket.resume()
    socket.end()
  }, host)
}

/** Resets the connection as soon as it receives data. */
export function resetServer(host?: Loopback): Promise<Listening> {
  return tcpServer(socket => socket.once('data', () => socket.resetAndDestroy()), host)
}

/** Answers any request with `text`, and closes the connection. */
export function saying(text: string | Uint8Array, host?: Loopback): Promise<Listening> {
  return tcpServer(socket => socket.once('data', () => socket.end(text)).resume(), host)
}

/** Sends `text` one byte at a time, every 100 ms by default, without waiting for a request. */
export function drippingServer(text: string, every = 100, host?: Loopback): Promise<Listening> {
  return tcpServer(socket => {
    socket.resume()
    const bytes = Buffer.from(text)
    let at = 0
    const timer = setInterval(() => {
      if (at < bytes.length) socket.write(bytes.subarray(at, ++at))
      else socket.end()
    }, every)
    socket.on('close', () => clearInterval(timer))
  }, host)
}

/** Sends `start`, then `again` endlessly, as fast as the client reads. */
export function endlessServer(start: string, again: string, host?: Loopback): Promise<Listening> {
  return tcpServer(socket => {
    socket.resume()
    const more = again.repeat(Math.ceil(16_384 / again.length))
    const pour = () => {
      while (!socket.destroyed && socket.write(more));
    }
    socket.write(start)
    socket.on('drain', pour)
    pour()
  }, host)
}

/** Sends an HTTP response with endless headers. */
export function endlessHeaders(host?: Loopback): Promise<Listening> {
  return endlessServer('HTTP/1.1 200 OK\r\n', 'X-More: and more of it\r\n', host)
}

/** Sends an HTTP response with an endless body. */
export function endlessBody(host?: Loopback): Promise<Listening> {
  return endlessServer('HTTP/1.1 200 OK\r\n\r\n', 'and more of it\n', host)
}

/** Answers with bytes that are not of any protocol. */
export function garbageServer(host?: Loopback): Promise<Listening> {
  return saying(Buffer.from('\x00\x01\xff\xfeno protocol at all\x00'.repeat(10), 'latin1'), host)
}

/**
 * Key and certificate for tests only, valid for a hundred years. They are files because a machine may have no openssl.
 */
export const certificate = { key: beside('localhost.key'), cert: beside('localhost.crt') }

/** Reads a file of the sources, because the compiler does not copy it. */
function beside(name: string): Buffer {
  return readFileSync(join(packageRoot, 'test/support', name))
}
