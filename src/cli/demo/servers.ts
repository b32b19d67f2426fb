/** Small real servers on ::1 for the demo. One of them can fail and recover. */
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

const LOOPBACK = '::1'

export interface DemoServer {
  readonly port: number
  close(): void
}

/** Behaviour of the unsteady server. */
export type Mood = 'well' | 'error' | 'silent' | 'refusing'

/** Sequence of behaviours of the unsteady server, repeated. Each failure is of a different type. */
export const MOODS: readonly Mood[] = ['error', 'well', 'refusing', 'well', 'silent', 'well']

/** An HTTP server that answers `ok`. */
export async function webServer(): Promise<DemoServer> {
  return unsteadyServer()
}

/** An HTTP server whose mood can be changed. It keeps its port. */
export async function unsteadyServer(): Promise<DemoServer & { feel(mood: Mood): Promise<void> }> {
  let mood: Mood = 'well'
  const server = createHttpServer((_, response) => answer(response, mood))
  const connections = track(server)
  const port = await listen(server, 0)
  return {
    port,
    async feel(next) {
      const wasRefusing = mood === 'refusing'
      mood = next
      for (const socket of connections) socket.destroy()
      if (next === 'refusing') server.close()
      else if (wasRefusing) await listen(server, port)
    },
    close: () => shut(server, connections),
  }
}

/** A port of ::1 that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server, 0)
  await new Promise(resolve => server.close(resolve))
  return port
}

function answer(response: ServerResponse, mood: Mood): void {
  if (mood === 'silent') return
  response.writeHead(mood === 'error' ? 500 : 200, { 'content-type': 'text/plain' })
  response.end(mood === 'error' ? 'the database is away\n' : 'ok\n')
}

/** A line server that answers PING with PONG. */
export async function lineServer(): Promise<DemoServer> {
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    socket.setEncoding('utf8').on('data', text => {
      if (String(text).startsWith('PING')) socket.end('PONG\r\n')
    })
  })
  const connections = track(server)
  return { port: await listen(server, 0), close: () => shut(server, connections) }
}

function track(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })
  return connections
}

function shut(server: Server, connections: ReadonlySet<Socket>): void {
  server.close()
  for (const socket of connections) socket.destroy()
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, LOOPBACK, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
