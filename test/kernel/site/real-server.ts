/** A little web server on a machine of its own: it can be killed and revived, and told how to answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { later } from '../../helpers/after-each.js'
import { within } from './namespaces.js'

export type Behaviour =
  /** 200 and its name. */
  | 'ok'
  /** 500 to everything. */
  | 'error'
  /** Accepts and says nothing. */
  | 'silent'
  /** 200, after 300 ms. */
  | 'slow'

export interface RealServer {
  readonly namespace: string
  readonly isUp: boolean
  /** Requests so far. */
  readonly requests: number
  /** Bytes of downloads sent so far. */
  behave(behaviour: Behaviour): void
  /** The process dies: nobody listens any more, and open connections are reset. */
  kill(): void
  revive(): void
}

/** Where a download is: `DOWNLOAD` and the number of its chunks, one every 20 ms. */
export const DOWNLOAD = '/download/'
export const CHUNK = 'sixteen bytes..\n'

/** Starts a server on all addresses of a namespace. It is gone after the test. */
export function startRealServer(namespace: string, port = 80): RealServer {
  const sockets = new Set<Socket>()
  let behaviour: Behaviour = 'ok'
  let server: Server | null = null
  let requests = 0

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    requests++
    const send = (status: number) => response.writeHead(status, { connection: 'close' }).end(`${namespace}\n`)
    if (behaviour === 'silent') return
    if (behaviour === 'slow') setTimeout(() => send(200), 300)
    else if (request.url?.startsWith(DOWNLOAD)) pour(response, Number(request.url.slice(DOWNLOAD.length)))
    else send(behaviour === 'error' ? 500 : 200)
  }

  const kill = () => {
    server?.close()
    server = null
    for (const socket of sockets) socket.resetAndDestroy()
  }

  const revive = () => {
    if (server) return
    server = createServer(answer)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    })
    const listening = server
    within(namespace, () => listening.listen(port))
  }

  revive()
  later(kill)
  return {
    namespace,
    get isUp() {
      return server !== null
    },
    get requests() {
      return requests
    },
    behave(next) {
      behaviour = next
    },
    kill,
    revive,
  }
}

function pour(response: ServerResponse, chunks: number): void {
  response.writeHead(200, { 'content-length': chunks * CHUNK.length, connection: 'close' })
  let sent = 0
  const timer = setInterval(() => {
    response.write(CHUNK)
    if (++sent < chunks) return
    clearInterval(timer)
    response.end()
  }, 20)
  response.on('close', () => clearInterval(timer))
}
